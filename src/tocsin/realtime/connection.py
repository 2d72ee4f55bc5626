"""One socket: frames in, frames out, straight on the transport and outside ASGI.

The transport writes at once what the kernel takes.  What it does not take stops the writing (``pause_writing``), and from
then on messages gather in the session's outbox until the transport is empty again; then all of them leave in one write.
"""

import asyncio
from typing import Final, Protocol

from tocsin.realtime.deflate import DeflatingSink, Terms, inflate
from tocsin.realtime.direct import direct_sink, is_encrypted
from tocsin.realtime.frames import (
    CLOSE,
    CLOSE_NO_STATUS,
    CLOSE_NORMAL,
    CLOSE_POLICY,
    PING,
    PONG,
    FrameReader,
    close_code,
    encode_close,
    encode_frame,
)
from tocsin.realtime.session import Session
from tocsin.realtime.settings import GatewaySettings
from tocsin.realtime.sink import Sink
from tocsin.realtime.wheel import Wheel

# One write: large enough for a burst, small enough that a slow reader's share stays in the outbox.
_WRITE_BYTES: Final = 256 * 1024
# Pongs and acknowledgements that wait for a slow reader.
_ANSWER_BYTES: Final = 64 * 1024
_ROUNDING_S: Final = 1e-6
_PING_FRAME: Final = encode_frame(PING, b"")
# After these the client does not come back for its session (RFC 6455 section 7.4.1; 1005 is "no status").
_FINAL_CODES: Final = frozenset({CLOSE_NORMAL, CLOSE_NO_STATUS})


class Keeper(Protocol):
    """What a connection needs of the gateway that keeps it."""

    settings: GatewaySettings
    wheel: Wheel

    def now_s(self) -> float:
        """Return monotonic seconds."""
        ...

    def received(self, session: Session, opcode: int, payload: bytes) -> None:
        """Handle a data message."""
        ...

    def beat(self, session: Session) -> None:
        """Do what is done for each session once per beat."""
        ...

    def pause_s(self, session: Session) -> float:
        """Return the seconds until the session's next beat."""
        ...

    def ended(self, session: Session, reason: str = "") -> None:
        """Forget a session for good."""
        ...

    def dropped(self, session: Session) -> None:
        """Keep a session without a socket for its recovery, or forget it."""
        ...


