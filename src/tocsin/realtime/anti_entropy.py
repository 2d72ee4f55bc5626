"""What the fan-out lost is found here: positions last sent are compared with the store's.

Every connection comes by once per beat, and all of them at once after trouble.  Where the store is ahead the session gets
a head frame and heals itself; an online client is at most one beat behind, even if every announcement was lost (I5).
The same loop greets new inbox connections and answers those who ask for a head, so a thousand of them cost a few reads.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import structlog

from tocsin.model.position import Position
from tocsin.model.wire import head_frame
from tocsin.ports.store import InboxStore
from tocsin.realtime.hub import Hubs
from tocsin.realtime.message import Message
from tocsin.realtime.session import Session
from tocsin.realtime.writer import Writer

log = structlog.get_logger()

USERS_PER_READ: Final = 500
# Between reads, so that those who come meanwhile share one: each is a hop to a thread, which takes the interpreter away.
_REST_S: Final = 0.02
_HEADS_PER_TURN: Final = 64
# Heads for many at once carry a spread, so that about a thousand clients a second come to heal.
_CROWD: Final = 100
_MS_PER_CLIENT: Final = 1
_MAX_SPREAD_MS: Final = 10_000


class AntiEntropy:
    """Compares and sends heads; ``run`` is its one loop."""

    def __init__(
        self,
        store: InboxStore,
        hubs: Hubs,
        writer: Writer,
        now_s: Callable[[], float],
        head_s: float,
    ) -> None:
        """Make it; every session gets a head at least every ``head_s`` seconds."""
        self._store = store
        self._hubs = hubs
        self._writer = writer
        self._now_s = now_s
        self._head_s = head_s
        self._waiting: dict[Session, bool] = {}  # whether it gets a head in any case
        self._wake = asyncio.Event()
        self.heads = 0

    def ask(self, session: Session) -> None:
        """Send ``session`` a head soon, whatever it was sent before."""
        self._waiting[session] = True
        self._wake.set()

    def look(self, session: Session) -> None:
        """Compare ``session`` soon, and send a head if the store is ahead or one is due."""
        self._waiting.setdefault(session, self._now_s() - session.head_at_s >= self._head_s)
        self._wake.set()

    def trouble(self) -> None:
        """Compare every session now: announcements may have been lost."""
        for hub in self._hubs.names():
            for session in self._hubs.inboxes(hub):
                self._waiting.setdefault(session, False)
        self._wake.set()

    def known(self, users: Iterable[tuple[str, str]]) -> None:
        """Compare the sessions of some users: what was announced before other nodes knew of them may be lost."""
        for hub, user in users:
            for session in self._hubs.of_user(hub, user):
                if session.inbox:
                    self._waiting.setdefault(session, False)
        self._wake.set()

    async def run(self) -> None:
        """Work for ever; a failing store ends it, and nothing that waited is forgotten."""
        while True:
            await self._wake.wait()
            await self.work()
            await asyncio.sleep(_REST_S)

    async def work(self) -> None:
        """Compare everything that waits.

        Raises:
            UnavailableError: The store cannot be read; what was not compared still waits.
        """
        self._wake.clear()
        crowd = len(self._waiting)
        spread_ms = min(crowd * _MS_PER_CLIENT, _MAX_SPREAD_MS) if crowd > _CROWD else None
        try:
            while self._waiting:
                await self._work_chunk(spread_ms)
        finally:
            if self._waiting:
                self._wake.set()

    async def _work_chunk(self, spread_ms: int | None) -> None:
        """Compare one chunk.  It is taken out first: who asks while the store is read asks anew."""
        chunk = self._next_chunk()
        for session in chunk:
            del self._waiting[session]
        try:
            await self._compare(chunk, spread_ms)
        except BaseException:
            for session, forced in chunk.items():
                self._waiting[session] = forced or self._waiting.get(session, False)
            raise

    def _next_chunk(self) -> dict[Session, bool]:
        """Return sessions of one hub whose positions are read together; the first waiting decides the hub."""
        hub = next(iter(self._waiting)).hub
        chunk: dict[Session, bool] = {}
        for session, forced in self._waiting.items():
            if session.hub == hub:
                chunk[session] = forced
                if len(chunk) == USERS_PER_READ:
                    break
        return chunk

    async def _compare(self, chunk: Mapping[Session, bool], spread_ms: int | None) -> None:
        live = {session: forced for session, forced in chunk.items() if not session.ended}
        users = {session.user for session in live if session.user is not None}
        if not users:
            return
        hub = next(iter(live)).hub
        positions = await self._positions(hub, users)
        found = self._hubs.hub(hub)
        for number, (session, forced) in enumerate(live.items(), 1):
            if number % _HEADS_PER_TURN == 0:
                await asyncio.sleep(0)
            position = None if session.user is None else positions.get(session.user)
            if position is None or session.ended or found is None:
                continue
            if session.epoch and position.epoch != session.epoch:
                found.brev = (
                    -1
                )  # what was broadcast under the old epoch says nothing about the new one
            if forced or _is_behind(session, found.brev, position):
                self._send_head(session, position, spread_ms)

    async def _positions(self, hub: str, users: Iterable[str]) -> Mapping[str, Position]:
        """Read where users stand; who has no inbox yet gets one first.

        Who cannot get one is left out and asked for again with the next beat; the others do not wait for it.
        """
        asked = sorted(users)
        found = await self._store.positions(hub, asked)
        # Who is not connected any more may have been erased meanwhile: that would bring the name back.
        new = [user for user in asked if user not in found and self._hubs.of_user(hub, user)]
        if not new:
            return found
        for user in new:
            try:
                await self._store.first_contact(hub, user)
            except Exception as error:  # noqa: BLE001 -- whatever is wrong with one user
                log.warning("anti_entropy.no_first_contact", hub=hub, reason=str(error))
        return {**found, **await self._store.positions(hub, new)}

    def _send_head(self, session: Session, position: Position, spread_ms: int | None) -> None:
        session.epoch, session.rev, session.brev = position.epoch, position.rev, position.brev
        session.head_at_s = self._now_s()
        self.heads += 1
        self._writer.send((session,), Message(head_frame(position, spread_ms)))


def _is_behind(session: Session, brev: int, position: Position) -> bool:
    return (
        position.epoch != session.epoch
        or position.rev > session.rev
        or position.brev > max(session.brev, brev)
    )
