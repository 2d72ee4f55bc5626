"""Streams to groups: what one connection says in numbered parts, each taken once and in order.

The members of the group get each part as a message that is marked with the stream and its number, and one at the end.
The publisher gets an acknowledgement of each part.  A stream lives as long as its connection, recoveries included, and
ends when nothing of it came for its idle timeout.

Source:  https://github.com/Azure/azure-webpubsub/blob/main/protocols/client/client-spec.md section 3.6 (a preview)
Bound:   100 streams per connection.
"""

from collections.abc import Callable
from typing import Final

from tocsin.realtime.answers import Answers
from tocsin.realtime.everywhere import Everywhere
from tocsin.realtime.message import Message, StreamFault, StreamMark
from tocsin.realtime.request import AckError, Request
from tocsin.realtime.session import Session
from tocsin.realtime.settings import LONGEST_S
from tocsin.realtime.wheel import Wheel

MAX_STREAMS: Final = 100
_IDLE_MS: Final = 300_000
_LONGEST_IDLE_MS: Final = 2**32 - 1
_BAD_REQUEST: Final = "BadRequest"
_CANCELLED: Final = StreamFault("Cancelled", "The publisher's connection has ended.")
_IDLE: Final = StreamFault("IdleTimeout", "Nothing of the stream came for its idle timeout.")
_NOT_FOUND: Final = StreamFault("StreamNotFound", "There is no such stream on this connection.")
_END: Final = Request(type="streamend")


class _Stream:
    """A stream that goes on; ``expected`` is the number of the part that has to come."""

    __slots__ = (
        "_look",
        "active_s",
        "expected",
        "group",
        "id",
        "idle_s",
        "no_echo",
        "session",
        "wheel_slot",
    )

    def __init__(
        self, session: Session, request: Request, look: Callable[["_Stream", float], None]
    ) -> None:
        self.session = session
        self.id = request.need_stream()
        self.group = request.need_group()
        self.no_echo = request.no_echo
        self.idle_s = (request.idle_timeout_ms or _IDLE_MS) / 1000
        self.expected = 1
        self.active_s = 0.0
        self.wheel_slot = -1
        self._look = look

    def on_time(self, now_s: float) -> None:
        """See whether it has been idle for too long."""
        self._look(self, now_s)

    def is_begun_by(self, request: Request) -> bool:
        """Whether this is the request that began it, once more: nothing else has come since."""
        return self.expected == 1 and self.group == request.group

    def forbidden(self) -> StreamFault | None:
        """Return why the publisher may not go on; a grant can be taken back at any time."""
        return _forbidden(self.session, self.group)

    def hears_parts(self, session: Session) -> bool:
        """Whether a member of the group is told the stream's parts."""
        return not self.no_echo or session is not self.session

    def hears_end(self, session: Session) -> bool:
        """Whether a member is told the stream's end, too: plain clients know data only."""
        return session.dialect.codec is not None and self.hears_parts(session)


