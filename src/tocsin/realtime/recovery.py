"""Dropped connections that may come back.

A reliable session that lost its socket is kept for the recovery window with everything the client did not acknowledge.
Whoever shows its connection id and reconnection token gets it, even while the old socket still hangs.

Bounds (I6):  per session those of the outbox; for all together ``detached_bytes``, and beyond it the session that was
              dropped first is given up.  Its client is told 1008 when it comes, connects anew, and the inbox heals it.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable

from tocsin.realtime.session import Session
from tocsin.realtime.settings import GatewaySettings
from tocsin.realtime.wheel import Wheel


class Recovery:
    """Keeps sessions without a socket, oldest drop first."""

    def __init__(
        self,
        settings: GatewaySettings,
        wheel: Wheel,
        now_s: Callable[[], float],
        give_up: Callable[[Session], None],
        secret: bytes,
    ) -> None:
        """Make a keeper; ``give_up`` is called for a session that will not be recovered.

        ``secret`` makes the reconnection tokens, those of one deployment the same at every gateway.
        """
        self._settings = settings
        self._wheel = wheel
        self._now_s = now_s
        self._give_up = give_up
        self._secret = secret
        self._windows: dict[Session, _Window] = {}
        self.held = 0

    def __len__(self) -> int:
        return len(self._windows)

    def token(self, connection_id: str) -> str:
        """Return the reconnection token of a connection; it is derived, so nobody has to keep it."""
        digest = hmac.digest(self._secret, connection_id.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:24]).decode()

    def is_token(self, connection_id: str, token: str) -> bool:
        """Tell whether this is the reconnection token of a connection, whatever became of it."""
        return hmac.compare_digest(self.token(connection_id).encode(), token.encode())

    def keep(self, session: Session) -> None:
        """Begin the recovery window of a session that lost its socket."""
        if not session.rewind():
            self._give_up(session)
            return
        window = self._windows[session] = _Window(session, self._give_up)
        self._wheel.schedule(window, self._now_s(), self._settings.recovery_window_s)
        self.held += session.held
        self.account(session, 0)

    def account(self, session: Session, added: int) -> None:
        """Take note of ``added`` bytes that a kept session got; give up what is too much."""
        self.held += added
        if session.is_full():
            self._give_up(session)
        while self.held > self._settings.detached_bytes and self._windows:
            self._give_up(next(iter(self._windows)))

    def forget(self, session: Session) -> None:
        """End a session's window, whatever became of it; nothing happens if it has none."""
        window = self._windows.pop(session, None)
        if window is not None:
            self._wheel.cancel(window)
            self.held -= session.held

    def take(self, session: Session, token: str) -> bool:
        """Take a session back for a new socket; False if the token is wrong or messages are gone.

        On success everything after the last acknowledgement waits to be written again.
        """
        if not session.dialect.reliable or not self.is_token(session.id, token):
            return False
        self.forget(session)
        if session.rewind():
            return True
        self._give_up(session)
        return False


class _Window:
    """The end of one session's recovery window, as the wheel knows it."""

    __slots__ = ("_give_up", "_session", "wheel_slot")

    def __init__(self, session: Session, give_up: Callable[[Session], None]) -> None:
        self._session = session
        self._give_up = give_up
        self.wheel_slot = -1

    def on_time(self, now_s: float) -> None:  # noqa: ARG002 -- the wheel's signature
        """Give the session up."""
        self._give_up(self._session)
