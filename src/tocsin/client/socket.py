"""One connection to the gateway over ``json.reliable.webpubsub.azure.v1``.

It acknowledges what it received, and never recovers a dropped connection: the inbox position heals whatever was missed.
"""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import aiohttp
import msgspec

from tocsin.clock import Clock

PROTOCOL = "json.reliable.webpubsub.azure.v1"
CONNECT_DEADLINE_S = 10.0
HEARTBEAT_S = 25.0
ACK_EVERY_S = 1.0
ACK_EVERY = 300
_ABNORMAL = 1006


class Closed(NamedTuple):
    """Why a connection ended; 1006 where no close frame came."""

    code: int
    reason: str


class InboxSocket:
    """Runs one connection after the other; ``opened`` and ``heard`` are called for each."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        clock: Clock,
        *,
        opened: Callable[[], None],
        heard: Callable[[Any], None],
    ) -> None:
        self._session = session
        self._clock = clock
        self._opened = opened
        self._heard = heard
        self._received = self._acknowledged = 0
        self._ack_due_s = 0.0

    async def run(self, url: str) -> Closed:
        """Connect and pass on what the server says until the connection ends.

        Raises:
            aiohttp.ClientError: It was not made.
            TimeoutError: It was not made in time.
        """
        async with asyncio.timeout(CONNECT_DEADLINE_S):
            socket = await self._session.ws_connect(
                url, protocols=(PROTOCOL,), heartbeat=HEARTBEAT_S
            )
        self._received = self._acknowledged = 0
        async with socket:
            while True:
                message = await self._next(socket)
                if message is None:
                    continue
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(message.data)
                elif message.type is aiohttp.WSMsgType.CLOSE:
                    return Closed(message.data, message.extra or "")
                else:
                    return Closed(socket.close_code or _ABNORMAL, "")

    async def _next(self, socket: aiohttp.ClientWebSocketResponse) -> aiohttp.WSMessage | None:
        """Return the next message, or None when it is time for an acknowledgement; sends that."""
        unacknowledged = self._received - self._acknowledged
        left_s = self._ack_due_s - self._clock.monotonic_s() if unacknowledged else None
        if left_s is not None and (left_s <= 0 or unacknowledged >= ACK_EVERY):
            await socket.send_str(f'{{"type":"sequenceAck","sequenceId":{self._received}}}')
            self._acknowledged = self._received
            return None
        try:
            return await socket.receive(timeout=left_s)
        except TimeoutError:
            return None

    def _take(self, text: str) -> None:
        message = msgspec.json.decode(text)
        sequence_id = message.get("sequenceId")
        if sequence_id is not None:
            if self._received == self._acknowledged:
                self._ack_due_s = self._clock.monotonic_s() + ACK_EVERY_S
            self._received = max(self._received, sequence_id)
        if message["type"] == "message" and message.get("from") == "server":
            self._heard(message.get("data"))
        elif message["type"] == "system" and message.get("event") == "connected":
            self._opened()
