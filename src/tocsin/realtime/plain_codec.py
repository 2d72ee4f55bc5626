"""What clients without a known subprotocol get: the data alone; and the lines of event streams.  No I/O."""

from typing import Final

from tocsin.realtime.frames import BINARY, TEXT, frame_head
from tocsin.realtime.message import Message

_TEXTUAL: Final = frozenset({"json", "text"})


class PlainCodec:
    """A frame is the data: text for JSON and text, binary for the rest."""

    def start(self, message: Message, tail_bytes: int) -> bytes:
        """Encode a data message."""
        opcode = TEXT if message.data_type in _TEXTUAL else BINARY
        return frame_head(opcode, len(message.data) + tail_bytes) + message.data

    def tail(self, _sequence_id: int | None) -> bytes:
        """Return nothing."""
        return b""


class LineCodec:
    """One line of JSON per message; ingest has left no line break in it."""

    def start(self, message: Message, _tail_bytes: int) -> bytes:
        """Return the data."""
        return message.data

    def tail(self, _sequence_id: int | None) -> bytes:
        """Return the end of the line."""
        return b"\n"


PLAIN_CODEC: Final = PlainCodec()
LINE_CODEC: Final = LineCodec()
