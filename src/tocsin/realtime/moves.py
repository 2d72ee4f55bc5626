"""Dropped connections that come back at another gateway: fetched from the one that has them, which gives each up once.

Nothing that was sent to a connection is lost on the way.  Whoever fetches keeps the words that are heard meanwhile; what is given
says which of them were heard there; the connection gets the rest.  A connection that is given to somebody who does not get it
is lost: its client is told 1008, and connects anew.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from tocsin.errors import OverloadedError, UnavailableError
from tocsin.realtime.doorkeeper import Doorkeeper
from tocsin.realtime.errands import Give, encode
from tocsin.realtime.everywhere import Everywhere
from tocsin.realtime.hub import Hubs
from tocsin.realtime.moved import Moved, decode_moved
from tocsin.realtime.recovery import Recovery
from tocsin.realtime.session import Session
from tocsin.realtime.upstream import Upstream
from tocsin.realtime.writer import Writer
from tocsin.supervisor import Supervisor

log = structlog.get_logger()

# For what is being sent to many to be written.
_SETTLED_S: Final = 1.0


class Moves:
    """Gives connections up, and takes them in."""

    def __init__(  # noqa: PLR0913 -- all of a gateway that a connection is part of
        self,
        *,
        hubs: Hubs,
        recovery: Recovery,
        writer: Writer,
        upstream: Upstream,
        has_more: Callable[[Session], bool],
        everywhere: Everywhere,
        doorkeeper: Doorkeeper,
        supervisor: Supervisor,
        now_s: Callable[[], float],
        adopt: Callable[[Session, Sequence[str]], None],
        end: Callable[[Session], None],
    ) -> None:
        """Make it.

        Args:
            hubs: The sessions of this gateway.
            recovery: Keeps those that were dropped.
            writer: Writes to them.
            upstream: The way to event handlers.
            has_more: Tells whether a session has something that does not move with it.
            everywhere: The way to the other gateways.
            doorkeeper: Knows what was revoked.
            supervisor: Runs what goes on when its client has gone.
            now_s: Monotonic seconds.
            adopt: Keeps a session that came, in its groups, for its recovery.
            end: Forgets a session for good.
        """
        self._hubs = hubs
        self._recovery = recovery
        self._writer = writer
        self._upstream = upstream
        self._has_more = has_more
        self._everywhere = everywhere
        self._doorkeeper = doorkeeper
        self._supervisor = supervisor
        self._now_s = now_s
        self._adopt = adopt
        self._end = end

    def are_possible(self, connection_id: str, token: str) -> bool:
        """Tell whether a connection may be at another gateway, and this is its reconnection token."""
        return (
            self._everywhere.has_others
            and self._hubs.get(connection_id) is None
            and self._recovery.is_token(connection_id, token)
        )

    async def fetch(self, hub: str, connection_id: str) -> None:
        """Take a connection over from the gateway that has it, if any; then it can be recovered here.

        Once begun that goes on without the caller: the other gateway may have given it up already.
        """
        fetching = self._fetch(Give(hub, connection_id))
        await asyncio.shield(self._supervisor.start("gateway.fetch", fetching))

    async def give(self, give: Give) -> bytes:
        """Give a connection up to a gateway where its client is; nothing if it is not here, or has more than can move."""
        session = self._hubs.connection(give.hub, give.connection)
        if session is None or not self._may_move(session):
            return b""
        standing = await self._doorkeeper.standing(session.hub, session.user)
        if not await self._is_settled() or session.ended or not self._may_move(session):
            return b""
        heard = self._everywhere.heard()
        dealings = self._upstream.hand_over(session)
        moved = Moved.of(
            session, dealings=dealings, standing=standing, heard=heard, now_s=self._now_s()
        )
        socket = session.detach()
        if socket is not None:
            socket.abort()
        self._end(session)
        return encode(moved)

    async def _fetch(self, give: Give) -> None:
        with self._everywhere.recording() as recording:
            try:
                given = await self._everywhere.ask_for(give)
                if given is None:
                    return
                moved = decode_moved(given)
                is_settled = await self._is_settled()
                standing = await self._doorkeeper.standing(moved.hub, moved.user)
            except (UnavailableError, OverloadedError) as error:
                log.warning("gateway.not_fetched", reason=error.detail)
                return
            # If they differ, a token or key may have been revoked without this connection being seen anywhere.
            is_same = standing == moved.standing
            if not (is_same and is_settled) or self._writer.is_spreading or recording.is_full:
                log.warning("gateway.not_fetched", reason="something was under way")
                return
            session = moved.session(self._now_s())
            if moved.dealings is not None:
                self._upstream.take_over(session, moved.dealings)
            self._adopt(session, moved.groups)
            for message in self._everywhere.missed(recording, session, moved.heard):
                self._writer.send((session,), message)

    def _may_move(self, session: Session) -> bool:
        return (
            session.dialect.reliable
            and not self._upstream.is_busy(session)
            and not self._has_more(session)
            and all(message.states is None for message in session.kept().messages)
        )

    async def _is_settled(self) -> bool:
        """Wait until nothing is on its way to many, who may be asked for only when it is written; whether that came."""
        until_s = self._now_s() + _SETTLED_S
        while self._writer.is_spreading:
            if self._now_s() > until_s:
                return False
            await asyncio.sleep(0)
        return True
