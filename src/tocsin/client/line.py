"""The line that a client listens on: a socket, or an event stream where something on the way breaks sockets.

A proxy may refuse the upgrade, swallow it, or cut what was upgraded at once.  After two such sockets in a row the stream
is opened; a server that is away blocks nothing.  Beside it sockets are tried, ever more rarely; when one is greeted the
stream is left, and the next line is a socket.  What falls between the two is healed as after any new connection.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import Literal

import aiohttp

from tocsin.client.backoff import longest_pause_s
from tocsin.client.socket import ABNORMAL, Closed, InboxSocket
from tocsin.client.stream import InboxStream
from tocsin.clock import Clock

BLOCKED_AFTER = 2
# A socket that breaks sooner counts as blocked.
SETTLED_S = 5.0
PROBE_BASE_S = 10.0
PROBE_MAX_S = 300.0

Transport = Literal["socket", "stream"]


class Line:
    """Runs one line after the other; ``transport`` says what the last one was, or is."""

    def __init__(
        self,
        socket: InboxSocket,
        stream: InboxStream,
        *,
        url: Callable[[], Awaitable[str]],
        headers: Callable[[], Mapping[str, str]],
        clock: Clock,
        random: Random,
    ) -> None:
        """Make it; ``url`` gives a socket's address with a fresh token, and ``headers`` then name that token."""
        self.transport: Transport = "socket"
        self._socket = socket
        self._stream = stream
        self._url = url
        self._headers = headers
        self._clock = clock
        self._random = random
        self._blocked = 0
        self._probes = 0

    async def run(self) -> Closed:
        """Connect, and return why that ended.

        Raises:
            aiohttp.ClientError: No connection was made.
            TimeoutError: None was made in time.
        """
        url = await self._url()
        return await (self._listen() if self._blocked >= BLOCKED_AFTER else self._connect(url))

    async def _connect(self, url: str) -> Closed:
        self.transport = "socket"
        began_s = self._clock.monotonic_s()
        self._blocked += 1
        try:
            closed = await self._socket.run(url)
        except aiohttp.ClientConnectorError:
            self._blocked -= 1  # nobody is there, for a stream neither
            raise
        stood_s = self._clock.monotonic_s() - began_s
        if self._socket.is_greeted and (closed.code != ABNORMAL or stood_s >= SETTLED_S):
            self._blocked = self._probes = 0
        return closed

    async def _listen(self) -> Closed:
        self.transport = "stream"
        self._blocked = BLOCKED_AFTER - 1  # whatever ends this, a socket is next
        listening = asyncio.ensure_future(self._stream.run(self._headers()))
        probing = asyncio.ensure_future(self._probe())
        try:
            await asyncio.wait({listening, probing}, return_when=asyncio.FIRST_COMPLETED)
            return await listening if listening.done() else await probing
        finally:
            listening.cancel()
            probing.cancel()
            await asyncio.wait({listening, probing})

    async def _probe(self) -> Closed:
        """Return when a socket was greeted."""
        while True:
            longest_s = longest_pause_s(PROBE_BASE_S, PROBE_MAX_S, self._probes)
            self._probes += 1
            await asyncio.sleep(longest_s * (0.5 + self._random.random() / 2))
            try:
                if await self._socket.is_open(await self._url()):
                    return Closed(1000, "a socket is open")
            except (aiohttp.ClientError, TimeoutError):
                continue
