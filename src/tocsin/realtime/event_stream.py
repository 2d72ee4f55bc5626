"""One session over Server-Sent Events: the frames of the sockets, as text that ``EventSource`` and curl read.

To the gateway it is a session's socket.  What is written waits here, one chunk at most, until the HTTP side takes it;
meanwhile the session has no ``write``, so everything else waits in its outbox, whose bound ends a reader that is
too slow (I6).

The id of each event is the position that a client has reached which applied every event so far.  It moves on only in
step: after a frame that was lost it stays, so that whoever comes back with it gets what is missing.

Source:  https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
from typing import Final

import msgspec

from tocsin.model.position import Position
from tocsin.realtime.connection import Keeper
from tocsin.realtime.session import Session

_CHUNK_BYTES: Final = 64 * 1024
_HEARTBEAT: Final = b":\n\n"
_RETRY: Final = "retry-after-ms="


class _Numbers(msgspec.Struct):
    """What of a frame tells where it stands; the rest is skipped."""

    kind: str = ""
    epoch: str = ""
    rev: int = -1
    brev: int = -1


_read_numbers = msgspec.json.Decoder(_Numbers).decode


class EventStream:
    """Chunks of ``text/event-stream``, to be iterated over once; it ends with its session."""

    def __init__(self, keeper: Keeper, session: Session) -> None:
        """Attach ``session``; nothing leaves before :meth:`begin`."""
        self._keeper = keeper
        self.session = session
        self._position: Position | None = None
        self._chunk = b""
        self._begun = False
        self._ended = False
        self._wake = asyncio.Event()
        self.wheel_slot = -1
        session.socket = self

    def begin(self, delay_s: float) -> None:
        """Let frames out, and begin the beats after ``delay_s``."""
        if not self._ended:
            self._begun = True
            self._keeper.wheel.schedule(self, self._keeper.now_s(), delay_s)
            self._take_more()

    def answer_position(self, event: str, data: bytes, position: Position) -> None:
        """Put an event in front that brings the client to ``position``; call it before :meth:`begin`."""
        session = self.session
        session.epoch = position.epoch
        session.rev = max(session.rev, position.rev)
        session.brev = max(session.brev, position.brev)
        session.head_at_s = self._keeper.now_s()
        self._position = position
        self._chunk += b"event: %b\n" % event.encode() + self._event(data)

    # For the HTTP side

    def __aiter__(self) -> "EventStream":
        """Return itself."""
        return self

    async def __anext__(self) -> bytes:
        """Wait for a chunk; what was taken before has been sent by now."""
        self._take_more()
        while not self._chunk:
            if self._ended:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        chunk, self._chunk = self._chunk, b""
        return chunk

    async def aclose(self) -> None:
        """End the session: the client is gone, or everything was said."""
        self._finish()

    def _take_more(self) -> None:
        if self._begun and not self._ended and not self._chunk:
            self.session.sink = self
            self.flush()

    # For the gateway

    def write(self, data: bytes) -> None:
        """Take frames, a line each, and nothing more until they have left."""
        self.session.sink = None
        self._chunk += b"".join([self._frame(line) for line in data.splitlines()])
        self._wake.set()

    def flush(self) -> None:
        """Take what waits in the outbox, as far as there is room."""
        session = self.session
        while session.waiting and session.sink is not None:
            messages, first = session.take(_CHUNK_BYTES)
            self.write(session.dialect.encode(messages, first))

    def write_rest(self, data: bytes) -> None:
        """Do nothing: all that is written is taken."""

    def answer(self, frame: bytes) -> None:
        """Do nothing: answers are for requests, and a stream takes none."""

    def close(self, code: int, reason: str) -> None:
        """End with an event that says why, and how long to stay away if that is known."""
        if not self._ended:
            retry = reason.removeprefix(_RETRY) if reason.startswith(_RETRY) else ""
            said = msgspec.json.encode({"code": code, "reason": reason})
            pause = b"retry: %b\n" % retry.encode() if retry else b""
            self._chunk += b"event: end\n%bdata: %b\n\n" % (pause, said)
            self._finish()

    def abort(self) -> None:
        """End at once, without a word."""
        self._chunk = b""
        self._finish()

    def on_time(self, now_s: float) -> None:
        """Beat: show that the line is alive, and have the position compared."""
        keeper = self._keeper
        keeper.wheel.schedule(self, now_s, keeper.pause_s(self.session))
        if not self._chunk:
            self._chunk = _HEARTBEAT
            self.session.sink = None
            self._wake.set()
        keeper.beat(self.session)

    def _finish(self) -> None:
        if not self._ended:
            self._ended = True
            self._keeper.wheel.cancel(self)
            self.session.detach()
            self._keeper.ended(self.session)
            self._wake.set()

    # The text

    def _frame(self, line: bytes) -> bytes:
        """Encode a frame; nothing for one that the client has already."""
        frame, at = _read_numbers(line), self._position
        if at is None:
            if frame.kind == "head":
                self._position = Position(frame.epoch, frame.rev, frame.brev)
        elif frame.epoch == at.epoch and frame.kind == "inbox":
            if frame.rev <= at.rev:
                return b""
            if frame.rev == at.rev + 1:
                self._position = Position(at.epoch, frame.rev, at.brev)
        elif frame.epoch == at.epoch and frame.kind == "broadcast":
            if frame.brev <= at.brev:
                return b""
            if frame.brev == at.brev + 1:
                self._position = Position(at.epoch, at.rev, frame.brev)
        return self._event(line)

    def _event(self, data: bytes) -> bytes:
        at = b"" if self._position is None else b"id: %b\n" % str(self._position).encode()
        return b"%bdata: %b\n\n" % (at, data)
