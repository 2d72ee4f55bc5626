"""Clients without a known subprotocol: a frame is the data, both ways; and the lines of event streams.  No I/O."""

from typing import Final

from tocsin.realtime.frames import BINARY, TEXT, frame_head
from tocsin.realtime.message import DataType, Message
from tocsin.realtime.request import Request

PLAIN_EVENT: Final = "message"
_TEXTUAL: Final = frozenset({"json", "text"})


class PlainCodec:
    """A frame is the data: text for JSON and text, binary for the rest."""

    def start(self, message: Message, tail_bytes: int) -> bytes:
        """Encode a data message."""
        opcode = TEXT if message.data_type in _TEXTUAL else BINARY
        return frame_head(opcode, len(message.data) + tail_bytes) + message.data

    def tail(self, _message: Message, _sequence_id: int | None) -> bytes:
        """Return nothing."""
        return b""


class LineCodec:
    """One line of JSON per message; ingest has left no line break in it."""

    def start(self, message: Message, _tail_bytes: int) -> bytes:
        """Return the data."""
        return message.data

    def tail(self, _message: Message, _sequence_id: int | None) -> bytes:
        """Return the end of the line."""
        return b"\n"


PLAIN_CODEC: Final = PlainCodec()
LINE_CODEC: Final = LineCodec()


def plain_request(opcode: int, payload: bytes, group: str | None) -> Request:
    """Return what a plain client's frame asks for: to be sent to its ``group``, or else to be an event."""
    data_type: DataType = "text" if opcode == TEXT else "binary"
    if group is None:
        return Request(type="event", event=PLAIN_EVENT, data_type=data_type, data=payload)
    return Request(type="sendtogroup", group=group, data_type=data_type, data=payload)
