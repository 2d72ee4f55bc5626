"""The connections to all servers: kept for a while, never more than the bounds, and handed on in the order of asking."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Final

from tocsin.adapters.outbound.answer import NoAnswerError
from tocsin.adapters.outbound.connection import Connection
from tocsin.adapters.outbound.target import Place

KEPT_S: Final = 30.0

Dial = Callable[[Place, Callable[[Connection], None]], Awaitable[Connection]]
# What somebody waits for: a connection, or None, which is leave to make one.
Turn = asyncio.Future[Connection | None]


class _Server:
    """One place: ``open`` connections (made, or being made), of which some are ``idle``, and who has or waits for one."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.open = 0
        self.idle: list[Connection] = []
        self.callers = 0
        self.waiting: dict[Turn, int] = {}

    @property
    def head(self) -> int:
        """When whoever waits longest began to wait, in the order of all."""
        return next(iter(self.waiting.values()))

    def call_next(self, connection: Connection | None) -> None:
        """Let who waits longest go on."""
        turn = next(iter(self.waiting))
        del self.waiting[turn]
        turn.set_result(connection)


class Pool:
    """Lends connections, at most ``most`` together and ``most_per_host`` to one place.

    Idle ones count too, and give way where others are asked for.
    """

    def __init__(self, dial: Dial, most: int, most_per_host: int) -> None:
        self._dial = dial
        self._most = most
        self._most_per_host = most_per_host
        self._open = 0
        self._numbers = itertools.count()
        self._servers: dict[Place, _Server] = {}
        self._lent: set[Connection] = set()
        # The longest idle first, and since when.
        self._idle: dict[Connection, float] = {}
        self._sweeping: asyncio.TimerHandle | None = None
        self._closed = False

    async def take(self, place: Place, until_s: float) -> Connection:
        """Return a connection for one exchange, after which :meth:`give` takes it back.

        Waits until there is room, but not beyond ``until_s``, which is a time of the loop.

        Raises:
            NoAnswerError: There is none.
            NotAllowedError: There may be none.
            TimeoutError: There was none in time.
        """
        if self._closed:
            raise _closed()
        server = self._servers.get(place)
        if server is None:
            server = self._servers[place] = _Server(place)
        server.callers += 1
        try:
            connection = self._pop_idle(server) or await self._another(server, until_s)
        except BaseException:
            self._leave(server)
            raise
        self._lent.add(connection)
        return connection

    def give(self, connection: Connection) -> None:
        """Take a connection back; it is kept if another exchange may follow."""
        self._lent.discard(connection)
        server = self._servers[connection.place]
        self._hand_on(server, connection)
        self._leave(server)

    def drop_idle(self, place: Place) -> None:
        """End what is idle there, since one like these turned out to be ended by the other side."""
        server = self._servers.get(place)
        while server is not None and server.idle:
            self._end_idle(server.idle[-1])

    def close(self) -> None:
        """End every connection; exchanges under way fail."""
        self._closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        for server in self._servers.values():
            for turn in server.waiting:
                turn.set_exception(_closed())
            server.waiting.clear()
        for connection in self._lent:
            connection.drop()
        for connection in list(self._idle):
            self._end_idle(connection)

    # --- room --------------------------------------------------------------------------------
    async def _another(self, server: _Server, until_s: float) -> Connection:
        """Make a connection, or wait for one that somebody gives back."""
        async with asyncio.timeout_at(until_s):
            return await self._made_or_given(server)

    async def _made_or_given(self, server: _Server) -> Connection:
        if self._has_room(server):
            self._count(server, 1)
        else:
            connection = await self._wait(server)
            if connection is not None:
                return connection
        try:
            connection = await self._dial(server.place, self._ended)
        except BaseException:
            self._free(server)
            raise
        if self._closed:
            connection.drop()
            self._free(server)
            raise _closed()
        return connection

    def _has_room(self, server: _Server) -> bool:
        """Tell whether another connection may be made; the one that was idle longest gives way."""
        if server.open >= self._most_per_host:
            return False
        if self._open >= self._most and self._idle:
            self._end_idle(next(iter(self._idle)))
        return self._open < self._most

    async def _wait(self, server: _Server) -> Connection | None:
        turn: Turn = asyncio.get_running_loop().create_future()
        server.waiting[turn] = next(self._numbers)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                server.waiting.pop(turn, None)
            elif turn.exception() is None:  # it came too late
                self._pass_on(server, turn.result())
            raise

    def _pass_on(self, server: _Server, connection: Connection | None) -> None:
        if connection is None:
            self._free(server)
        else:
            self._hand_on(server, connection)

    def _hand_on(self, server: _Server, connection: Connection) -> None:
        """Give a connection, or its room, to whoever waits for it; keep it if nobody does."""
        longest = self._waits_longest() if self._open >= self._most else server
        if self._closed or not connection.goes_on or longest not in (server, None):
            connection.drop()
            self._free(server)
        elif server.waiting:
            server.call_next(connection)
        else:
            self._keep(server, connection)

    def _free(self, server: _Server) -> None:
        """Give the room of a connection to whoever waits longest and may have it."""
        self._count(server, -1)
        longest = self._waits_longest()
        if longest is not None:
            self._count(longest, 1)
            longest.call_next(None)
        self._forget(server)

    def _waits_longest(self) -> _Server | None:
        waited_for = [
            server
            for server in self._servers.values()
            if server.waiting and server.open < self._most_per_host
        ]
        return min(waited_for, key=lambda server: server.head, default=None)

    def _count(self, server: _Server, more: int) -> None:
        server.open += more
        self._open += more

    def _leave(self, server: _Server) -> None:
        server.callers -= 1
        self._forget(server)

    def _forget(self, server: _Server) -> None:
        if not server.open and not server.callers:
            self._servers.pop(server.place, None)

    # --- idle --------------------------------------------------------------------------------
    def _keep(self, server: _Server, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        server.idle.append(connection)
        self._idle[connection] = loop.time()
        if self._sweeping is None:
            self._sweeping = loop.call_later(KEPT_S, self._sweep)

    def _pop_idle(self, server: _Server) -> Connection | None:
        """Return the one that was used last, so that those which are not needed grow old."""
        while server.idle:
            connection = server.idle[-1]
            if connection.goes_on:
                server.idle.pop()
                del self._idle[connection]
                return connection
            self._end_idle(connection)
        return None

    def _end_idle(self, connection: Connection) -> None:
        del self._idle[connection]
        server = self._servers[connection.place]
        server.idle.remove(connection)
        connection.drop()
        self._free(server)

    def _ended(self, connection: Connection) -> None:
        """Note that a connection is no more; whoever has it will give it back."""
        if connection in self._idle:
            self._end_idle(connection)

    def _sweep(self) -> None:
        self._sweeping = None
        loop = asyncio.get_running_loop()
        while self._idle:
            oldest, since_s = next(iter(self._idle.items()))
            if since_s + KEPT_S > loop.time():
                self._sweeping = loop.call_at(since_s + KEPT_S, self._sweep)
                break
            self._end_idle(oldest)


def _closed() -> NoAnswerError:
    return NoAnswerError("broken", "the server is shutting down")
