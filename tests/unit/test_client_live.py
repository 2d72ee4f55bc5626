"""The live client against a tiny server: real sockets and requests, one hub in memory."""

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.unit.client_server import TinyServer, running
from tocsin.client import comeback
from tocsin.client.comeback import Comeback
from tocsin.client.live import InboxClient
from tocsin.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError

DEADLINE_S = 60.0
FAST = {"hole_wait_ms": 5, "spread_ms": 5, "backoff_base_ms": 5}
Row = dict[str, Any]


@pytest.fixture
async def server() -> AsyncIterator[tuple[TinyServer, aiohttp.ClientSession]]:
    async with running() as pair:
        yield pair


def client_of(server: TinyServer, session: aiohttp.ClientSession) -> InboxClient:
    url = server.client_url()
    return InboxClient(url, server.base_url, session, options=FAST, random=Random(1))


async def until(client: InboxClient, *ids: str) -> None:
    """Wait until the view shows these items, newest first."""
    async with asyncio.timeout(DEADLINE_S):
        async for _ in client.events():
            if [row["id"] for row in client.view()["items"]] == list(ids):
                return


async def test_it_reads_the_inbox_and_shows_what_arrives(
    server: tuple[TinyServer, aiohttp.ClientSession],
) -> None:
    tiny, session = server
    await tiny.deliver()
    async with client_of(tiny, session) as client:
        await until(client, "a1")
        await tiny.deliver()
        async with asyncio.timeout(DEADLINE_S):
            async for event in client.events():
                if event["type"] == "arrived":
                    break
        assert [row["id"] for row in event["items"]] == ["a2"]
        assert client.view()["counts"] == {"unseen": 2, "unread": 2}


async def test_a_lost_announcement_is_healed_by_the_next_one(
    server: tuple[TinyServer, aiohttp.ClientSession],
) -> None:
    tiny, session = server
    async with client_of(tiny, session) as client:
        async with asyncio.timeout(DEADLINE_S):
            await client.synced()
        await tiny.deliver(announced=False)
        await tiny.deliver()
        await until(client, "a2", "a1")


async def test_an_action_returns_once_the_server_has_it(
    server: tuple[TinyServer, aiohttp.ClientSession],
) -> None:
    tiny, session = server
    await tiny.deliver()
    async with client_of(tiny, session) as client, asyncio.timeout(DEADLINE_S):
        await client.synced()
        tiny.statuses = [503]
        await client.act({"type": "mark", "action": "read"})
        await client.synced()
        assert client.view()["counts"] == {"unseen": 0, "unread": 0}
    head, _ = await tiny.store.head("h", "ann")
    assert head.counts.unread == 0


async def test_a_refused_action_raises_what_the_server_said(
    server: tuple[TinyServer, aiohttp.ClientSession],
) -> None:
    tiny, session = server
    await tiny.deliver()
    async with client_of(tiny, session) as client, asyncio.timeout(DEADLINE_S):
        await client.synced()
        gone = {"id": "nobody", "alert_id": "nobody", "read": True}
        with pytest.raises(NotFoundError):
            await client.act({"type": "patch", "patches": [gone]})
        stale = {"id": "a1", "alert_id": "older", "read": True}
        with pytest.raises(ConflictError) as refused:
            await client.act({"type": "patch", "patches": [stale]})
        assert refused.value.code == "item-changed"


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 1012, 4401])
async def test_whatever_closed_the_socket_it_comes_back_and_heals(
    server: tuple[TinyServer, aiohttp.ClientSession], code: int
) -> None:
    tiny, session = server
    async with client_of(tiny, session) as client:
        async with asyncio.timeout(DEADLINE_S):
            await client.synced()
        await tiny.deliver(announced=False)
        await tiny.close_sockets(code, "retry-after-ms=20")
        await until(client, "a1")
        assert tiny.connections == 2


