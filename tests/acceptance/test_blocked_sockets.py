"""A client in Python behind a proxy that lets no WebSocket through."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from random import Random

import aiohttp
import httpx
import pytest

from tests.acceptance.deadlines import until
from tests.acceptance.server_process import ServerProcess
from tests.browser.upgrade_blocker import UpgradeBlocker, upgrade_blocker
from tocsin.client.live import InboxClient

pytestmark = pytest.mark.acceptance
DEADLINE_S = 60.0


@pytest.fixture
def blocker(shared_server: ServerProcess) -> Iterator[UpgradeBlocker]:
    with upgrade_blocker() as blocker:
        blocker.target = httpx.URL(shared_server.url).port or 80
        yield blocker


@pytest.fixture
async def client(
    shared_server: ServerProcess, blocker: UpgradeBlocker
) -> AsyncIterator[InboxClient]:
    direct = (await asyncio.to_thread(shared_server.cli, "client-token", "eve")).strip()
    through = httpx.URL(direct).copy_with(port=httpx.URL(blocker.url).port)
    async with (
        aiohttp.ClientSession() as session,
        InboxClient(str(through), blocker.url, session, random=Random(1), device="desk") as client,
        asyncio.timeout(DEADLINE_S),
    ):
        yield client


async def arrival(client: InboxClient) -> str:
    """Wait for what arrives next."""
    async for event in client.events():
        if event["type"] == "arrived":
            return str(event["items"][0]["alert_id"])
    raise AssertionError("the client was closed")


async def publish(server: ServerProcess, key: dict[str, str]) -> str:
    answer = await asyncio.to_thread(server.publish, key, to={"users": ["eve"]})
    assert answer.status_code == 202
    return str(answer.json()["id"])


def received(server: ServerProcess, key: dict[str, str], alert_id: str) -> int:
    answer = httpx.get(f"{server.url}/v1/alerts/{alert_id}", headers=key, timeout=30)
    return int(answer.json()["receipts"]["received"])


async def test_alerts_come_over_the_stream_and_are_told_as_received_and_a_socket_takes_over(
    shared_server: ServerProcess, blocker: UpgradeBlocker, client: InboxClient
) -> None:
    key = shared_server.key("server")
    await client.synced()
    assert client.transport == "stream"
    assert blocker.refused >= 2
    told = await publish(shared_server, key)
    assert await arrival(client) == told
    await asyncio.to_thread(until, lambda: received(shared_server, key, told) == 1, "it is told")
    blocker.is_blocking = False
    await asyncio.to_thread(until, lambda: client.transport == "socket", "a socket takes over")
    await client.synced()
    told = await publish(shared_server, key)
    assert await arrival(client) == told
