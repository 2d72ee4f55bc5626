"""A connection on its way from one gateway to another: all that its client may count on after a recovery.

What stays behind keeps a connection from moving: streams that it publishes, states in groups, and events that its handlers
have not answered.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from tocsin.ports.event_handlers import Dealings
from tocsin.realtime.carried import Carried
from tocsin.realtime.dialects import choose_dialect
from tocsin.realtime.outbox import Kept
from tocsin.realtime.rights import NO_RIGHTS, Rights
from tocsin.realtime.session import Session


class Moved(msgspec.Struct, frozen=True, array_like=True):
    """A reliable connection.

    ``standing`` is how its hub's keys and its user's revocations were known where it comes from, ``heard`` the last word of each
    gateway that was heard there, ``dealings`` what it has with event handlers.  ``acked`` is the last sequence id that the client has, ``first`` that of ``messages``.
    """

    id: str
    hub: str
    user: str | None
    subprotocol: str
    inbox: bool
    device: str
    expires_us: int
    signer: str | None
    roles: tuple[str, ...]
    groups: tuple[str, ...]
    done: tuple[int, ...]
    epoch: str
    rev: int
    brev: int
    brings_alerts: bool
    first: int
    acked: int
    messages: tuple[Carried, ...]
    dealings: Dealings | None
    standing: bytes
    heard: dict[str, int]

    @classmethod
    def of(
        cls,
        session: Session,
        *,
        dealings: Dealings | None,
        standing: bytes,
        heard: Mapping[str, int],
        now_s: float,
    ) -> "Moved":
        """Return what is to be moved of a session of a named subprotocol."""
        kept = session.kept()
        return cls(
            id=session.id,
            hub=session.hub,
            user=session.user,
            subprotocol=session.dialect.subprotocol or "",
            inbox=session.inbox,
            device=session.device,
            expires_us=session.expires_us,
            signer=session.signer,
            roles=session.rights.roles(),
            groups=tuple(session.groups),
            done=session.done(),
            epoch=session.epoch,
            rev=session.rev,
            brev=session.brev,
            brings_alerts=session.brings_alerts,
            first=kept.first,
            acked=kept.acked,
            messages=tuple(Carried.of(message, now_s) for message in kept.messages),
            dealings=dealings,
            standing=standing,
            heard=dict(heard),
        )

    def session(self, now_s: float) -> Session:
        """Return the session, which is in no group yet and has no socket."""
        session = Session(
            self.id,
            hub=self.hub,
            user=self.user,
            dialect=choose_dialect([self.subprotocol])[0],
            inbox=self.inbox,
            expires_us=self.expires_us,
            device=self.device,
            rights=Rights(self.roles) if self.roles else NO_RIGHTS,
        )
        session.signer = self.signer
        session.epoch, session.rev, session.brev = self.epoch, self.rev, self.brev
        session.brings_alerts = self.brings_alerts
        for ack_id in self.done:
            session.remember(ack_id)
        messages = [carried.message(now_s) for carried in self.messages]
        session.keep(Kept(self.first, self.acked, messages))
        return session


decode_moved: Final = msgspec.msgpack.Decoder(Moved).decode