async def test_streams_are_opened_at_the_gateway_and_all_else_is_asked_of_the_api(
    server: tuple[TinyServer, aiohttp.ClientSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comeback, "LONGEST_PAUSE_S", 0.05)
    tiny, session = server
    await tiny.deliver()
    over = asyncio.Event()

    async def stream(request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == "Bearer good"
        opened = web.StreamResponse()
        await opened.prepare(request)
        await over.wait()
        return opened

    app = web.Application()  # which takes no sockets
    app.router.add_get("/v1/inbox/stream", stream)
    async with TestServer(app) as gateway:
        url = str(gateway.make_url("/client/hubs/h?access_token=good"))
        client = InboxClient(
            url, tiny.base_url, session, options=FAST, gateway_url=str(gateway.make_url("/"))
        )
        async with client:
            await until(client, "a1")
            assert client.transport == "stream"
        over.set()


async def test_a_refused_token_is_asked_for_anew(
    server: tuple[TinyServer, aiohttp.ClientSession],
) -> None:
    tiny, session = server
    tokens = ["good", "stale"]

    async def provide() -> str:
        return tiny.client_url(tokens.pop() if len(tokens) > 1 else tokens[0])

    client = InboxClient(provide, tiny.base_url, session, options=FAST)
    async with client, asyncio.timeout(DEADLINE_S):
        await client.synced()
    assert tokens == ["good"]


async def test_what_was_received_is_acknowledged_cumulatively(
    server: tuple[TinyServer, aiohttp.ClientSession],
) -> None:
    tiny, session = server
    async with client_of(tiny, session) as client:
        async with asyncio.timeout(DEADLINE_S):
            await client.synced()
        for _ in range(300):
            await tiny.deliver()
        numbers = [0]
        async with asyncio.timeout(DEADLINE_S):
            while numbers[-1] < 300:
                message = await tiny.heard.get()
                assert message["type"] == "sequenceAck"
                numbers.append(message["sequenceId"])
        assert numbers == sorted(numbers)


async def test_a_lone_message_is_acknowledged_too(
    server: tuple[TinyServer, aiohttp.ClientSession],
) -> None:
    tiny, session = server
    async with client_of(tiny, session), asyncio.timeout(DEADLINE_S):
        assert await tiny.heard.get() == {"type": "sequenceAck", "sequenceId": 1}


async def test_closing_ends_events_and_cancels_who_waits(
    server: tuple[TinyServer, aiohttp.ClientSession],
) -> None:
    tiny, session = server
    client = client_of(tiny, session)
    client.start()
    async with asyncio.timeout(DEADLINE_S):
        await client.synced()
        await tiny.close_sockets(1011)
        waiting = asyncio.ensure_future(client.act({"type": "mark", "action": "read"}))
        told = asyncio.ensure_future(_drained(client))
        await asyncio.sleep(0)
        await client.close()
        await told
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def _drained(client: InboxClient) -> list[Row]:
    return [event async for event in client.events()]


def test_pauses_follow_the_close_code() -> None:
    comeback = Comeback(Random(1))
    assert comeback.pause_s(1000, "", stood_s=60) == 0
    assert 1.0 <= comeback.pause_s(1001, "retry-after-ms=2000", stood_s=60) <= 2.0
    assert 0.25 <= comeback.pause_s(None, "", stood_s=60) <= 0.5
    pauses = [comeback.pause_s(1008, "slow-consumer", stood_s=0) for _ in range(9)]
    assert 0.5 <= pauses[0] <= 1.0
    assert 15.0 <= pauses[-1] <= 30.0


def test_a_server_that_is_away_for_days_is_looked_for_every_half_a_minute() -> None:
    comeback = Comeback(Random(1))
    pauses = [comeback.pause_s(None, "", stood_s=0) for _ in range(10_000)]
    assert all(15.0 <= pause <= 30.0 for pause in pauses[9:])


async def test_receipts_are_told_with_the_device_and_kept_once(
    server: tuple[TinyServer, aiohttp.ClientSession],
) -> None:
    tiny, session = server
    alert_id = await tiny.deliver()
    url = tiny.client_url()
    async with InboxClient(url, tiny.base_url, session, options=FAST, device="desk") as client:
        for _ in range(2):
            await client.tell([{"alert_id": alert_id, "fact": "shown"}])
    [receipt] = await tiny.store.receipts.receipts_of("h", alert_id, "ann")
    assert (receipt.fact, receipt.device) == ("shown", "desk")


async def test_receipts_that_are_refused_or_not_answered_say_so(
    server: tuple[TinyServer, aiohttp.ClientSession],
) -> None:
    tiny, session = server
    async with client_of(tiny, session) as client:
        await until(client)
        with pytest.raises(InvalidInputError):
            await client.tell([{"alert_id": "a1", "fact": "written"}])
        tiny.statuses = [503]
        with pytest.raises(UnavailableError):
            await client.tell([{"alert_id": "a1", "fact": "shown"}])
