"""Clients that all come at once, and a producer that times its answers meanwhile."""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import NamedTuple

from bench.load.client import upgrade

_SUBPROTOCOL = "json.reliable.webpubsub.azure.v1"
_HEAD = b'"kind":"head"'
_LONGEST_S = 60.0
_PAUSE_S = 0.01


class Came(NamedTuple):
    """How a storm went: how long until the last client was told where it stands, and how many never were."""

    seconds: float
    errors: int


class Storm:
    """The clients of one process."""

    def __init__(self) -> None:
        self._comers: list[_Comer] = []

    async def come(self, port: int, paths: Sequence[str]) -> Came:
        """Drop every connection there is, and connect all clients in the same moment."""
        for comer in self._comers:
            comer.drop()
        began = time.monotonic()
        self._comers = [_Comer(upgrade(path, _SUBPROTOCOL)) for path in paths]
        told = await asyncio.gather(
            *(comer.come(port) for comer in self._comers), return_exceptions=True
        )
        errors = sum(isinstance(each, BaseException) for each in told)
        return Came(time.monotonic() - began, errors)


class _Comer(asyncio.Protocol):
    """One client: it upgrades, and waits for the head that says where the server stands."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._told: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def come(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(_LONGEST_S):
            await loop.create_connection(lambda: self, "127.0.0.1", port)
            await self._told

    def drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # TCP always is one
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self._told.done():
            self._rest += data
            if _HEAD in self._rest:
                self._told.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._told.done():
            self._told.set_exception(ConnectionError(f"hung up: {exc}"))


class Probe:
    """A producer that publishes one alert after the other and times the answers."""

    async def publish(self, port: int, key: str, seconds: float) -> list[float]:
        """Return the seconds that each answer took."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = json.dumps({"to": {"users": ["nobody"]}, "title": "Probe"}).encode()
        request = (
            b"POST /v1/alerts HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %b\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
        ) % (key.encode(), len(body), body)
        took: list[float] = []
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                began = time.monotonic()
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                await reader.readexactly(size)
                took.append(time.monotonic() - began)
                await asyncio.sleep(_PAUSE_S)
        finally:
            writer.close()
        return took
