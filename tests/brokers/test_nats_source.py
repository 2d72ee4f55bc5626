"""What is NATS' own about it as a source: its consumers, its loans, and its guide."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import nats
import pytest
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig

from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until
from tests.acceptance.guide_blocks import blocks_of
from tests.brokers.test_sources import receive
from tests.ports.nats_server import NatsServer, running_nats
from tocsin.adapters.nats.source import NatsSource, Taken
from tocsin.errors import LineLostError

# Long enough for a machine that stands still for some seconds: what is held is renewed three times in it.
LOAN_S = 10.0
LOOKS = 12  # of a second each


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    with running_nats() as made:
        yield made


@pytest.fixture
async def jetstream(server: NatsServer) -> AsyncIterator[JetStreamContext]:
    client = await nats.connect(server.url)
    yield client.jetstream()
    await client.close()


@pytest.fixture
async def stream(jetstream: JetStreamContext) -> str:
    name = f"s-{uuid4()}"
    await jetstream.add_stream(name=name, subjects=[f"{name}.>"])
    return name


async def test_a_consumer_that_is_missing_is_made_for_its_subject_and_kept(
    server: NatsServer, jetstream: JetStreamContext, stream: str
) -> None:
    for subject in ("a", "b", "a"):
        await jetstream.publish(f"{stream}.{subject}", subject.encode())
    source = NatsSource(server.url, Taken(stream, "tocsin", f"{stream}.a"))
    async with source.line() as line:
        first, second = await receive(line, 2)
        assert (first.body, second.body) == (b"a", b"a")
        assert first.headers["Nats-Subject"] == f"{stream}.a"
        await line.ack([first])
    async with source.line() as line:
        [again] = await receive(line, 1)
        assert (again.id, again.deliveries) == (second.id, 1)
        assert again.id != first.id
        await line.ack([again])
        # Once more does no harm, and is confirmed too.
        await line.ack([again])


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ({"ack_policy": AckPolicy.NONE}, "its acknowledgements are not explicit"),
        ({"deliver_subject": "there"}, "it is a push consumer"),
        ({"filter_subject": "STREAM.b"}, "it is for 'STREAM.b'"),
        ({}, "it is for 'all subjects'"),
    ],
)
async def test_a_consumer_of_another_kind_is_refused_with_the_reason(
    server: NatsServer,
    jetstream: JetStreamContext,
    stream: str,
    config: dict[str, Any],
    fault: str,
) -> None:
    said = {"ack_policy": AckPolicy.EXPLICIT, **config}
    if "filter_subject" in said:
        said["filter_subject"] = f"{stream}.b"
    await jetstream.add_consumer(stream, ConsumerConfig(durable_name="tocsin", **said))
    with pytest.raises(LineLostError, match=fault.replace("STREAM", stream)):
        async with NatsSource(server.url, Taken(stream, "tocsin", f"{stream}.a")).line():
            pytest.fail("it was taken")


async def test_what_is_held_for_longer_than_its_loan_does_not_come_to_others(
    server: NatsServer, jetstream: JetStreamContext, stream: str
) -> None:
    await jetstream.add_consumer(
        stream,
        ConsumerConfig(durable_name="tocsin", ack_policy=AckPolicy.EXPLICIT, ack_wait=LOAN_S),
    )
    await jetstream.publish(f"{stream}.x", b"x")
    source = NatsSource(server.url, Taken(stream, "tocsin", None))
    async with source.line() as one, source.line() as other:
        [held] = await receive(one, 1)
        for _ in range(LOOKS):
            assert not await other.receive(most=1, wait_s=1.0)
        await one.ack([held])


async def test_a_stream_that_goes_away_ends_the_line(
    server: NatsServer, jetstream: JetStreamContext, stream: str
) -> None:
    async with NatsSource(server.url, Taken(stream, "tocsin", None)).line() as line:
        assert not await line.receive(most=1, wait_s=0.05)
        await jetstream.delete_stream(stream)
        with pytest.raises(LineLostError):
            await receive(line, 1)


async def test_nobody_there_and_a_wrong_password_are_told_without_the_password(
    server: NatsServer,
) -> None:
    await asyncio.to_thread(server.kill)
    try:
        url = server.url.replace("//", "//ann:s3cret@")
        with pytest.raises(LineLostError, match="no NATS server was reached") as told:
            async with NatsSource(url, Taken("S", "tocsin", None)).line():
                pytest.fail("nobody is there")
        assert "s3cret" not in told.value.detail
    finally:
        await asyncio.to_thread(server.start)


async def test_the_settings_and_the_program_of_the_guide_work(
    server: NatsServer, jetstream: JetStreamContext, make_server: MakeServer
) -> None:
    await jetstream.add_stream(name="ORDERS", subjects=["orders.>"])
    blocks = blocks_of(
        "from-nats",
        **{
            "nats://tocsin:PASSWORD@one.internal:4222,two.internal:4222": server.url,
            "nats://127.0.0.1:4222": server.url,
        },
    )
    [settings], [program] = blocks["toml"], blocks["python"]
    tocsin = make_server()
    (tocsin.folder / "tocsin.toml").write_text(settings)
    await asyncio.to_thread(tocsin.start)
    key = await asyncio.to_thread(tocsin.key, "server")
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", program], check=True)

    def has_arrived() -> bool:
        return tocsin.titles(key) == ["Order 7 was sent"]

    await asyncio.to_thread(until, has_arrived, "the order has arrived")
    inbox = (
        await asyncio.to_thread(tocsin.request, "GET", "/v1/inbox?user=ada", headers=key)
    ).json()
    assert [item["alert"]["category"] for item in inbox["items"]] == ["orders.sent.eu"]
