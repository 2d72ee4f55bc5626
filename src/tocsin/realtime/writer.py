"""From messages to sockets, a few hundred per turn of the event loop.

Messages are put into outboxes first and written at the end of the turn: all that came for a session in one turn leave in
one write.  Between the slices of a large fan-out the loop runs, so handshakes and other people's alerts go on (I7).
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from tocsin.realtime.protocol import Message
from tocsin.realtime.session import Session

SOCKETS_PER_TURN: Final = 256
_PUTS_PER_TURN: Final = 4 * SOCKETS_PER_TURN


class Writer:
    """Sends messages to sessions and writes what waits."""

    def __init__(
        self,
        call_soon: Callable[[Callable[[], None]], object],
        overflowed: Callable[[Session, Message], None],
        outbox_bytes: int,
    ) -> None:
        """Make a writer.

        Args:
            call_soon: Runs a callback in the next turn of the event loop.
            overflowed: Called when a message went to a session that has no socket, or whose outbox
                is above its bound even after writing what the socket takes.
            outbox_bytes: The bound on bytes that wait for a slow reader.
        """
        self._call_soon = call_soon
        self._overflowed = overflowed
        self._outbox_bytes = outbox_bytes
        self._dirty: deque[Session] = deque()
        self._fanouts: deque[tuple[Message, Sequence[Session], int]] = deque()
        self._scheduled = False
        self.sent = 0

    def send(self, sessions: Iterable[Session], message: Message) -> None:
        """Put ``message`` on its way to a user's few sessions; it is written at the end of this turn."""
        dirty = self._dirty
        limit = self._outbox_bytes
        for session in sessions:
            outbox = session.outbox
            outbox.put(message)
            self.sent += 1
            if session.socket is None or outbox.waiting > limit:
                self._crowded(session, message)
            elif not session.dirty:
                session.dirty = True
                dirty.append(session)
        self._schedule()

    def spread(self, sessions: Sequence[Session], message: Message) -> None:
        """Put ``message`` on its way to many sessions, in slices; spreads keep their order."""
        self._fanouts.append((message, sessions, 0))
        self._schedule()

    def flush_soon(self, session: Session) -> None:
        """Write what waits for ``session`` at the end of this turn."""
        if not session.dirty:
            session.dirty = True
            self._dirty.append(session)
            self._schedule()

    def _crowded(self, session: Session, message: Message) -> None:
        """Try to write at once; what does not fit then is its owner's business."""
        session.flush()
        if session.socket is None or session.outbox.waiting > self._outbox_bytes:
            self._overflowed(session, message)

    def _schedule(self) -> None:
        if not self._scheduled and (self._dirty or self._fanouts):
            self._scheduled = True
            self._call_soon(self._turn)

    def _turn(self) -> None:
        """Do one slice of the work, and come back for the rest."""
        self._scheduled = True  # while sends of this turn only add to the work
        if self._fanouts:
            self._continue_fanouts()
        dirty = self._dirty
        for _ in range(min(len(dirty), SOCKETS_PER_TURN)):
            dirty.popleft().flush()
        self._scheduled = False
        self._schedule()

    def _continue_fanouts(self) -> None:
        budget = _PUTS_PER_TURN
        while self._fanouts and budget > 0:
            message, sessions, start = self._fanouts.popleft()
            part = sessions[start : start + budget]
            self.send([s for s in part if not s.ended], message)
            budget -= len(part)
            if start + len(part) < len(sessions):
                self._fanouts.appendleft((message, sessions, start + len(part)))
