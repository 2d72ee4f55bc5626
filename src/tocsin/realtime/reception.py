"""The reception of a gateway: how sessions come to be, are greeted, and are given back to who lost one."""

import secrets
from collections.abc import Callable, Iterable

from tocsin.errors import InvalidInputError
from tocsin.ports.fanout import Fanout
from tocsin.realtime.dialects import Dialect
from tocsin.realtime.frames import CLOSE_POLICY
from tocsin.realtime.hub import Hubs
from tocsin.realtime.recovery import Recovery
from tocsin.realtime.request import MAX_GROUP, is_group
from tocsin.realtime.rights import NO_RIGHTS, Rights
from tocsin.realtime.session import Session
from tocsin.realtime.settings import GatewaySettings
from tocsin.realtime.streams import Streams
from tocsin.realtime.talk import Talk
from tocsin.realtime.token_life import TokenLife
from tocsin.realtime.tokens import Claims


class Reception:
    """Opens sessions and takes them back; ``opened``, ``recovered`` and ``not_recovered`` count since the start."""

    def __init__(
        self,
        *,
        hubs: Hubs,
        fanout: Fanout,
        token_life: TokenLife,
        recovery: Recovery,
        streams: Streams,
        settings: GatewaySettings,
        close_session: Callable[[Session, int, str], None],
    ) -> None:
        self._hubs = hubs
        self._fanout = fanout
        self._token_life = token_life
        self._recovery = recovery
        self._streams = streams
        self._settings = settings
        self._close_session = close_session
        self.opened = self.recovered = self.not_recovered = 0

    def open_session(
        self,
        claims: Claims,
        dialect: Dialect,
        device: str | None = None,
        speaks_to: str | None = None,
        talk: Talk | None = None,
    ) -> Session:
        """Register a new session; from here on it gets what is announced for its user.

        ``device`` is the installation that the client names; receipts of one that names none are its connection's.
        ``speaks_to`` is the group that a plain client's frames go to; without one they are events.  ``talk`` is what it has
        with its event handlers.  The oldest session on the user's inbox is closed if this is one too many of these; what has no
        inbox is not counted, for an application may well give one name to all of its servers.

        Raises:
            InvalidInputError: The token names a group that cannot be one.
        """
        for group in claims.groups:
            if not is_group(group):
                detail = f"the token's group {group[:40]!r} is not 1 to {MAX_GROUP} characters"
                raise InvalidInputError(detail, code="invalid-group")
        if claims.user is not None and claims.opens_inbox:
            self._make_room(claims.hub, claims.user)
        session = Session(
            secrets.token_urlsafe(16) if talk is None else talk.connection_id,
            hub=claims.hub,
            user=claims.user,
            dialect=dialect,
            inbox=claims.opens_inbox,
            expires_us=claims.expires_us,
            device=device,
            rights=Rights(claims.roles) if claims.roles else NO_RIGHTS,
        )
        session.signer = claims.signer
        session.speaks_to = speaks_to
        session.talk = talk
        self.register(session, claims.groups)
        self.opened += 1
        return session

    def register(self, session: Session, groups: Iterable[str]) -> None:
        """Let a session be found, and have its token watched."""
        session.replay = self._settings.replay
        self._token_life.begin(session)
        self._hubs.add(session)
        if session.inbox and session.user is not None:
            self._fanout.hold(session.hub, session.user)
        for group in groups:
            self._hubs.join(session, group)

    def greeting(self, session: Session) -> bytes:
        """Return the frame that comes first on a new session's socket; nothing for plain clients."""
        codec = session.dialect.codec
        if codec is None:
            return b""
        token = self._recovery.token(session.id) if session.dialect.reliable else None
        return codec.connected(session.id, session.user, token)

    def greeting_again(self, session: Session) -> bytes:
        """Return the frame that comes first on a recovered session's socket, most often nothing.

        Microsoft's client goes on with its streams only when it is greeted; for others a second greeting means nothing.
        """
        return self.greeting(session) if self._streams.has_published(session) else b""

    def recover(self, hub: str, connection_id: str, token: str) -> Session | None:
        """Take back a session for a new socket; its old socket is dropped.  None if that is impossible."""
        session = self._hubs.get(connection_id)
        if session is not None and session.hub == hub and self._recovery.take(session, token):
            socket = session.detach()
            if socket is not None:
                socket.abort()
            self.recovered += 1
            return session
        self.not_recovered += 1
        return None

    def _make_room(self, hub: str, user: str) -> None:
        """Close the oldest sessions on an inbox until one more is within the limit."""
        before = [session for session in self._hubs.of_user(hub, user) if session.inbox]
        for session in before[: max(0, len(before) + 1 - self._settings.connections_per_user)]:
            self._close_session(session, CLOSE_POLICY, "too-many-connections")