class Streams:
    """The streams of all connections, by connection and id."""

    def __init__(
        self, everywhere: Everywhere, answers: Answers, wheel: Wheel, now_s: Callable[[], float]
    ) -> None:
        self._everywhere = everywhere
        self._answers = answers
        self._wheel = wheel
        self._now_s = now_s
        self._of: dict[Session, dict[str, _Stream]] = {}

    def has_published(self, session: Session) -> bool:
        """Whether a connection has ever begun a stream."""
        return session in self._of

    def begin(self, session: Session, request: Request) -> None:
        """Begin a stream, and tell its publisher that the first part may come, or why not."""
        known = self._of.get(session, {})
        stream = known.get(request.need_stream())
        if stream is None or not stream.is_begun_by(request):
            fault = _refusal(session, request, known)
            if fault is not None:
                self._tell_closed(session, request.need_stream(), fault)
                return
            stream = _Stream(session, request, self._look)
            self._of.setdefault(session, known)[stream.id] = stream
        self._keep(stream)
        self._tell_expected(stream)

    def take(self, session: Session, request: Request) -> None:
        """Take a part of a stream, or only its sign of life; what came before is acknowledged again."""
        stream = self._find(session, request)
        if stream is None:
            return
        fault = stream.forbidden()
        if fault is not None:
            self._close(stream, fault, fault)
            return
        self._keep(stream)
        number = request.stream_number
        if not number:
            return
        if number > stream.expected:
            self._refuse(stream, number)
            return
        if number == stream.expected:
            # Without a filter parts that wait together are written together.
            where = stream.hears_parts if stream.no_echo else None
            message = _part(stream, request, StreamMark(stream.id, number))
            refusal = self._everywhere.to_group(session.hub, stream.group, message, where)
            if refusal is not None:
                self._close(stream, StreamFault(*refusal), StreamFault(*refusal))
                return
            stream.expected += 1
        self._tell_expected(stream)

    def end(self, session: Session, request: Request) -> None:
        """End a stream as its publisher wants it, perhaps telling what went wrong there."""
        stream = self._find(session, request)
        if stream is not None:
            self._close(stream, request.fault, None)

    def ended(self, session: Session) -> None:
        """Let a connection's streams end with it; nothing happens if it has none."""
        for stream in self._of.pop(session, {}).values():
            self._wheel.cancel(stream)
            self._tell_end(stream, _CANCELLED)

    def _find(self, session: Session, request: Request) -> _Stream | None:
        stream_id = request.need_stream()
        stream = self._of.get(session, {}).get(stream_id)
        if stream is None:
            self._tell_closed(session, stream_id, _NOT_FOUND)
        return stream

    def _keep(self, stream: _Stream) -> None:
        """Take note that a stream is alive; the wheel asks no more often than once in its idle timeout."""
        stream.active_s = self._now_s()
        if stream.wheel_slot < 0:
            self._wheel.schedule(stream, stream.active_s, min(stream.idle_s, LONGEST_S))

    def _look(self, stream: _Stream, now_s: float) -> None:
        left_s = stream.active_s + stream.idle_s - now_s
        if left_s > 0:
            self._wheel.schedule(stream, now_s, min(left_s, LONGEST_S))
        else:
            self._close(stream, _IDLE, _IDLE)

    def _close(
        self, stream: _Stream, heard: StreamFault | None, answered: StreamFault | None
    ) -> None:
        """End a stream; ``heard`` is what its readers are told, ``answered`` its publisher."""
        self._wheel.cancel(stream)
        del self._of[stream.session][stream.id]
        self._tell_end(stream, heard)
        self._tell_closed(stream.session, stream.id, answered)

    def _tell_end(self, stream: _Stream, fault: StreamFault | None) -> None:
        mark = StreamMark(stream.id, stream.expected, ended=True, fault=fault)
        hub, group, message = stream.session.hub, stream.group, _part(stream, _END, mark)
        if self._everywhere.to_group(hub, group, message, stream.hears_end) is not None:
            # Readers of other gateways are left without an end; those of this one need not be.
            self._everywhere.to_group_here(hub, group, message, stream.hears_end)

    def _refuse(self, stream: _Stream, number: int) -> None:
        text = f"The part {number} came, and {stream.expected} has to come."
        error = AckError("InvalidSequenceId", text)
        codec = stream.session.dialect.codec
        if codec is not None:
            frame = codec.stream_refused(stream.id, stream.expected, error)
            self._answers.answer(stream.session, frame)

    def _tell_expected(self, stream: _Stream) -> None:
        codec = stream.session.dialect.codec
        if codec is not None:
            self._answers.answer(stream.session, codec.stream_acked(stream.id, stream.expected))

    def _tell_closed(self, session: Session, stream_id: str, fault: StreamFault | None) -> None:
        codec = session.dialect.codec
        if codec is not None:
            self._answers.answer(session, codec.stream_closed(stream_id, fault))


def _part(stream: _Stream, part: Request, mark: StreamMark) -> Message:
    return Message(
        part.data,
        data_type=part.data_type,
        group=stream.group,
        sender=stream.session.user,
        stream=mark,
    )


def _refusal(session: Session, request: Request, known: dict[str, _Stream]) -> StreamFault | None:
    """Return why a stream cannot begin, if it cannot."""
    idle_ms = request.idle_timeout_ms
    if idle_ms is not None and not 0 < idle_ms <= _LONGEST_IDLE_MS:
        text = f"idleTimeoutMs is {idle_ms}; 1 to {_LONGEST_IDLE_MS} are possible."
        return StreamFault(_BAD_REQUEST, text)
    if request.stream_id in known:
        return StreamFault(_BAD_REQUEST, f"The stream {request.stream_id!r} goes on already.")
    if len(known) >= MAX_STREAMS:
        text = f"The connection has {MAX_STREAMS} streams; end one of them first."
        return StreamFault(_BAD_REQUEST, text)
    return _forbidden(session, request.need_group())


def _forbidden(session: Session, group: str) -> StreamFault | None:
    refusal = session.rights.refusal("sendToGroup", group, "send to")
    return None if refusal is None else StreamFault(*refusal)
