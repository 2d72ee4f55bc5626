"""Web PubSub's protobuf protocols as bytes; no I/O.

``protobuf.webpubsub.azure.v1`` and its reliable sister, which puts a sequence id at the end of each data message.  The
messages are those of docs/reference/webpubsub.proto.  JSON reaches these clients as text, which every version of the
service's own schema can read; the older ones would lose ``json_data``.

Source:  https://learn.microsoft.com/azure/azure-web-pubsub/reference-protobuf-reliable-webpubsub-subprotocol
Shape:   requests are :class:`Request`; everything to a client is one whole WebSocket frame as ``bytes``.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from tocsin.model.data_type import is_of
from tocsin.model.protobuf_wire import (
    Fields,
    WireError,
    block_field,
    block_head,
    number_field,
    text_field,
)
from tocsin.realtime.frames import BINARY, encode_frame, frame_head
from tocsin.realtime.message import DataType, Message
from tocsin.realtime.metadata import check_metadata
from tocsin.realtime.request import AckError, MalformedError, Request, check_ttl, without_data


class _Kind(NamedTuple):
    """A kind of request: its type, and the number of each field that it has."""

    type: str
    group: int = 0
    event: int = 0
    ack_id: int = 0
    data: int = 0
    no_echo: int = 0
    ttl_seconds: int = 0
    metadata: int = 0
    sequence_id: int = 0
    invocation_id: int = 0


# By the number in UpstreamMessage; a new kind is a line here.
_KINDS: Final = {
    1: _Kind("sendtogroup", group=1, ack_id=2, data=3, no_echo=4, ttl_seconds=5, metadata=6),
    5: _Kind("event", event=1, data=2, ack_id=3, metadata=4),
    6: _Kind("joingroup", group=1, ack_id=2),
    7: _Kind("leavegroup", group=1, ack_id=2),
    8: _Kind("sequenceack", sequence_id=1),
    9: _Kind("ping"),
    10: _Kind("invoke", event=1, invocation_id=2, data=3, metadata=4),
    11: _Kind("cancelinvocation", invocation_id=1),
}
# Of MessageData: what clients send, and what they get.
_DATA_TYPES: Final[Mapping[int, DataType]] = {1: "text", 2: "binary", 3: "protobuf", 4: "json"}
_DATA_FIELDS: Final[Mapping[DataType, int]] = {"text": 1, "json": 1, "binary": 2, "protobuf": 3}
# Of DownstreamMessage.
_ACK: Final = 1
_DATA: Final = 2
_SYSTEM: Final = 3
_PONG: Final = 4
_INVOKE_RESPONSE: Final = 5


class ProtobufCodec:
    """Requests in, frames out."""

    opcode: Final = BINARY
    pong: Final = encode_frame(BINARY, block_field(_PONG, b""))

    def parse(self, payload: bytes) -> Request:
        """Read a request.

        Raises:
            MalformedError: It is no UpstreamMessage of a known kind.
        """
        try:
            return _read_request(payload)
        except WireError as error:
            raise MalformedError(str(error)) from None

    def connected(self, connection_id: str, user: str | None, token: str | None) -> bytes:
        """Encode the first message of a connection; the reconnection token only for reliable ones."""
        body = text_field(1, connection_id) + text_field(2, user or "")
        if token is not None:
            body += text_field(3, token)
        return _frame(_SYSTEM, block_field(1, body))

    def disconnected(self, reason: str) -> bytes:
        """Encode the message before the server closes a connection on purpose."""
        return _frame(_SYSTEM, block_field(2, text_field(2, reason)))

    def ack(self, ack_id: int, error: AckError | None = None) -> bytes:
        """Encode the answer to a request that carried an ``ack_id``."""
        body = number_field(1, ack_id) + number_field(2, error is None)
        if error is not None:
            body += _error(3, error)
        return _frame(_ACK, body)

    def invocation_failed(self, invocation_id: str, error: AckError) -> bytes:
        """Encode the answer to an invocation that failed."""
        return _frame(_INVOKE_RESPONSE, text_field(1, invocation_id) + _error(4, error))

    def invocation_answered(
        self, invocation_id: str, data_type: DataType | None, data: bytes
    ) -> bytes:
        """Encode the answer to an invocation; without a type there is no data."""
        body = text_field(1, invocation_id) + number_field(2, True)
        if data_type is not None:
            body += block_field(3, block_field(_DATA_FIELDS[data_type], data))
        return _frame(_INVOKE_RESPONSE, body)

    def start(self, message: Message, tail_bytes: int) -> bytes:
        """Encode a data message up to its tail."""
        if message.group is None:
            body = text_field(1, "server")
        else:
            body = text_field(1, "group") + text_field(2, message.group)
        data = block_field(_DATA_FIELDS[message.data_type], message.data)
        body += block_field(3, data)
        for key, value in (message.metadata or {}).items():
            body += block_field(5, text_field(1, key) + text_field(2, value))
        head = block_head(_DATA, len(body) + tail_bytes)
        return frame_head(BINARY, len(head) + len(body) + tail_bytes) + head + body

    def tail(self, sequence_id: int | None) -> bytes:
        """Encode the end of a data message."""
        return b"" if sequence_id is None else number_field(4, sequence_id)


PROTOBUF_CODEC: Final = ProtobufCodec()


def _read_request(payload: bytes) -> Request:
    chosen = Fields(payload).last(*_KINDS)
    if chosen is None:
        raise MalformedError("this is no request of a known kind")
    kind, fields = _KINDS[chosen[0]], Fields(chosen[1])
    numbers = fields.numbers
    metadata = _metadata(fields, kind.metadata)
    data_type, data = _data(fields, kind, metadata)
    return Request(
        type=kind.type,
        ack_id=numbers.get(kind.ack_id),
        group=fields.text(kind.group),
        event=fields.text(kind.event),
        data_type=data_type,
        data=data,
        no_echo=bool(numbers.get(kind.no_echo)),
        ttl_s=check_ttl(numbers.get(kind.ttl_seconds)),
        metadata=metadata,
        sequence_id=numbers.get(kind.sequence_id, 0) if kind.sequence_id else None,
        invocation_id=fields.text(kind.invocation_id),
    )


def _frame(kind: int, body: bytes) -> bytes:
    return encode_frame(BINARY, block_field(kind, body))


def _error(number: int, error: AckError) -> bytes:
    return block_field(number, text_field(1, error.name) + text_field(2, error.message))


def _metadata(fields: Fields, number: int) -> Mapping[str, str]:
    entries = [Fields(block) for at, block in fields.blocks if at == number]
    return check_metadata({e.text(1) or "": e.text(2) or "" for e in entries})


def _data(fields: Fields, kind: _Kind, metadata: Mapping[str, str]) -> tuple[DataType, bytes]:
    """Return a request's data as a message holds it."""
    block = fields.block(kind.data)
    chosen = None if block is None else Fields(block).last(*_DATA_TYPES)
    if chosen is None:
        return without_data(kind.type, metadata)
    data_type, data = _DATA_TYPES[chosen[0]], chosen[1]
    if not is_of(data_type, data) or (data_type == "json" and data.strip() == b"null"):
        msg = f"the data is no {data_type}, or null"
        raise MalformedError(msg)
    return data_type, data
