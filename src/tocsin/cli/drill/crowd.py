"""The people of a drill who look: real inbox clients, whose connections can be cut."""

import contextlib
import socket
import weakref
from types import TracebackType
from typing import Any, Self

import aiohttp
import msgspec

from tocsin.cli.drill.judging import Held, number_in, shown
from tocsin.cli.drill.ledger import Ledger, Sight
from tocsin.cli.drill.nodes import Addresses, Nodes
from tocsin.cli.pool import each
from tocsin.client.live import InboxClient
from tocsin.clock import SystemClock
from tocsin.errors import TocsinError
from tocsin.supervisor import Supervisor

# A client has pauses of its own, so that it is not for long that one try lasts.
TOKEN_S = 3.0
LOOK_PAUSE_S = 0.02

AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[Any, ...]]


class Line:
    """The connections of one client, which can be cut without a word, as a network does."""

    def __init__(self) -> None:
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def connector(self) -> aiohttp.TCPConnector:
        """Make what opens connections, and keep an eye on them."""
        return aiohttp.TCPConnector(limit=0, socket_factory=self._make)

    def cut(self) -> bool:
        """End all of them in the middle of whatever they say; tell whether there were any."""
        found = False
        for one in list(self._sockets):
            with contextlib.suppress(OSError):  # closed, or not connected yet
                one.shutdown(socket.SHUT_RDWR)
                found = True
        return found

    def _make(self, info: AddressInfo) -> socket.socket:
        family, kind, protocol = info[:3]
        made = socket.socket(family, kind, protocol)
        self._sockets.add(made)
        return made


class Onlooker:
    """One client, and the page of the ledger on which stands what it is told."""

    def __init__(self, run: str, nodes: Nodes, ledger: Ledger, sight: Sight) -> None:
        self.sight = sight
        self.line = Line()
        self._run = run
        self._nodes = nodes
        self._ledger = ledger
        self._clock = SystemClock()
        self._tasks = Supervisor()
        self._next_look_s = 0.0

    async def open(self) -> None:
        """Connect.

        Raises:
            TocsinError: There was no token, or it leads to a server that is not for clients.
        """
        addresses = await self._addresses()
        await self._nodes.check_told(addresses)
        self._session = aiohttp.ClientSession(connector=self.line.connector())
        self._client = InboxClient(
            self._fresh_url, addresses.api, self._session, gateway_url=addresses.gateway
        )
        self._client.start()
        self._tasks.start("drill client", self._note_news())

    async def in_step(self) -> None:
        """Wait until the client knows its inbox."""
        await self._client.synced()

    async def close(self) -> None:
        """Disconnect."""
        await self._client.close()
        await self._tasks.stop()
        await self._session.close()

    def look(self) -> Held | None:
        """Return what the client holds, None while it is not in step; what it has without having been told is noted."""
        view = self._client.view()
        for item in view["items"]:
            if (number := number_in(self._run, item)) is not None:
                self._ledger.find(self.sight, number, self._clock.monotonic_s())
        if view["synced"] and not view["complete"]:
            self._client.load_older()
        if not (view["synced"] and view["complete"]):
            return None
        revs = tuple(item["rev"] for item in view["items"] if "brev" not in item)
        return Held(shown(self._run, view["items"], view["counts"]), revs)

    def catch_up(self) -> None:
        """Look for what was to be told a while ago, and was not: after a cut it comes with the inbox, not live.

        To look costs time that grows with the inbox, so that a client may spend a fiftieth of it on that.
        """
        now_s = self._clock.monotonic_s()
        if now_s >= self._next_look_s and self.sight.lacks_something(now_s):
            self.look()
            took_s = self._clock.monotonic_s() - now_s
            self._next_look_s = now_s + max(LOOK_PAUSE_S, 50 * took_s)

    async def _note_news(self) -> None:
        async for event in self._client.events():
            for item in event["items"] if event["type"] == "arrived" else ():
                if (number := number_in(self._run, item)) is not None:
                    self._ledger.tell(self.sight, number, self._clock.monotonic_s())
            self.catch_up()

    async def _addresses(self, within_s: float | None = None) -> Addresses:
        body = msgspec.json.encode({"user_id": self.sight.user})
        issued = await self._nodes.ask("POST", "/v1/client-tokens", body, within_s=within_s)
        return self._nodes.addresses(str(issued["url"]))

    async def _fresh_url(self) -> str:
        try:
            return (await self._addresses(TOKEN_S)).socket
        except TocsinError as error:  # the client comes back to what is a failure of the network
            raise aiohttp.ClientConnectionError(error.detail) from error


class Crowd:
    """All clients of a drill, spread over the nodes."""

    def __init__(self, run: str, nodes: Nodes, ledger: Ledger) -> None:
        self.onlookers: list[Onlooker] = []
        self.cuts = 0
        self._run = run
        self._nodes = nodes
        self._ledger = ledger
        self._next = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await each(onlooker.close for onlooker in self.onlookers)

    async def join(self, user: str) -> None:
        """Open one more client for ``user``, on the next node and the next gateway.

        Raises:
            TocsinError: There was no token, or it leads to a server that is not for clients.
        """
        place = len(self.onlookers)
        sight = self._ledger.watch(f"client {place} of {user}", user)
        onlooker = Onlooker(self._run, self._nodes.of(place), self._ledger, sight)
        await onlooker.open()
        self.onlookers.append(onlooker)

    def cut_next(self) -> None:
        """Cut the connections of one client, in turn."""
        onlooker = self.onlookers[self._next % len(self.onlookers)]
        self._next += 1
        self.cuts += onlooker.line.cut()
