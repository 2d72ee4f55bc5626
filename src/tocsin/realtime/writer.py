"""From messages to sockets, a few hundred per turn of the event loop.

Nothing is written when it is sent, but at the end of the turn: all that came for a session meanwhile leaves in one write.
Between the slices of a large fan-out the loop runs, so handshakes and other people's alerts go on (I7).

The messages of a broadcast go past the outboxes of all that have nothing waiting (:func:`write_at_once`).
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from tocsin.realtime.protocol import Message
from tocsin.realtime.session import Session, write_at_once

SOCKETS_PER_TURN: Final = 256


class _Broadcast:
    """Messages on their way to everybody of a hub; ``sessions`` is taken when the writing begins."""

    __slots__ = ("hub", "messages", "sessions", "start")

    def __init__(self, hub: str, message: Message) -> None:
        self.hub = hub
        self.messages = [message]
        self.sessions: Sequence[Session] | None = None
        self.start = 0


class Writer:
    """Sends messages to sessions and writes what waits."""

    def __init__(
        self,
        *,
        call_soon: Callable[[Callable[[], None]], object],
        inboxes: Callable[[str], Sequence[Session]],
        overflowed: Callable[[Session, int], None],
        outbox_bytes: int,
    ) -> None:
        """Make a writer.

        Args:
            call_soon: Runs a callback in the next turn of the event loop.
            inboxes: Returns the sessions of a hub that get broadcasts; the result is not changed afterwards.
            overflowed: Called with the bytes added, when they went to a session that has no socket, or whose
                outbox is above its bound even after writing what the socket takes.
            outbox_bytes: The bound on bytes that wait for a slow reader.
        """
        self._call_soon = call_soon
        self._inboxes = inboxes
        self._overflowed = overflowed
        self._outbox_bytes = outbox_bytes
        self._dirty: deque[Session] = deque()
        self._broadcasts: deque[_Broadcast] = deque()
        self._scheduled = False
        self.sent = 0

    def send(self, sessions: Iterable[Session], message: Message) -> None:
        """Put ``message`` on its way to some user's sessions."""
        messages = (message,)
        for session in sessions:
            self.sent += 1
            self._put(session, messages, message.size)
        self._schedule()

    def broadcast(self, hub: str, message: Message) -> None:
        """Put ``message`` on its way to every inbox session of ``hub``; broadcasts of a hub keep their order."""
        last = self._broadcasts[-1] if self._broadcasts else None
        if last is not None and last.hub == hub and last.sessions is None:
            last.messages.append(message)
        else:
            self._broadcasts.append(_Broadcast(hub, message))
            self._schedule()

    def flush_soon(self, session: Session) -> None:
        """Write what waits for ``session`` at the end of this turn."""
        if not session.dirty:
            session.dirty = True
            self._dirty.append(session)
            self._schedule()

    def _put(self, session: Session, messages: Sequence[Message], size: int) -> None:
        """Let messages wait, and see that what waits stays within its bound (I6)."""
        if session.ended:
            return
        session.put(messages, size)
        if session.socket is not None and session.waiting > self._outbox_bytes:
            session.socket.flush()
        if session.socket is None or session.waiting > self._outbox_bytes:
            self._overflowed(session, size)
        elif session.sink is not None and not session.dirty:
            session.dirty = True
            self._dirty.append(session)

    def _schedule(self) -> None:
        if not self._scheduled and (self._dirty or self._broadcasts):
            self._scheduled = True
            self._call_soon(self._turn)

    def _turn(self) -> None:
        """Do one slice of the work, and come back for the rest."""
        try:
            if self._broadcasts:
                self._write_slice()
            dirty = self._dirty
            for _ in range(min(len(dirty), SOCKETS_PER_TURN)):
                session = dirty.popleft()
                session.dirty = False
                if session.socket is not None:
                    session.socket.flush()
        finally:
            self._scheduled = False
            self._schedule()

    def _write_slice(self) -> None:
        """Write the oldest broadcast to its next few hundred sessions."""
        broadcast = self._broadcasts[0]
        sessions = broadcast.sessions
        if sessions is None:
            sessions = broadcast.sessions = self._inboxes(broadcast.hub)
        start = broadcast.start
        stop = broadcast.start = start + SOCKETS_PER_TURN
        if stop >= len(sessions):
            self._broadcasts.popleft()
        self._write_to(sessions[start:stop], tuple(broadcast.messages))

    def _write_to(self, sessions: Sequence[Session], messages: Sequence[Message]) -> None:
        """Write to whoever can take it at once; for the others it waits."""
        size = sum(message.size for message in messages)
        self.sent += len(sessions) * len(messages)
        for session in write_at_once(sessions, messages, size):
            self._put(session, messages, size)
