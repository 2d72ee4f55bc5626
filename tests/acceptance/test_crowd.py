"""Two thousand live connections on one server: a newcomer gets in while everybody is being told something."""

import asyncio
import base64
import os
import resource
import time
from urllib.parse import urlsplit

import httpx
import jwt
import pytest

from tests.acceptance.server_process import ServerProcess

CROWD = 2_000
PER_USER = 20
NEWCOMERS = 20
ALERTS = 10
PAD = "x" * 16_000
LATEST_S = 10.0
KEY = base64.b64encode(os.urandom(16)).decode()


class Listener(asyncio.Protocol):
    """Upgrades, and counts what it is sent without keeping it."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.heard = 0
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self.open.done():
            assert data.startswith(b"HTTP/1.1 101"), data[:300]
            self.open.set_result(None)
        self.heard += len(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.open.done():
            self.open.set_exception(ConnectionError("hung up in the handshake"))


class Crowd:
    """Clients with inbox tokens that the test signs itself, with the access key of the hub."""

    def __init__(self, server: ServerProcess) -> None:
        text = server.cli("connection-string")
        said = dict(part.split("=", 1) for part in text.strip().split(";") if part)
        self._key, self._url = said["AccessKey"].encode(), said["Endpoint"]
        self._port = urlsplit(server.url).port or 80
        self.listeners: list[Listener] = []

    async def join(self, number: int) -> Listener:
        claims = {
            "aud": f"{self._url}/client/hubs/default",
            "sub": f"user-{number // PER_USER}",
            "exp": int(time.time()) + 600,
            "scope": "inbox",
        }
        token = jwt.encode(claims, self._key, algorithm="HS256")
        request = (
            f"GET /client/hubs/default?access_token={token} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n"
            "Sec-WebSocket-Protocol: json.webpubsub.azure.v1\r\n\r\n"
        )
        loop = asyncio.get_running_loop()
        _, listener = await loop.create_connection(
            lambda: Listener(request.encode()), "127.0.0.1", self._port
        )
        await asyncio.wait_for(listener.open, 60)
        self.listeners.append(listener)
        return listener

    async def gather(self, count: int) -> None:
        for start in range(0, count, 50):
            await asyncio.gather(*(self.join(n) for n in range(start, start + 50)))

    def leave(self) -> None:
        for listener in self.listeners:
            if listener.transport is not None:
                listener.transport.abort()


@pytest.fixture
def _many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CROWD * 2 + 500
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


@pytest.mark.usefixtures("_many_files")
async def test_newcomers_get_in_while_everybody_is_told_something(
    shared_server: ServerProcess,
) -> None:
    crowd = Crowd(shared_server)
    key = shared_server.key("producer")
    try:
        await crowd.gather(CROWD)
        before = sum(listener.heard for listener in crowd.listeners)
        alert = {"to": {"all": True}, "title": "to everybody", "data": {"pad": PAD}}
        async with httpx.AsyncClient(base_url=shared_server.url, timeout=60) as http:

            async def publish() -> None:
                for _ in range(ALERTS):
                    answer = await http.post("/v1/alerts", json=alert, headers=key)
                    assert answer.status_code == 202

            publishing = asyncio.create_task(publish())
            waits = []
            for number in range(NEWCOMERS):
                began = time.monotonic()
                await crowd.join(CROWD + number)
                waits.append(time.monotonic() - began)
            await publishing
        whole = before + CROWD * ALERTS * len(PAD)
        async with asyncio.timeout(120):
            while sum(each.heard for each in crowd.listeners) < whole:  # noqa: ASYNC110 -- counted by callbacks
                await asyncio.sleep(0.05)
        assert max(waits) < LATEST_S, sorted(waits)[-3:]
    finally:
        crowd.leave()
