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
GREETED_WITHIN_S = 5.0
ABNORMAL = 1006


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
        self._greet_by_s = 0.0
        self.is_greeted = False

    async def is_open(self, url: str) -> bool:
        """Tell whether a connection is made and greeted, and leave it.

        Raises:
            aiohttp.ClientError: It was not made.
            TimeoutError: It was not made in time.
        """
        async with await self._open(url) as socket:
            first = await socket.receive(timeout=GREETED_WITHIN_S)
            return first.type is aiohttp.WSMsgType.TEXT

    async def _open(self, url: str) -> aiohttp.ClientWebSocketResponse:
        async with asyncio.timeout(CONNECT_DEADLINE_S):
            return await self._session.ws_connect(url, protocols=(PROTOCOL,), heartbeat=HEARTBEAT_S)

    async def run(self, url: str) -> Closed:
        """Connect and pass on what the server says until the connection ends; one that is not greeted ends soon.

        Raises:
            aiohttp.ClientError: It was not made.
            TimeoutError: It was not made in time.
        """
        self.is_greeted = False
        socket = await self._open(url)
        self._received = self._acknowledged = 0
        self._greet_by_s = self._clock.monotonic_s() + GREETED_WITHIN_S
        async with socket:
            while True:
                message = await self._next(socket)
                if message is None:
                    if not self.is_greeted:
                        return Closed(ABNORMAL, "not greeted")
                    continue
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(message.data)
                elif message.type is aiohttp.WSMsgType.CLOSE:
                    return Closed(message.data, message.extra or "")
                else:
                    return Closed(socket.close_code or ABNORMAL, "")

    async def _next(self, socket: aiohttp.ClientWebSocketResponse) -> aiohttp.WSMessage | None:
        """Return the next message, or None when it is time for an acknowledgement; sends that."""
        unacknowledged = self._received - self._acknowledged
        left_s = self._ack_due_s - self._clock.monotonic_s() if unacknowledged else None
        if left_s is not None and (left_s <= 0 or unacknowledged >= ACK_EVERY):
            await socket.send_str(f'{{"type":"sequenceAck","sequenceId":{self._received}}}')
            self._acknowledged = self._received
            return None
        if not self.is_greeted:
            left_s = max(0.001, self._greet_by_s - self._clock.monotonic_s())
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
            self.is_greeted = True
            self._opened()
