"""permessage-deflate (RFC 7692): what is agreed on, and the two directions; no I/O.

Neither side keeps a window between messages (no context takeover), so a connection holds no compression state: a
message costs its time, and nothing afterwards.

So what many are sent with the same frames is compressed once (I7).

Bound (I6):  a message inflates to at most the reader's limit, whatever its ratio; not one byte more is made.
"""

import re
import zlib
from functools import lru_cache
from typing import Final, NamedTuple

from tocsin.realtime.frames import (
    CLOSE_INVALID_DATA,
    CLOSE_TOO_BIG,
    COMPRESSED,
    CONTROL,
    FrameError,
    frame_head,
    frames_in,
)
from tocsin.realtime.sink import Sink

_NAME: Final = "permessage-deflate"
_WITHOUT_VALUE: Final = frozenset(("server_no_context_takeover", "client_no_context_takeover"))
_BITS: Final = re.compile('"?([89]|1[0-5])"?')
_LARGEST_WINDOW: Final = 15
# zlib makes no window of 8 bits.
_SMALLEST_WINDOW: Final = 9
# What ends each message's data, and is left out on the wire.
_TAIL: Final = b"\x00\x00\xff\xff"
# After a final block an empty one may stand, of which the peer leaves the tail out.
_NOTHING_MORE: Final = frozenset((_TAIL, b"\x00" + _TAIL))
# The least effort: most of the gain for a third of the time.
_LEVEL: Final = 1
# A smaller message hardly shrinks.
_WORTHWHILE_BYTES: Final = 128
# What was written last, with what became of it; of a spread there are as many as it has dialects, most often.
_KNOWN_WRITES: Final = 8


class Terms(NamedTuple):
    """What was agreed on: the window of what the server sends, as a power of two."""

    window_bits: int = _LARGEST_WINDOW

    @property
    def answer(self) -> str:
        """The value of the answer's ``Sec-WebSocket-Extensions``."""
        bits = self.window_bits
        window = "" if bits == _LARGEST_WINDOW else f"; server_max_window_bits={bits}"
        return f"{_NAME}; server_no_context_takeover; client_no_context_takeover{window}"


def negotiate(offers: str) -> Terms | None:
    """Return the terms of the first offer that can be taken, None if none can."""
    for offer in offers.split(","):
        name, *parameters = (part.strip() for part in offer.split(";"))
        if name == _NAME:
            terms = _terms(parameters)
            if terms is not None:
                return terms
    return None


def _terms(parameters: list[str]) -> Terms | None:
    """Read one offer; one with a parameter that is unknown, doubled or out of range is declined."""
    seen: set[str] = set()
    bits = _LARGEST_WINDOW
    for parameter in parameters:
        name, equals, value = (part.strip() for part in parameter.partition("="))
        number = _BITS.fullmatch(value)
        if name in seen:
            return None
        seen.add(name)
        if name == "server_max_window_bits" and number is not None:
            bits = int(number[1])
        elif name == "client_max_window_bits":
            # Ours inflates whatever window the client takes.
            if equals and number is None:
                return None
        elif name not in _WITHOUT_VALUE or equals:
            return None
    return Terms(bits) if bits >= _SMALLEST_WINDOW else None


def inflate(data: bytes, limit: int) -> bytes:
    """Return the message that ``data`` is, of at most ``limit`` bytes.

    Raises:
        FrameError: It is longer (1009), or no compressed data (1007).
    """
    stream = zlib.decompressobj(-_LARGEST_WINDOW)
    try:
        message = stream.decompress(data + _TAIL, limit + 1)
    except zlib.error:
        raise FrameError(CLOSE_INVALID_DATA, "compressed data cannot be read") from None
    if len(message) > limit:
        raise FrameError(CLOSE_TOO_BIG, f"message above {limit} B")
    if stream.eof and stream.unused_data not in _NOTHING_MORE:
        raise FrameError(CLOSE_INVALID_DATA, "data after the end of the compressed message")
    return message


def deflate(message: bytes, window_bits: int) -> bytes:
    """Return ``message`` compressed, as it stands in a frame."""
    stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, -window_bits)
    return (stream.compress(message) + stream.flush(zlib.Z_SYNC_FLUSH)).removesuffix(_TAIL)


class DeflatingSink:
    """Compresses the data frames on their way to a transport; what would not shrink goes as it is."""

    __slots__ = ("_sink", "_window_bits")

    def __init__(self, sink: Sink, terms: Terms) -> None:
        self._sink = sink
        self._window_bits = terms.window_bits

    def write(self, data: bytes) -> None:
        """Take whole frames of the server."""
        self._sink.write(_shrunk(data, self._window_bits))


# By identity: a spread gives the same bytes to all who are in step, and their hash is taken once.
@lru_cache(_KNOWN_WRITES)
def _shrunk(data: bytes, window_bits: int) -> bytes:
    """Return frames with those compressed that get smaller by it."""
    return b"".join([_frame(*found, window_bits) for found in frames_in(data)])


def _frame(first: int, frame: bytes, payload_at: int, window_bits: int) -> bytes:
    size = len(frame) - payload_at
    if first & CONTROL or size < _WORTHWHILE_BYTES:
        return frame
    small = deflate(frame[payload_at:], window_bits)
    if len(small) >= size:
        return frame
    return frame_head(first & 0x0F | COMPRESSED, len(small)) + small
