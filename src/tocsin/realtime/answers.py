"""What clients are told of their requests; answers leave together, on a tick."""

from collections.abc import Callable
from typing import Final

from tocsin.realtime.frames import CLOSE_INTERNAL, CLOSE_POLICY
from tocsin.realtime.request import FORBIDDEN, AckError, Request
from tocsin.realtime.session import Session
from tocsin.realtime.writer import Writer

# A reply within the same moment finds the synchronous Python client not yet waiting for it, and it then blocks for
# 30 s.
_TICK_S: Final = 0.005


class Answers:
    """Gives answers to the sockets; a session without one gets none, and asks again when it is back."""

    def __init__(
        self,
        writer: Writer,
        call_later: Callable[[float, Callable[[], None]], object],
        close: Callable[[Session, int, str], None],
    ) -> None:
        """Make it.

        Args:
            writer: Flushes the sessions that have been answered.
            call_later: Runs a callback after so many seconds.
            close: Ends a session with a close code and its reason.
        """
        self.close = close
        self._writer = writer
        self._call_later = call_later
        self._answered: list[Session] = []

    def answer(self, session: Session, frame: bytes) -> None:
        """Send a frame with the next tick."""
        if session.socket is None:
            return
        session.socket.answer(frame)
        if not self._answered:
            self._call_later(_TICK_S, self._flush)
        self._answered.append(session)

    def acknowledge(self, session: Session, request: Request, error: AckError | None) -> None:
        """Tell the client what became of a request, if it asked, and remember one that succeeded.

        A plain client cannot ask and cannot be told: a failure ends its connection.
        """
        ack_id, codec = request.ack_id, session.dialect.codec
        if codec is None:
            if error is not None:
                code = CLOSE_POLICY if error.name == FORBIDDEN else CLOSE_INTERNAL
                self.close(session, code, error.message)
        elif ack_id is not None:
            if error is None:
                session.remember(ack_id)
            self.answer(session, codec.ack(ack_id, error))

    def _flush(self) -> None:
        sessions, self._answered = self._answered, []
        for session in sessions:
            self._writer.flush_soon(session)
