"""A push service that takes everything: it reads a request and answers 201, so that it costs as little as it can."""

import asyncio
from collections.abc import Callable
from typing import cast

_LENGTH = b"content-length: "
_ANSWER = b"HTTP/1.1 201 Created\r\nlocation: /m/1\r\nttl: 3600\r\ncontent-length: 0\r\n\r\n"


class PushEndpoint:
    """Listens on a loopback port.  Run it in a process of its own (``bench.child``)."""

    def __init__(self) -> None:
        self._taken = 0

    async def port(self) -> int:
        """Start to listen and return where."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(self._take), "127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])

    async def taken(self) -> int:
        """Return how many pushes came so far."""
        return self._taken

    def _take(self) -> None:
        self._taken += 1


class _Connection(asyncio.Protocol):
    """Reads requests that come whole or in parts."""

    def __init__(self, take: Callable[[], None]) -> None:
        self._take = take
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while (end := self._unread.find(b"\r\n\r\n")) >= 0:
            head = self._unread[:end].lower()
            length = int(head.partition(_LENGTH)[2].partition(b"\r\n")[0])
            whole = end + 4 + length
            if len(self._unread) < whole:
                return
            self._unread = self._unread[whole:]
            self._take()
            self._transport.write(_ANSWER)
