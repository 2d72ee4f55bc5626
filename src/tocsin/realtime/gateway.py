"""The gateway of one node: people who are looking, and everything that is kept about them.

It owns the parts and the life of sessions; the socket upgrade (``api/upgrade.py``) brings it new ones, and the fan-out
brings it what to send.  Everything but :class:`AntiEntropy` happens in callbacks of the event loop, without a task.
"""

import asyncio
import random
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from tocsin.clock import Clock
from tocsin.ports.event_handlers import EventHandlers, Opening
from tocsin.ports.fanout import Fanout
from tocsin.ports.peers import Peers
from tocsin.ports.receipts import Recorder
from tocsin.ports.store import InboxStore
from tocsin.realtime.admission import Admission, admit
from tocsin.realtime.answers import Answers
from tocsin.realtime.anti_entropy import AntiEntropy
from tocsin.realtime.closing import close_all, send_away
from tocsin.realtime.connection import Connection
from tocsin.realtime.deflate import Terms, negotiate
from tocsin.realtime.dialects import EVENT_STREAM
from tocsin.realtime.doorkeeper import Doorkeeper
from tocsin.realtime.event_stream import EventStream
from tocsin.realtime.everywhere import Everywhere
from tocsin.realtime.frames import CLOSE_NORMAL, CLOSE_POLICY
from tocsin.realtime.group_states import GroupStates
from tocsin.realtime.here import Here
from tocsin.realtime.hub import Hubs
from tocsin.realtime.moves import Moves
from tocsin.realtime.post import Post
from tocsin.realtime.receipts import Witness
from tocsin.realtime.reception import Reception
from tocsin.realtime.recovery import Recovery
from tocsin.realtime.relay import Relay
from tocsin.realtime.requests import Desk, handle_message
from tocsin.realtime.session import Session
from tocsin.realtime.settings import GatewaySettings
from tocsin.realtime.streams import Streams
from tocsin.realtime.token_life import CLOSE_TOKEN, TokenLife
from tocsin.realtime.tokens import Claims, Signer
from tocsin.realtime.upstream import Upstream
from tocsin.realtime.wheel import TICK_S, Wheel
from tocsin.realtime.writer import Writer
from tocsin.supervisor import Supervisor

# Applications read this text; it is the service's.
_CLOSED_BY_APPLICATION: Final = "Application server closed the connection."


class GatewayStats(msgspec.Struct, frozen=True):
    """What there is and what there was; all but the first four only grow."""

    sessions: int = 0
    detached: int = 0
    detached_bytes: int = 0
    hubs: int = 0
    opened: int = 0
    recovered: int = 0
    not_recovered: int = 0
    slow_consumers: int = 0
    messages: int = 0
    heads: int = 0


