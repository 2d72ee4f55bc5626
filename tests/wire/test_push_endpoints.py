"""No endpoint has this server call what only it can reach: at registration, and at every send."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.push_services.receiving import Browser
from tests.unit.pushing import Keys, push_to
from tests.wire.forbidden_endpoints import ADDRESSES, TRICKS, address, lookup
from tests.wire.hostile_server import listening, says
from tocsin.adapters.outbound.client import OutboundClient
from tocsin.adapters.outbound.resolver import Lookup
from tocsin.adapters.webpush.provider import WebPush
from tocsin.clock import SystemClock
from tocsin.config import Outbound as Settings
from tocsin.model.device import WebPushChannel
from tocsin.model.push_host import KNOWN_PUSH_HOSTS, push_host, push_host_allowed
from tocsin.ports.outbound import Refused
from tocsin.ports.push import Later, PushOutcome, Rejected
from tocsin.telemetry import Metrics


class Canary:
    """Listens on a port of this machine, in both families where there are two, and counts who comes."""

    def __init__(self) -> None:
        self.port = 0
        self.visits = 0

    def url(self, text: str) -> str:
        return text.replace("PORT", str(self.port))

    def visited(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        writer.transport.abort()


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    canary = Canary()
    server = await asyncio.start_server(canary.visited, "127.0.0.1", 0)
    canary.port = server.sockets[0].getsockname()[1]
    also = await asyncio.start_server(canary.visited, "::1", canary.port)
    yield canary
    for one in (server, also):
        one.close()


@asynccontextmanager
async def outbound(
    allow: tuple[str, ...] = (), names: Lookup = lookup
) -> AsyncIterator[OutboundClient]:
    settings = Settings.model_validate({"allow": allow, "total_s": 60, "connect_s": 60})
    client = OutboundClient(settings, Metrics(), names)
    try:
        yield client
    finally:
        await client.close()


async def send(client: OutboundClient, endpoint: str, *hosts: str) -> PushOutcome:
    provider = WebPush(
        client, Keys("k"), SystemClock(), subject=None, topic_secret=b"s", hosts=hosts
    )
    browser = Browser(b"a" * 16)
    channel = WebPushChannel(endpoint, browser.p256dh, browser.auth, "k")
    return await provider.send(push_to(channel))


def test_there_are_enough_of_them() -> None:
    assert len({*ADDRESSES, *TRICKS}) >= 100


async def test_an_endpoint_that_is_no_push_service_is_called_by_nobody(canary: Canary) -> None:
    async with outbound() as client:
        for text in (*ADDRESSES, *TRICKS):
            endpoint = canary.url(text)
            known = push_host_allowed(endpoint, KNOWN_PUSH_HOSTS)
            refused = isinstance(await client.refusal(endpoint), Refused)
            assert not known or refused, f"{text} could be registered"
            outcome = await send(client, endpoint, *KNOWN_PUSH_HOSTS)
            assert isinstance(outcome, Rejected), text
            assert canary.visits == 0, text


async def test_a_host_that_is_listed_does_not_open_the_addresses_behind_it(canary: Canary) -> None:
    async with outbound() as client:
        for text in ADDRESSES:
            endpoint = canary.url(text)
            listed = push_host(endpoint)
            assert listed is not None, text
            assert push_host_allowed(endpoint, (listed,)), text
            assert isinstance(await client.refusal(endpoint), Refused), text
            outcome = await send(client, endpoint, listed)
            assert isinstance(outcome, Rejected), text
            assert outcome.reason.startswith("not called: "), text
            assert canary.visits == 0, text


async def test_a_name_that_changes_its_mind_after_registration_is_not_followed(
    canary: Canary,
) -> None:
    answers = iter(("8.8.8.8", "127.0.0.1"))

    def rebinding(_host: str, port: int) -> list[tuple[Any, ...]]:
        return [address(next(answers), port)]

    endpoint = f"https://web.push.apple.com:{canary.port}/x"
    async with outbound(names=rebinding) as client:
        assert await client.refusal(endpoint) is None
        outcome = await send(client, endpoint, f"*.push.apple.com:{canary.port}")
    assert isinstance(outcome, Rejected)
    assert "loopback" in outcome.reason
    assert canary.visits == 0


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_redirect_leads_nowhere(canary: Canary, status: int, scheme: str) -> None:
    there = f"{scheme}://127.0.0.1:{canary.port}/"
    head = f"HTTP/1.1 {status} X\r\nlocation: {there}\r\ncontent-length: 0\r\n\r\n"
    async with listening(says(head.encode())) as service, outbound(("127.0.0.1",)) as client:
        outcome = await send(
            client, f"http://127.0.0.1:{service.port}/x", f"127.0.0.1:{service.port}"
        )
    assert outcome == Rejected(f"answered {status}")
    assert canary.visits == 0


async def test_the_canary_would_be_heard(canary: Canary) -> None:
    async with outbound(("127.0.0.1", "six.evil.example")) as client:
        for host in ("127.0.0.1", "six.evil.example"):
            outcome = await send(client, f"http://{host}:{canary.port}/x", f"{host}:{canary.port}")
            assert isinstance(outcome, Later)
    assert canary.visits == 2
