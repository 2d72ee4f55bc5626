"""A push service that takes everything: it reads a request and answers 201, so that it costs as little as it can."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from typing import cast

from bench.load.browsers import Subscription, point
from cryptography.hazmat.primitives.asymmetric import ec

_LENGTH = b"content-length: "
_ANSWER = b"HTTP/1.1 201 Created\r\nlocation: /m/1\r\nttl: 3600\r\ncontent-length: 0\r\n\r\n"
_PATH = b"/push/"


class PushEndpoint:
    """Listens on a loopback port.  Run it in a process of its own (``bench.child``).

    What comes for a subscription that was made here is read, and its title is the moment at which its alert was due.
    """

    def __init__(self) -> None:
        self._port = 0
        self._taken = 0
        self._late_ns: list[int] = []
        self._browsers: dict[bytes, tuple[ec.EllipticCurvePrivateKey, bytes]] = {}

    async def port(self) -> int:
        """Start to listen and return where."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(self._take), "127.0.0.1", 0)
        self._port = int(server.sockets[0].getsockname()[1])
        return self._port

    async def subscribe(self, count: int) -> list[Subscription]:
        """Make subscriptions of which this holds the keys."""
        import http_ece  # noqa: PLC0415 -- other rows do without it

        self._decrypt = http_ece.decrypt
        made = []
        for number in range(count):
            key, auth = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
            self._browsers[str(number).encode()] = (key, auth)
            endpoint = f"http://127.0.0.1:{self._port}{_PATH.decode()}{number}"
            made.append(Subscription(endpoint, point(key), auth))
        return made

    async def taken(self) -> int:
        """Return how many pushes came so far."""
        return self._taken

    async def late_ns(self) -> list[int]:
        """Return how late the pushes were that came since the last call."""
        late, self._late_ns = self._late_ns, []
        return late

    def _take(self, path: bytes, body: bytes) -> None:
        self._taken += 1
        browser = self._browsers.get(path.removeprefix(_PATH))
        if browser is not None:
            now_ns = time.monotonic_ns()
            key, auth = browser
            plain = self._decrypt(body, private_key=key, auth_secret=auth, version="aes128gcm")
            self._late_ns.append(now_ns - int(json.loads(plain)["notification"]["title"]))


class _Connection(asyncio.Protocol):
    """Reads requests that come whole or in parts."""

    def __init__(self, take: Callable[[bytes, bytes], None]) -> None:
        self._take = take
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while (end := self._unread.find(b"\r\n\r\n")) >= 0:
            head = self._unread[:end]
            length = int(head.lower().partition(_LENGTH)[2].partition(b"\r\n")[0])
            whole = end + 4 + length
            if len(self._unread) < whole:
                return
            body = self._unread[end + 4 : whole]
            self._unread = self._unread[whole:]
            self._transport.write(_ANSWER)
            self._take(head.split(b" ", 2)[1], body)