class Connection(asyncio.Protocol):
    """The protocol object of one upgraded transport."""

    __slots__ = (
        "_answers",
        "_busy_until_s",
        "_closing",
        "_keeper",
        "_reader",
        "_session_sink",
        "_silent_beats",
        "_sink",
        "_transport",
        "session",
        "wheel_slot",
    )

    def __init__(
        self,
        keeper: Keeper,
        session: Session,
        transport: asyncio.Transport,
        compression: Terms | None = None,
    ) -> None:
        """Attach ``session`` to ``transport``; the caller sets the transport's protocol."""
        self._keeper = keeper
        self._transport = transport
        limit = keeper.settings.message_bytes
        self._reader = FrameReader(limit, None if compression is None else inflate)
        self._sink: Sink = (
            transport if compression is None else DeflatingSink(transport, compression)
        )
        direct = direct_sink(transport) if compression is None else None
        self._session_sink = direct or self._sink
        self._answers: bytearray | None = None
        self._busy_until_s = 0.0
        self._closing = False
        self._silent_beats = 0
        self.session = session
        self.wheel_slot = -1
        session.socket = self
        session.sink = self._session_sink
        # So that it stops as soon as anything is held: TLS pauses at its bound, everything else above it.
        transport.set_write_buffer_limits(high=1 if is_encrypted(transport) else 0)
        if direct is not None and transport.get_write_buffer_size():
            session.sink = None  # until the answer to the handshake has left

    def start_beating(self, delay_s: float) -> None:
        """Begin the beats (ping, position check) after ``delay_s``."""
        self._keeper.wheel.schedule(self, self._keeper.now_s(), delay_s)

    # Reading

    def data_received(self, data: bytes) -> None:
        """Take bytes from the socket."""
        self._silent_beats = 0
        messages = self._reader.feed(data)
        if not self._closing and self._is_too_fast(self._reader.frames):
            self.close(CLOSE_POLICY, "rate-limited")  # of what came only the peer's close counts
        for opcode, payload in messages:
            if opcode == PING:
                self._write_answer(encode_frame(PONG, payload))
            elif opcode == CLOSE:
                self._peer_closed(payload)
            elif opcode != PONG and not self._closing:
                self._keeper.received(self.session, opcode, payload)
        failure = self._reader.failure
        if failure is not None and not self._closing:
            self.close(failure.code, failure.reason)
            # The peer's closing handshake would be among the bytes that are no longer read.  Closing now, with
            # some of them unread, would reset the connection and lose the close frame; an end of stream does not.
            if self._transport.can_write_eof():
                self._transport.write_eof()

    def _is_too_fast(self, count: int) -> bool:
        """Take ``count`` frames out of a bucket that holds what may come in one window.

        Fragments count like messages, for each costs as much; pings too.

        All that is kept of the bucket is when it will be full again.
        """
        settings = self._keeper.settings
        if not settings.messages:
            return False
        now_s = self._keeper.now_s()
        taken_s = count * settings.messages_window_s / settings.messages
        self._busy_until_s = max(self._busy_until_s, now_s) + taken_s
        return self._busy_until_s - now_s > settings.messages_window_s + _ROUNDING_S

    def eof_received(self) -> None:
        """Let the transport close itself: a half-open WebSocket means nothing."""

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's signature
        """Hand the session back, unless another socket has it by now."""
        self._keeper.wheel.cancel(self)
        if not self._closing:
            self._closing = True
            self.session.detach()
            self._keeper.dropped(self.session)

    def _peer_closed(self, payload: bytes) -> None:
        """Answer a close frame; the client comes back for its session unless the code is a final one."""
        code = close_code(payload)
        if not self._closing:
            self._transport.write(encode_close(code))
            self._close_by_deadline()
            session = self.session
            session.detach()
            if code in _FINAL_CODES:
                self._keeper.ended(session)
            else:
                self._keeper.dropped(session)
        self._transport.close()

    # Writing

    def flush(self) -> None:
        """Write what waits: messages first, then answers (an echo comes before its acknowledgement)."""
        session = self.session
        while session.waiting and session.sink is not None:
            messages, first = session.take(_WRITE_BYTES)
            self._sink.write(session.dialect.encode(messages, first, self._keeper.now_s()))
        if self._answers and session.sink is not None:
            answers, self._answers = self._answers, None
            self._sink.write(bytes(answers))

    def write_rest(self, data: bytes) -> None:
        """Let the transport keep what the kernel did not take, or find out that the connection is lost."""
        self._transport.write(data)

    def answer(self, frame: bytes) -> None:
        """Keep ``frame`` for the next flush; too many of them end a connection that does not read."""
        if self._closing:
            return
        if self._answers is None:
            self._answers = bytearray()
        self._answers += frame
        if len(self._answers) > _ANSWER_BYTES:
            self.flush()
            if self._answers:
                self.close(CLOSE_POLICY, "slow-consumer")

    def pause_writing(self) -> None:
        """Stop: the kernel's buffer is full."""
        if not self._closing:
            self.session.sink = None

    def resume_writing(self) -> None:
        """Go on: everything was taken."""
        if not self._closing:
            self.session.sink = self._session_sink
            self.flush()

    def _write_answer(self, frame: bytes) -> None:
        """Write at once if the peer reads; answers of a slow one wait with the others."""
        if self.session.sink is None:
            self.answer(frame)
        else:
            self._sink.write(frame)

    # Ending

    def close(self, code: int, reason: str) -> None:
        """End socket and session with a close frame; the peer has a few seconds to answer it."""
        if self._closing:
            return
        self._transport.write(encode_close(code, reason))
        self._close_by_deadline()
        self.session.detach()
        self._keeper.ended(self.session, reason)

    def abort(self) -> None:
        """End the socket at once, for a newer one."""
        self._closing = True
        self._transport.abort()

    def _close_by_deadline(self) -> None:
        self._closing = True
        self._keeper.wheel.schedule(self, self._keeper.now_s(), self._keeper.settings.close_s)

    def on_time(self, now_s: float) -> None:
        """Beat: ping the peer, or cut it off when it was silent for too long or does not finish closing."""
        keeper = self._keeper
        beat_s = keeper.settings.beat_s
        if self._closing or self._silent_beats * beat_s >= keeper.settings.idle_s:
            self._transport.abort()
            return
        self._silent_beats += 1
        keeper.wheel.schedule(self, now_s, keeper.pause_s(self.session))
        self._write_answer(_PING_FRAME)
        keeper.beat(self.session)
