"""Clients that cost little: they read frames by their heads, count alerts, and acknowledge as Microsoft's clients do.

They parse no JSON: an alert is a key that occurs once in each, and the last sequence id stands at the end of what was read.
"""

import asyncio
import base64
import os
import re
import time
from collections.abc import Sequence

from bench.load.producers import STAMP

_ACK_S = 1.0
_LONGEST_WAIT_S = 60.0
_OPEN_AT_ONCE = 64
_UPGRADE = (
    "GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
    "Sec-WebSocket-Protocol: json.reliable.webpubsub.azure.v1\r\n\r\n"
)
_HEAD_END = b"\r\n\r\n"
_SEQUENCE = b'"sequenceId":'
_ALERT = b'"alert_id":'
_STAMP = re.compile(rb'"title":"(\d{%d})"' % len(STAMP))
_PING = 0x89
_CLOSE = 0x88
_MASKED = 0x80
_LENGTH_16 = 126
_LENGTH_64 = 127


class Listeners:
    """Sockets of clients, and what came on them."""

    def __init__(self) -> None:
        self.alerts = 0
        self.late_ns: list[int] = []
        self.acknowledging: dict[_Listener, bytes] = {}
        self._sockets: list[_Listener] = []
        self._expected = 0
        self._complete: asyncio.Future[None] | None = None
        self._last_ns = 0

    async def connect(self, port: int, paths: Sequence[str]) -> None:
        """Upgrade a connection for each path."""
        for start in range(0, len(paths), _OPEN_AT_ONCE):
            async with asyncio.TaskGroup() as tasks:
                for path in paths[start : start + _OPEN_AT_ONCE]:
                    tasks.create_task(self._connect(port, _UPGRADE.format(path).encode()))
        asyncio.get_running_loop().call_later(_ACK_S, self._acknowledge)

    async def connect_bare(self, port: int, count: int) -> None:
        """Open plain connections on which frames come without a handshake."""
        for _ in range(count):
            await self._connect(port, b"")

    async def expect(self, alerts: int) -> int:
        """Wait until ``alerts`` more have come than were expected before; return when the last of them came.

        So it does not matter whether some come before this is called.
        """
        self._expected += alerts
        if self.alerts < self._expected:
            self._complete = asyncio.get_running_loop().create_future()
            async with asyncio.timeout(_LONGEST_WAIT_S):
                await self._complete
        return self._last_ns

    async def watch_for(self, alerts: int) -> None:
        """Wait like ``expect`` without ever sleeping."""
        self._expected += alerts
        async with asyncio.timeout(_LONGEST_WAIT_S):
            while self.alerts < self._expected:  # noqa: ASYNC110 -- it is meant to stay awake
                await asyncio.sleep(0)

    def heard(self, data: bytes, now_ns: int) -> None:
        """Count the alerts in whole frames."""
        self.alerts += data.count(_ALERT)
        for stamp in _STAMP.findall(data):
            self.late_ns.append(now_ns - int(stamp))
        self._last_ns = now_ns
        if self._complete is not None and self.alerts >= self._expected:
            self._complete.set_result(None)
            self._complete = None

    async def _connect(self, port: int, upgrade: bytes) -> None:
        loop = asyncio.get_running_loop()
        _, listener = await loop.create_connection(
            lambda: _Listener(self, upgrade), "127.0.0.1", port
        )
        self._sockets.append(listener)
        await listener.open

    def _acknowledge(self) -> None:
        for listener, sequence in self.acknowledging.items():
            listener.acknowledge(sequence)
        self.acknowledging.clear()
        asyncio.get_running_loop().call_later(_ACK_S, self._acknowledge)


class _Listener(asyncio.Protocol):
    __slots__ = ("_owner", "_rest", "_transport", "_upgrade", "open")

    def __init__(self, owner: Listeners, upgrade: bytes) -> None:
        self._owner = owner
        self._upgrade = upgrade
        self._rest = b""
        self._transport: asyncio.Transport | None = None
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # TCP always is one
        self._transport = transport
        if self._upgrade:
            transport.write(self._upgrade)
        else:
            self.open.set_result(None)

    def data_received(self, data: bytes) -> None:
        now_ns = time.monotonic_ns()
        if self._rest:
            data = self._rest + data
        start = 0 if self.open.done() else self._open(data)
        end = start if start < 0 else self._end_of_frames(data, start)
        if end < 0:
            self._rest = data
            return
        self._rest = data[end:]
        frames = data[start:end]
        found = frames.rfind(_SEQUENCE)
        if found >= 0:
            after = found + len(_SEQUENCE)
            self._owner.acknowledging[self] = frames[after : frames.index(b"}", after)]
        self._owner.heard(frames, now_ns)

    def acknowledge(self, sequence: bytes) -> None:
        body = b'{"type":"sequenceAck","sequenceId":%b}' % sequence
        self._send(0x81, body)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.open.done():
            self.open.set_exception(ConnectionError(f"hung up in the handshake: {exc}"))

    def _open(self, data: bytes) -> int:
        """Read the answer to the upgrade; return where frames begin, below 0 if it is not whole."""
        head = data.find(_HEAD_END)
        if head < 0:
            return -1
        if not data.startswith(b"HTTP/1.1 101"):
            self.open.set_exception(ConnectionError(data[:head].decode()))
            return -1
        self.open.set_result(None)
        return head + len(_HEAD_END)

    def _end_of_frames(self, data: bytes, at: int) -> int:
        """Return where the last whole frame ends; answer pings on the way."""
        end = len(data)
        while at + 2 <= end:
            size, begin = data[at + 1], at + 2
            if size == _LENGTH_16:
                size, begin = int.from_bytes(data[begin : begin + 2]), begin + 2
            elif size == _LENGTH_64:
                size, begin = int.from_bytes(data[begin : begin + 8]), begin + 8
            if begin + size > end:
                break
            if data[at] == _PING:
                self._send(0x8A, data[begin : begin + size])
            elif data[at] == _CLOSE:
                msg = f"closed by the server: {data[begin : begin + size]!r}"
                raise ConnectionError(msg)
            at = begin + size
        return at

    def _send(self, first: int, payload: bytes) -> None:
        assert self._transport is not None
        self._transport.write(bytes((first, _MASKED | len(payload))) + bytes(4) + payload)