class Gateway:
    """Keeps the sessions of this node."""

    def __init__(  # noqa: PLR0913 -- all that it meets the world by
        self,
        *,
        store: InboxStore,
        doorkeeper: Doorkeeper,
        fanout: Fanout,
        peers: Peers,
        clock: Clock,
        supervisor: Supervisor,
        settings: GatewaySettings,
        endpoints: Sequence[str],
        recorder: Recorder,
        handlers: EventHandlers,
        recovery_secret: bytes | None = None,
    ) -> None:
        """Make a gateway; nothing happens before ``start``.

        Args:
            store: Read for positions, written for first contacts.
            doorkeeper: Checks client tokens.
            fanout: Where announcements come from.
            peers: The gateways of other processes.
            clock: Wall time for tokens, elapsed time for the rest.
            supervisor: Runs the anti-entropy loop and the handshakes.
            settings: Bounds and times.
            endpoints: The public ``http(s)://`` addresses of this server; pages of their origins may connect.
            recorder: Takes what became of alerts.
            handlers: Decide about connections, and take their events.
            recovery_secret: Makes reconnection tokens, the same at all gateways; by default one of its own.
        """
        self.settings = settings
        self.endpoints = tuple(endpoints)
        self.supervisor = supervisor
        self.accepting = False
        self._doorkeeper = doorkeeper
        self._fanout = fanout
        self._clock = clock
        self._store = store
        self.wheel = Wheel(clock.monotonic_s())
        self.hubs = Hubs(settings.groups_per_connection, self._left_group)
        self.recovery = Recovery(
            settings,
            self.wheel,
            clock.monotonic_s,
            self._give_up,
            recovery_secret or secrets.token_bytes(32),
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ticker: asyncio.TimerHandle | None = None
        self._slow = 0
        self.writer = Writer(
            call_soon=self._call_soon,
            overflowed=self._overflowed,
            outbox_bytes=settings.outbox_bytes,
        )
        self.post = Post(self.hubs, self.writer)
        here = Here(self.hubs, self.post, self.close_connection)
        self.everywhere = Everywhere(here, peers, clock.monotonic_s)
        self._states = GroupStates(self.post, clock.now_us)
        answers = Answers(self.writer, self._call_later, self.close_session)
        self.upstream = Upstream(handlers, self.writer, answers)
        self._token_life = TokenLife(
            settings.cut_at_expiry,
            doorkeeper=doorkeeper,
            clock=clock,
            writer=self.writer,
            answers=answers,
            supervisor=supervisor,
        )
        witness = Witness(recorder, clock, answers, supervisor)
        self.relay = Relay(self.hubs, self.writer, witness)
        self.anti_entropy = AntiEntropy(
            store, self.hubs, self.writer, clock.monotonic_s, settings.head_s
        )
        self._streams = Streams(self.everywhere, answers, self.wheel, clock.monotonic_s)
        self.reception = Reception(
            hubs=self.hubs,
            fanout=fanout,
            token_life=self._token_life,
            recovery=self.recovery,
            streams=self._streams,
            settings=settings,
            close_session=self.close_session,
        )
        self.moves = Moves(
            hubs=self.hubs,
            recovery=self.recovery,
            writer=self.writer,
            upstream=self.upstream,
            has_more=self._has_more,
            everywhere=self.everywhere,
            doorkeeper=doorkeeper,
            supervisor=supervisor,
            now_s=clock.monotonic_s,
            adopt=self._adopt,
            end=self.ended,
        )
        self._desk = Desk(
            answers=answers,
            hubs=self.hubs,
            everywhere=self.everywhere,
            upstream=self.upstream,
            token_life=self._token_life,
            witness=witness,
            anti_entropy=self.anti_entropy,
            streams=self._streams,
            states=self._states,
            now_s=clock.monotonic_s,
        )

    # Life

    def start(self) -> None:
        """Begin to accept connections and to hear announcements; call it in the running loop."""
        self._loop = asyncio.get_running_loop()
        entropy = self.anti_entropy
        self._fanout.listen(self.relay.heard, entropy.trouble, entropy.known)
        self.everywhere.start(self.moves.give)
        self.supervisor.keep("anti-entropy", self.anti_entropy.run)
        self._tick()
        self.accepting = True

    async def drain(self, over_s: float) -> None:
        """Stop accepting, and close every connection with 1001, over so many seconds (I9)."""
        self.accepting = False
        comeback_s = self.settings.comeback_s
        await send_away(list(self.hubs), self.close_session, over_s, comeback_s)

    def close(self) -> None:
        """Drop what is left, at once."""
        self.accepting = False
        if self._ticker is not None:
            self._ticker.cancel()
        for session in self.hubs:
            socket = session.detach()
            if socket is not None:
                socket.abort()
            self.ended(session)

    def stats(self) -> GatewayStats:
        """Count what there is."""
        return GatewayStats(
            sessions=len(self.hubs),
            detached=len(self.recovery),
            detached_bytes=self.recovery.held,
            hubs=len(self.hubs.names()),
            opened=self.reception.opened,
            recovered=self.reception.recovered,
            not_recovered=self.reception.not_recovered,
            slow_consumers=self._slow,
            messages=self.writer.sent,
            heads=self.anti_entropy.heads,
        )

    def is_present(self, hub: str, user: str) -> bool:
        """Tell whether a user has a live connection, or event stream, on which inbox frames are written now.

        At other gateways whoever may be held counts, dropped connections within their recovery window too.
        """
        sessions = self.hubs.of_user(hub, user)
        is_here = any(session.inbox and session.sink is not None for session in sessions)
        return is_here or self._fanout.may_be_elsewhere(hub, user)

    def now_s(self) -> float:
        """Return monotonic seconds."""
        return self._clock.monotonic_s()

    def _tick(self) -> None:
        # First the next tick: a fault in one entry must not end the time of all.
        if self._loop is not None:
            self._ticker = self._loop.call_later(TICK_S, self._tick)
        self.wheel.advance(self.now_s())

    # Sessions come

    async def authenticate(self, hub: str, token: str) -> Claims:
        """Check a client token.

        Raises:
            UnauthenticatedError: It does not hold for this hub and server.
            UnavailableError: The keys cannot be read now.
        """
        return await self._doorkeeper.admit(hub, token)

    async def admit(
        self, claims: Claims, offered: Sequence[str], opening: Callable[[], Opening]
    ) -> Admission:
        """Ask the hub's event handler, if there is one, whether a client may connect, and as whom.

        Raises:
            RejectedError: It may not.
            TocsinError: The handler failed.
        """
        return await admit(self.upstream, claims, offered, opening)

    def _adopt(self, session: Session, groups: Iterable[str]) -> None:
        """Keep a session that comes from another gateway for its recovery here."""
        self.reception.register(session, groups)
        self.dropped(session)

    def _has_more(self, session: Session) -> bool:
        """Whether a session has something that only this gateway knows of, and would not have at another."""
        return self._streams.has_published(session) or self._states.concern(session)

    def compression(self, offers: str) -> Terms | None:
        """Return how messages are compressed with a client that offers this; None if they are not."""
        return negotiate(offers) if self.settings.permessage_deflate else None

    def attach(
        self, session: Session, transport: asyncio.Transport, compression: Terms | None = None
    ) -> Connection:
        """Give ``session`` the upgraded ``transport``; the caller sets its protocol to the result."""
        connection = Connection(self, session, transport, compression)
        connection.start_beating(self._first_pause_s(session))
        self.writer.flush_soon(session)
        if session.inbox:
            self.anti_entropy.ask(session)
        return connection

    def open_stream(self, claims: Claims, device: str | None = None) -> EventStream:
        """Register a session that is read as Server-Sent Events; it keeps what comes until ``begin_stream``."""
        return EventStream(self, self.reception.open_session(claims, EVENT_STREAM, device))

    def begin_stream(self, stream: EventStream, *, greet: bool) -> None:
        """Let a stream go; ``greet`` asks for a head, where nothing else says where the server stands."""
        stream.begin(self._first_pause_s(stream.session))
        if greet:
            self.anti_entropy.ask(stream.session)

    # Sessions live

    def received(self, session: Session, opcode: int, payload: bytes) -> None:
        """Handle a client's data message."""
        handle_message(self._desk, session, opcode, payload)

    def beat(self, session: Session) -> None:
        """Compare the session's position, and end it with its token where that is wanted."""
        if self._token_life.look(session) and session.inbox:
            self.anti_entropy.look(session)

    def pause_s(self, session: Session) -> float:
        """Return the seconds until the session's next beat."""
        return self._token_life.pause_s(session, self.settings.beat_s)

    def _first_pause_s(self, session: Session) -> float:
        spread_s = random.uniform(0, self.settings.beat_s)  # noqa: S311 -- spreads load
        return min(spread_s, self.pause_s(session))

    def _overflowed(self, session: Session, added: int) -> None:
        """Deal with messages for which there is no room, or no socket."""
        if session.socket is not None:
            self._slow += 1
            self.close_session(session, CLOSE_POLICY, "slow-consumer")
        elif not session.ended:
            self.recovery.account(session, added)

    def _left_group(self, session: Session, group: str) -> None:
        self._states.left(session, group)

    def _call_soon(self, callback: Callable[[], None]) -> None:
        if self._loop is not None:
            self._loop.call_soon(callback)

    def _call_later(self, delay_s: float, callback: Callable[[], None]) -> None:
        if self._loop is not None:
            self._loop.call_later(delay_s, callback)

    # Sessions go

    def close_session(self, session: Session, code: int, reason: str) -> None:
        """End a session, with a close frame if it has a socket."""
        if session.socket is not None:
            session.socket.close(code, reason)
        else:
            self.ended(session, reason)

    def close_connection(self, session: Session, reason: str = "") -> None:
        """End a session because an application asks for it: what waits leaves first, then the reason, then 1000.

        Clients of the reliable protocols try to recover even so; they are told 1008, and connect anew.
        """
        codec, socket = session.dialect.codec, session.socket
        if codec is not None and socket is not None:
            said = (
                f"{_CLOSED_BY_APPLICATION} Reason: {reason}" if reason else _CLOSED_BY_APPLICATION
            )
            socket.answer(codec.disconnected(said))
            socket.flush()
        self.upstream.parted(session, reason)
        self.close_session(session, CLOSE_NORMAL, "")

    def revoke(self, hub: str, user: str) -> None:
        """End every session of a user, dropped ones too, so that its client asks for a new token."""
        for session in tuple(self.hubs.of_user(hub, user)):
            self.close_session(session, CLOSE_TOKEN, "revoked")

    def key_regenerated(self, hub: str, signer: Signer) -> None:
        """End every session that came with a token of a key that is no more, some hundreds per turn of the loop."""
        signed = [s for s in self.hubs.of_hub(hub) if s.signer == signer]
        ending = close_all(signed, self.close_session, CLOSE_TOKEN, "key-regenerated")
        self.supervisor.start("gateway.key-regenerated", ending)

    def dropped(self, session: Session) -> None:
        """Keep a reliable session for its recovery; any other has ended with its socket."""
        if session.dialect.reliable and self.accepting and not session.ended:
            self.recovery.keep(session)
        else:
            self.ended(session)

    def _give_up(self, session: Session) -> None:
        """End a session that cannot be recovered, and with it the old socket that it may still have."""
        if session.socket is not None:
            session.socket.close(CLOSE_POLICY, "recovery-impossible")
        else:
            self.ended(session)

    def ended(self, session: Session, reason: str = "") -> None:
        """Forget a session; forgetting it again changes nothing.  Event handlers are told the ``reason``."""
        self.upstream.parted(session, reason)
        session.ended = True
        self._streams.ended(session)
        self.recovery.forget(session)
        self.hubs.remove(session)
        if session.user is not None and not self.hubs.of_user(session.hub, session.user):
            self._fanout.let_go(session.hub, session.user)
        session.clear()
