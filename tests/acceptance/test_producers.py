"""The producers of every language, on a real server: whatever happens on the way, each alert is there once."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.deadlines import until_async
from tests.acceptance.producers import LANGUAGES, ProducerProgram
from tests.acceptance.server_process import ServerProcess
from tests.acceptance.tcp_proxy import proxy_to

pytestmark = pytest.mark.acceptance

USERS = 20
MakeProducer = Callable[..., ProducerProgram]


@pytest.fixture(params=LANGUAGES)
def producer(
    request: pytest.FixtureRequest, server: ServerProcess, node: Path, folder: Path
) -> MakeProducer:
    """Makes the producer of one language; it speaks to the server, or by another port to a proxy."""
    key = server.cli("key", "create", "--role", "producer")

    def make(port: int | None = None) -> ProducerProgram:
        url = f"http://127.0.0.1:{port or server.port}"
        return ProducerProgram(request.param, node, folder, url, key)

    return make


def numbered(count: int) -> list[dict[str, Any]]:
    return [
        {"to": {"users": [f"user-{number % USERS}"]}, "title": f"{number}"}
        for number in range(count)
    ]


async def delivered(server: ServerProcess, key: Mapping[str, str], count: int) -> Counter[str]:
    """Wait until the inboxes have as many alerts, and nothing waits; return how often each title is there."""
    async with httpx.AsyncClient(base_url=server.url, headers=key, timeout=30) as http:

        async def all_processed() -> bool:
            return "tocsin_queue_alerts 0.0" in (await http.get("/metrics")).text

        await until_async(all_processed, "the queue is empty")
        titles: Counter[str] = Counter()
        for number in range(USERS):
            query = {"user": f"user-{number}", "limit": "200"}
            inbox = (await http.get("/v1/inbox", params=query)).json()
            assert inbox["end"] is None, "one page holds all"
            titles.update(item["alert"]["title"] for item in inbox["items"])
    assert titles.total() == count
    return titles


async def test_an_alert_is_published_and_a_bad_one_is_refused(
    producer: MakeProducer, server: ServerProcess
) -> None:
    key = server.key("server")
    good, bad = {"to": {"users": ["user-0"]}, "title": "Good"}, {"to": {}, "title": "Bad"}
    outcomes = await producer().run([good, bad])
    assert outcomes[0]["repeat"] is False
    assert outcomes[1] == {"code": "invalid-audience"}
    assert await delivered(server, key, 1) == {"Good": 1}
    status = server.request("GET", f"/v1/alerts/{outcomes[0]['id']}", headers=key).json()
    assert status["state"] == "processed"


async def test_a_batch_of_many_is_accepted_as_a_whole(
    producer: MakeProducer, server: ServerProcess
) -> None:
    alerts = numbered(2500)
    alerts[1700]["title"] = ""
    outcomes = await producer().run(alerts, batch=True)
    assert outcomes.pop(1700) == {"code": "invalid-field"}
    assert all(outcome["repeat"] is False for outcome in outcomes)
    assert len({outcome["id"] for outcome in outcomes}) == 2499
    titles = await delivered(server, server.key("server"), 2499)
    assert set(titles.values()) == {1}


async def test_what_was_accepted_by_a_cut_connection_is_not_published_twice(
    producer: MakeProducer, server: ServerProcess
) -> None:
    key = server.key("server")
    async with proxy_to(server.port) as proxy:
        through = producer(proxy.port)
        for number, batch in enumerate((False, True)):
            alert: dict[str, Any] = {"to": {"users": ["user-0"]}, "title": f"{number}"}
            proxy.mute()
            publishing = asyncio.ensure_future(through.run([alert], batch=batch))

            async def taken(title: str = alert["title"]) -> bool:
                return title in await asyncio.to_thread(server.titles, key, "user-0")

            await until_async(taken, "the server has the alert, and its producer has no answer")
            proxy.unmute()
            proxy.cut()
            [outcome] = await publishing
            assert outcome["repeat"] is True
    assert await delivered(server, key, 2) == {"0": 1, "1": 1}


async def test_a_server_killed_in_the_middle_has_each_alert_once(
    producer: MakeProducer, server: ServerProcess
) -> None:
    key = server.key("server")
    # The proxy runs in this loop, so that the producer does not get ahead of a test that is held up.
    async with proxy_to(server.port) as proxy:
        publishing = asyncio.ensure_future(producer(proxy.port).run(numbered(2000), at_once=16))

        async def begun() -> bool:
            return len(await asyncio.to_thread(server.titles, key, "user-0")) >= 10

        await until_async(begun, "some alerts have arrived")
        assert not publishing.done(), "the kill hits a producer at work"
        await asyncio.to_thread(server.restart)
        outcomes = await publishing
    assert [outcome for outcome in outcomes if "id" not in outcome] == []
    titles = await delivered(server, key, 2000)
    assert set(titles.values()) == {1}
