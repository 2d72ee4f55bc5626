"""Both producers against real sockets that fail in every way, and the process that imports them."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.unit.scripted_server import DROP, HALF, HANG, Step, scripted
from tests.wire.hostile_server import nobody_listening
from tocsin.client import (
    Accepted,
    Alert,
    AsyncProducer,
    Outcome,
    Producer,
    RefusedError,
    UnsettledError,
    attempts,
)
from tocsin.client.connections import AT_ONCE
from tocsin.errors import ConfigError

ACCEPTED: Step = (202, {"id": "a1", "status": "accepted"})
HELLO: Alert = {"to": {"users": ["ada"]}, "title": "Hello"}

Run = Callable[..., Awaitable[Any]]


def _in_thread(url: str, method: str, *arguments: Any, **options: float) -> Any:
    with Producer(url, "tsk_key", **options) as producer:
        return getattr(producer, method)(*arguments)


async def run_sync(url: str, method: str, *arguments: Any, **options: float) -> Any:
    return await asyncio.to_thread(_in_thread, url, method, *arguments, **options)


async def run_async(url: str, method: str, *arguments: Any, **options: float) -> Any:
    async with AsyncProducer(url, "tsk_key", **options) as producer:
        return await getattr(producer, method)(*arguments)


@pytest.fixture(params=[run_sync, run_async])
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call a method of a producer that does not pause for long."""
    monkeypatch.setattr(attempts, "FIRST_PAUSE_S", 0.01)
    chosen: Run = request.param
    return chosen


async def test_whatever_happens_to_an_attempt_the_same_alert_is_sent_again(run: Run) -> None:
    busy: Step = (503, {"code": "queue-full", "detail": "full"}, {"retry-after": "0"})
    steps: tuple[Step, ...] = (
        DROP,
        HALF,
        (500, "not a problem"),
        (429, {}),
        busy,
        (200, "proxy"),
    )
    with scripted(*steps, ACCEPTED) as server:
        assert await run(server.url, "publish", HELLO) == Accepted("a1", is_repeat=False)
    assert len(server.bodies) == 7
    assert all(body == server.bodies[0] for body in server.bodies)
    assert set(server.keys) == {"Bearer tsk_key"}


async def test_what_is_not_answered_in_time_is_sent_again(run: Run) -> None:
    with scripted(HANG, ACCEPTED) as server:
        assert await run(server.url, "publish", HELLO, timeout_s=0.3) == Accepted(
            "a1", is_repeat=False
        )
    assert len(server.bodies) >= 2  # a busy machine may be late with the second answer, too
    assert all(body == server.bodies[0] for body in server.bodies)


async def test_a_refusal_carries_the_problem(run: Run) -> None:
    refusal = {"code": "invalid-audience", "detail": "whom?", "pointer": "/to"}
    with scripted((400, refusal)) as server, pytest.raises(RefusedError, match="whom") as refused:
        await run(server.url, "publish", HELLO)
    assert (refused.value.code, refused.value.pointer, refused.value.status) == (
        "invalid-audience",
        "/to",
        400,
    )


async def test_a_redirect_is_not_followed(run: Run) -> None:
    away: Step = (307, {}, {"location": "http://127.0.0.1:9/"})
    with scripted(away, ACCEPTED) as server, pytest.raises(RefusedError):
        await run(server.url, "publish", HELLO)
    assert len(server.bodies) == 1


async def test_a_server_that_is_not_there_is_told_after_the_deadline(run: Run) -> None:
    with nobody_listening() as url, pytest.raises(UnsettledError, match="not settled by"):
        await run(url, "publish", HELLO, deadline_s=0.3)


async def test_many_alerts_have_an_outcome_each(run: Run) -> None:
    bad = {"status": "refused", "error": {"code": "invalid-time", "detail": "past"}}
    with scripted(DROP, (202, {"results": [{"id": "a1", "status": "accepted"}, bad]})) as server:
        outcomes: list[Outcome] = await run(server.url, "publish_many", [HELLO, HELLO])
    assert outcomes[0] == Accepted("a1", is_repeat=False)
    assert isinstance(outcomes[1], RefusedError)
    assert server.bodies[0] == server.bodies[1]


async def test_connections_are_used_again() -> None:
    with scripted(ACCEPTED) as server:
        async with AsyncProducer(server.url, "k") as producer:
            for _ in range(5):
                await producer.publish(HELLO)
        assert server.connections == 1


def test_address_and_key_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(ACCEPTED) as server:
        monkeypatch.setenv("TOCSIN_URL", f"{server.url}/")
        monkeypatch.setenv("TOCSIN_KEY", "tsk_from_there")
        with Producer() as producer:
            producer.publish(HELLO)
    assert server.keys == ["Bearer tsk_from_there"]


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("", "k"),
        ("127.0.0.1:8080", "k"),
        ("ftp://host", "k"),
        ("http://[::1", "k"),
        ("http://host", "k\n"),
    ],
)
def test_an_address_or_key_that_cannot_be_one_is_told_at_once(url: str, key: str) -> None:
    with pytest.raises(ConfigError):
        Producer(url, key)


async def test_a_cancelled_publish_ends() -> None:
    with scripted(HANG) as server:
        async with AsyncProducer(server.url, "k") as producer:
            publishing = asyncio.ensure_future(producer.publish(HELLO))
            assert await asyncio.to_thread(server.heard.wait, 30)
            publishing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await publishing


async def test_however_many_gave_up_together_others_are_sent() -> None:
    """In httpx's own pool each round takes places for good, and after some there is none left."""
    is_well = False
    heard = asyncio.Queue[None]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError), contextlib.closing(writer):
            await reader.readuntil(b"\r\n\r\n")
            heard.put_nowait(None)
            if not is_well:
                await reader.read()
            body = b'{"id":"a1","status":"accepted"}'
            writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: %d\r\n\r\n" % len(body) + body)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=AT_ONCE)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, AsyncProducer(url, "k", deadline_s=20) as producer:
        for turns in range(12):
            calls = [asyncio.ensure_future(producer.publish(HELLO)) for _ in range(3 * AT_ONCE)]
            async with asyncio.timeout(60):
                for _ in range(AT_ONCE):
                    await heard.get()
            for call in calls[:AT_ONCE]:
                call.cancel()
            for _ in range(turns):  # until some of the others are told that it is their turn
                await asyncio.sleep(0)
            for call in calls:
                call.cancel()
            await asyncio.wait(calls)
        is_well = True
        assert await producer.publish(HELLO) == Accepted("a1", is_repeat=False)


def test_importing_the_producers_does_not_load_the_server() -> None:
    program = "import sys, tocsin.client; print(*sorted(m for m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    parts = {name.split(".")[1] for name in loaded if name.startswith("tocsin.")}
    assert parts == {"client", "clock", "errors", "model"}
    assert not loaded & {"sqlalchemy", "uvicorn", "aiohttp", "pydantic"}
