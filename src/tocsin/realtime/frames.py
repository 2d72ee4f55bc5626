"""WebSocket frames (RFC 6455) as bytes in and messages out; no I/O.

A reader is fed whatever the socket gave, cut anywhere, and returns whole messages: text and binary put together from
their fragments, and control frames as they come between.  A peer that breaks the rules ends the stream: ``failure``
then holds the close code to answer with, and further bytes are ignored.

Units:   sizes in bytes.
Bound:   what is held for an unfinished message is at most ``limit`` plus what one call of ``feed`` brought.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

CLOSE_NORMAL: Final = 1000
CLOSE_GOING_AWAY: Final = 1001
CLOSE_PROTOCOL_ERROR: Final = 1002
CLOSE_UNSUPPORTED: Final = 1003
CLOSE_NO_STATUS: Final = 1005
CLOSE_INVALID_DATA: Final = 1007
CLOSE_POLICY: Final = 1008
CLOSE_TOO_BIG: Final = 1009
CLOSE_INTERNAL: Final = 1011

COMPRESSED: Final = 0x40  # of a first byte: the message is compressed (RFC 7692)
CONTROL: Final = 0x8  # of an opcode

_FINAL: Final = 0x80
_RESERVED: Final = 0x70
_MASKED: Final = 0x80
_MAX_CONTROL: Final = 125
_LENGTH_16: Final = 126
_LENGTH_64: Final = 127
_MAX_16: Final = 0xFFFF
_OPCODES: Final = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})
# RFC 6455 section 7.4: what a peer may send.  1004 to 1006 and 1015 are never on the wire.
_CLOSE_CODES: Final = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})


class Failure(NamedTuple):
    """Why the peer's bytes are no longer read: the close code and reason to send."""

    code: int
    reason: str


class FrameError(Exception):
    """The peer broke the framing rules; carries the :class:`Failure`."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.failure = Failure(code, reason)


def encode_frame(opcode: int, payload: bytes) -> bytes:
    """Return one unmasked, unfragmented frame, as a server sends it."""
    return frame_head(opcode, len(payload)) + payload


def frame_head(opcode: int, size: int) -> bytes:
    """Return the 2 to 10 bytes in front of a server's payload of ``size`` bytes."""
    if size <= _MAX_CONTROL:
        return bytes((_FINAL | opcode, size))
    if size <= _MAX_16:
        return struct.pack("!BBH", _FINAL | opcode, _LENGTH_16, size)
    return struct.pack("!BBQ", _FINAL | opcode, _LENGTH_64, size)


def encode_close(code: int, reason: str = "") -> bytes:
    """Return a close frame.  ``code`` 1005 (no status) is written as an empty one."""
    if code == CLOSE_NO_STATUS:
        return encode_frame(CLOSE, b"")
    text = reason.encode()[: _MAX_CONTROL - 2].decode(errors="ignore").encode()
    return encode_frame(CLOSE, code.to_bytes(2) + text)


