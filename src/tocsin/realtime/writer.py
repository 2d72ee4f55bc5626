"""From messages to sockets, a few hundred per turn of the event loop.

Nothing is written when it is sent, but at the end of the turn: all that came for a session meanwhile leaves in one write.
Between the slices of a large fan-out the loop runs, so handshakes and other people's alerts go on (I7).

The messages of a spread go past the outboxes of all that have nothing waiting (:func:`write_at_once`).
"""

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Final

from tocsin.realtime.message import Message
from tocsin.realtime.session import Session
from tocsin.realtime.spread import Steps, write_at_once

SOCKETS_PER_TURN: Final = 256
# To fewer of them what is large: the kernel copies, or zlib compresses, every byte for each.
BYTES_PER_TURN: Final = 4 * 2**20


class _Spread:
    """Messages on their way to many; who they are is asked when the writing begins.

    ``name`` is None for those that are on their own: nothing more joins them.  ``steps`` is None until the writing begins.
    """

    __slots__ = (
        "_audience",
        "_per_turn",
        "_sessions",
        "_start",
        "_where",
        "messages",
        "name",
        "steps",
    )

    def __init__(
        self,
        name: Hashable | None,
        audience: Callable[[], Sequence[Session]],
        message: Message,
        where: Callable[[Session], bool] | None,
    ) -> None:
        self.name = name
        self.messages = [message]
        self.steps: Steps | None = None
        self._audience = audience
        self._where = where
        self._sessions: Sequence[Session] = ()
        self._start = 0
        self._per_turn = SOCKETS_PER_TURN

    def begin(self) -> Steps:
        """Ask who they are; from now on nothing joins."""
        self._sessions = self._audience()
        self.steps = Steps(self.messages)
        self._per_turn = max(1, min(SOCKETS_PER_TURN, BYTES_PER_TURN // self.steps.size))
        return self.steps

    def next_slice(self) -> Sequence[Session]:
        """Return the next few hundred of them, fewer if there is much to write to each."""
        start, self._start = self._start, self._start + self._per_turn
        some = self._sessions[start : self._start]
        return some if self._where is None else list(filter(self._where, some))

    @property
    def is_over(self) -> bool:
        """Whether there was a slice for each of them."""
        return self._start >= len(self._sessions)


class Writer:
    """Sends messages to sessions and writes what waits."""

    def __init__(
        self,
        *,
        call_soon: Callable[[Callable[[], None]], object],
        overflowed: Callable[[Session, int], None],
        outbox_bytes: int,
    ) -> None:
        """Make a writer.

        Args:
            call_soon: Runs a callback in the next turn of the event loop.
            overflowed: Called with the bytes added, when they went to a session that has no socket, or that is behind
                even after writing what the socket takes.
            outbox_bytes: So much may wait for a slow reader; for a reliable one, whatever is kept for its recovery.
        """
        self._call_soon = call_soon
        self._overflowed = overflowed
        self._outbox_bytes = outbox_bytes
        self._dirty: deque[Session] = deque()
        self._spreads: deque[_Spread] = deque()
        self._scheduled = False
        self.sent = 0

    def send(self, sessions: Iterable[Session], message: Message) -> None:
        """Put ``message`` on its way to some user's sessions."""
        messages = (message,)
        for session in sessions:
            self.sent += 1
            self._put(session, messages, message.size)
        self._schedule()

    def spread(
        self,
        name: Hashable | None,
        audience: Callable[[], Sequence[Session]],
        message: Message,
        where: Callable[[Session], bool] | None = None,
    ) -> None:
        """Put ``message`` on its way to many sessions, in slices; spreads keep their order.

        Args:
            name: Messages for the same name that wait together are written together; None joins with nothing.
            audience: Returns the sessions when the writing begins; the result is not changed afterwards.
            message: What they get.
            where: Picks among them, asked when a session's slice is written.
        """
        last = self._spreads[-1] if self._spreads else None
        if name is not None and last is not None and last.name == name and last.steps is None:
            last.messages.append(message)
        else:
            self._spreads.append(_Spread(name, audience, message, where))
            self._schedule()

    @property
    def is_spreading(self) -> bool:
        """Whether something is on its way to many; what is sent now could overtake it."""
        return bool(self._spreads)

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
        if session.socket is None or session.is_behind(self._outbox_bytes):
            self._overflowed(session, size)
        elif session.sink is not None and not session.dirty:
            session.dirty = True
            self._dirty.append(session)

    def _schedule(self) -> None:
        if not self._scheduled and (self._dirty or self._spreads):
            self._scheduled = True
            self._call_soon(self._turn)

    def _turn(self) -> None:
        """Do one slice of the work, and come back for the rest."""
        try:
            if self._spreads:
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
        """Write the oldest spread to its next few hundred sessions."""
        spread = self._spreads[0]
        steps = spread.steps or spread.begin()
        some = spread.next_slice()
        if spread.is_over:
            self._spreads.popleft()
        self.sent += len(some) * len(steps.messages)
        for session in write_at_once(some, steps):
            self._put(session, steps.messages, steps.size)
