"""Clients that cost little: they read frames by their heads, count alerts, and acknowledge as Microsoft's clients do.

They parse no JSON: an alert is a key that occurs once in each, and the last sequence id stands at the end of what was read.
"""

import asyncio
import re
from collections.abc import Sequence

from bench.load.client import TEXT, Client, frame, upgrade
from bench.load.producers import STAMP

_ACK_S = 1.0
_LONGEST_WAIT_S = 60.0
_OPEN_AT_ONCE = 64
_SUBPROTOCOL = "json.reliable.webpubsub.azure.v1"
_SEQUENCE = b'"sequenceId":'
_ALERT = b'"alert_id":'
_STAMP = re.compile(rb'"title":"(\d{%d})"' % len(STAMP))


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
                    tasks.create_task(self._connect(port, upgrade(path, _SUBPROTOCOL)))
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

    async def _connect(self, port: int, request: bytes) -> None:
        loop = asyncio.get_running_loop()
        _, listener = await loop.create_connection(
            lambda: _Listener(self, request), "127.0.0.1", port
        )
        self._sockets.append(listener)
        await listener.open

    def _acknowledge(self) -> None:
        for listener, sequence in self.acknowledging.items():
            listener.acknowledge(sequence)
        self.acknowledging.clear()
        asyncio.get_running_loop().call_later(_ACK_S, self._acknowledge)


class _Listener(Client):
    __slots__ = ("_owner",)

    def __init__(self, owner: Listeners, request: bytes) -> None:
        super().__init__(request)
        self._owner = owner

    def heard(self, frames: bytes, now_ns: int) -> None:
        found = frames.rfind(_SEQUENCE)
        if found >= 0:
            after = found + len(_SEQUENCE)
            self._owner.acknowledging[self] = frames[after : frames.index(b"}", after)]
        self._owner.heard(frames, now_ns)

    def acknowledge(self, sequence: bytes) -> None:
        self.write(frame(TEXT, b'{"type":"sequenceAck","sequenceId":%b}' % sequence))