def frames_in(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Take whole frames of a server apart: the first byte of each, the frame, and where its payload begins."""
    at = 0
    while at < len(data):
        size, payload_at = data[at + 1], 2
        if size >= _LENGTH_16:
            payload_at += 2 if size == _LENGTH_16 else 8
            size = int.from_bytes(data[at + 2 : at + payload_at])
        end = at + payload_at + size
        yield data[at], data[at:end], payload_at
        at = end


def close_code(payload: bytes) -> int:
    """Return the code of a close frame that a reader let through; 1005 if it has none."""
    return int.from_bytes(payload[:2]) if payload else CLOSE_NO_STATUS


def _unmask(data: bytes, at: int, size: int) -> bytes:
    """Return the ``size`` bytes after the four of the mask at ``at``, unmasked.

    One exclusive-or of two long integers; byte by byte would take a hundred times as long.
    """
    start = at + 4
    mask = (data[at:start] * (size // 4 + 1))[:size]
    value = int.from_bytes(data[start : start + size], "little") ^ int.from_bytes(mask, "little")
    return value.to_bytes(size, "little")


def _long_size(field: bytes) -> int:
    """Read a length of 2 or 8 bytes, which must not fit into a shorter one."""
    size = int.from_bytes(field)
    if size < _LENGTH_16 or (len(field) > 2 and size <= _MAX_16):  # noqa: PLR2004 -- bytes of the short field
        raise FrameError(CLOSE_PROTOCOL_ERROR, "length not in its shortest form")
    return size


Inflate = Callable[[bytes, int], bytes]


class FrameReader:
    """Reads what one client sends; ``frames`` are those that the last call of ``feed`` took."""

    __slots__ = ("_inflate", "_limit", "_message", "_need", "_opcode", "_rest", "failure", "frames")

    def __init__(self, limit: int, inflate: Inflate | None = None) -> None:
        """Refuse messages above ``limit`` bytes with 1009.

        With ``inflate`` they may be compressed; it turns such a message into one of at most ``limit`` bytes.
        """
        self._limit = limit
        self._inflate = inflate
        self._rest: bytearray | None = None  # the start of a frame that is not here whole
        self._need = 0  # with fewer bytes than this in ``_rest``, looking again is useless
        self._opcode = 0  # of the fragmented message under way, perhaps with COMPRESSED, or 0
        self._message: bytearray | None = None
        self.frames = 0
        self.failure: Failure | None = None

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Take bytes and return the messages they complete, as ``(opcode, payload)`` in order.

        Messages in front of an offence are returned; then ``failure`` is set.
        """
        self.frames = 0
        rest = self._rest
        if rest is not None:
            rest += data
            if len(rest) < self._need:
                return []
            data = bytes(rest)
            self._rest = None
        messages: list[tuple[int, bytes]] = []
        if self.failure is None:
            try:
                at = self._read_frames(data, messages)
            except FrameError as error:
                self.failure = error.failure
                self._message = None
            else:
                if at < len(data):
                    self._rest = bytearray(data[at:])
        return messages

    def _read_frames(self, data: bytes, messages: list[tuple[int, bytes]]) -> int:
        """Read all whole frames and return where the unfinished one begins."""
        at, end = 0, len(data)
        while at < end:
            measured = self._measure(data, at)
            if measured is None:
                return at
            mask_at, size = measured
            after = mask_at + 4 + size
            if after > end:
                self._need = after - at
                return at
            self.frames += 1
            payload = _unmask(data, mask_at, size) if size else b""
            message = self._accept(data[at], payload)
            if message is not None:
                messages.append(message)
            at = after
        return at

    def _measure(self, data: bytes, at: int) -> tuple[int, int] | None:
        """Check a frame's head; return where its mask is and the payload's size, or None if it is not here."""
        self._need = 2
        if len(data) - at < self._need:
            return None
        first, second = data[at], data[at + 1]
        self._check_head(first, second)
        size, mask_at = second & 0x7F, at + 2
        if size >= _LENGTH_16:
            mask_at += 2 if size == _LENGTH_16 else 8
            self._need = mask_at - at
            if len(data) < mask_at:
                return None
            size = _long_size(data[at + 2 : mask_at])
        if not first & CONTROL:
            self._check_size(size)
        return mask_at, size

    def _check_head(self, first: int, second: int) -> None:
        opcode = first & 0x0F
        if opcode not in _OPCODES or (first & _RESERVED and not self._may_be_compressed(first)):
            raise FrameError(CLOSE_PROTOCOL_ERROR, "reserved bit or opcode")
        if not second & _MASKED:
            raise FrameError(CLOSE_PROTOCOL_ERROR, "client frames must be masked")
        if opcode & CONTROL:
            if not first & _FINAL or second & 0x7F > _MAX_CONTROL:
                raise FrameError(CLOSE_PROTOCOL_ERROR, "control frame fragmented or above 125 B")
        elif (opcode == CONTINUATION) != (self._opcode != 0):
            raise FrameError(CLOSE_PROTOCOL_ERROR, "fragments out of order")

    def _may_be_compressed(self, first: int) -> bool:
        """Whether these are the reserved bits of a compressed message's first frame, where that was agreed on."""
        is_one = first & _RESERVED == COMPRESSED and first & 0x0F in (TEXT, BINARY)
        return is_one and self._inflate is not None

    def _check_size(self, size: int) -> None:
        held = 0 if self._message is None else len(self._message)
        if held + size > self._limit:
            raise FrameError(CLOSE_TOO_BIG, f"message above {self._limit} B")

    def _accept(self, first: int, payload: bytes) -> tuple[int, bytes] | None:
        """Take one whole frame; return the message it completes, if any."""
        opcode = first & 0x0F
        if opcode & CONTROL:
            if opcode == CLOSE:
                _check_close(payload)
            return opcode, payload
        if first & _FINAL and self._message is None:
            return self._complete(first & ~_FINAL, payload)
        if self._message is None:
            self._message, self._opcode = bytearray(payload), first
        else:
            self._message += payload
        if not first & _FINAL:
            return None
        whole, opcode = bytes(self._message), self._opcode
        self._message, self._opcode = None, 0
        return self._complete(opcode, whole)

    def _complete(self, opcode: int, payload: bytes) -> tuple[int, bytes]:
        if opcode & COMPRESSED and self._inflate is not None:
            opcode, payload = opcode & ~COMPRESSED, self._inflate(payload, self._limit)
        if opcode == TEXT and not payload.isascii():
            _check_utf8(payload)
        return opcode, payload


def _check_utf8(text: bytes) -> None:
    try:
        text.decode()
    except UnicodeDecodeError:
        raise FrameError(CLOSE_INVALID_DATA, "text is not UTF-8") from None


def _check_close(payload: bytes) -> None:
    if not payload:
        return
    if len(payload) == 1 or int.from_bytes(payload[:2]) not in _CLOSE_CODES:
        raise FrameError(CLOSE_PROTOCOL_ERROR, "invalid close code")
    _check_utf8(payload[2:])
