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
from tocsin.realtime.message import DataType, Message, StateItem, States, StreamFault, StreamMark
from tocsin.realtime.metadata import check_metadata
from tocsin.realtime.request import (
    AckError,
    MalformedError,
    Request,
    check_data,
    check_ttl,
    user_fault,
)


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
    begins_stream: int = 0
    stream_id: int = 0
    stream_number: int = 0
    error: int = 0
    state: int = 0


# By the number in UpstreamMessage; a new kind is a line here.
_KINDS: Final = {
    1: _Kind(
        "sendtogroup",
        group=1,
        ack_id=2,
        data=3,
        no_echo=4,
        ttl_seconds=5,
        metadata=6,
        begins_stream=7,
    ),
    5: _Kind("event", event=1, data=2, ack_id=3, metadata=4),
    6: _Kind("joingroup", group=1, ack_id=2),
    7: _Kind("leavegroup", group=1, ack_id=2),
    8: _Kind("sequenceack", sequence_id=1),
    9: _Kind("ping"),
    10: _Kind("invoke", event=1, invocation_id=2, data=3, metadata=4),
    11: _Kind("cancelinvocation", invocation_id=1),
    13: _Kind("streamdata", stream_id=1, stream_number=2, data=3),
    14: _Kind("streamend", stream_id=1, error=2),
    15: _Kind("setgroupstate", group=1, ack_id=2, state=3),
    16: _Kind("subscribegroupstate", group=1, ack_id=2),
    17: _Kind("unsubscribegroupstate", group=1, ack_id=2),
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
_STREAM_ACK: Final = 6
_STREAM_NACK: Final = 7
_STREAM_CLOSED: Final = 8
_STATE_UPDATE: Final = 9
_STATE_SNAPSHOT: Final = 10
# The sequence id, in a data message and in one of states.
_DATA_SEQUENCE: Final = 4
_STATES_SEQUENCE: Final = 3


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

    def stream_acked(self, stream_id: str, expected: int) -> bytes:
        """Encode that everything of a stream before the number ``expected`` was taken."""
        return _frame(_STREAM_ACK, text_field(1, stream_id) + number_field(2, expected))

    def stream_refused(self, stream_id: str, expected: int, error: AckError) -> bytes:
        """Encode that a part of a stream was not taken, and which one has to come."""
        what = text_field(1, stream_id) + text_field(2, error.name) + text_field(3, error.message)
        return _frame(_STREAM_NACK, what + number_field(4, expected))

    def stream_closed(self, stream_id: str, fault: StreamFault | None) -> bytes:
        """Encode that a stream has ended, and why if that is not as its client wanted it."""
        body = text_field(1, stream_id)
        if fault is not None:
            body += _error(2, AckError(fault.name, fault.message))
        return _frame(_STREAM_CLOSED, body)

    def start(self, message: Message, tail_bytes: int) -> bytes:
        """Encode a data message, or one of states, up to its tail."""
        states = message.states
        if states is None:
            kind, body = _DATA, _data_body(message)
        else:
            kind = _STATE_SNAPSHOT if states.whole else _STATE_UPDATE
            body = _states_body(message.group or "", states)
        head = block_head(kind, len(body) + tail_bytes)
        return frame_head(BINARY, len(head) + len(body) + tail_bytes) + head + body

    def tail(self, message: Message, sequence_id: int | None) -> bytes:
        """Encode the end of a data message, or of one of states."""
        if sequence_id is None:
            return b""
        field = _DATA_SEQUENCE if message.states is None else _STATES_SEQUENCE
        return number_field(field, sequence_id)


PROTOBUF_CODEC: Final = ProtobufCodec()


def _data_body(message: Message) -> bytes:
    if message.group is None:
        body = text_field(1, "server")
    else:
        body = text_field(1, "group") + text_field(2, message.group)
    data = block_field(_DATA_FIELDS[message.data_type], message.data)
    body += block_field(3, data) + _entries(5, message.metadata or {})
    if message.stream is not None:
        body += block_field(6, _mark(message.stream))
    return body


def _mark(stream: StreamMark) -> bytes:
    mark = text_field(1, stream.stream_id) + number_field(2, stream.number)
    if stream.ended:
        mark += number_field(3, True)
    if stream.fault is not None:
        name, message, code = stream.fault
        error = text_field(1, name) + text_field(2, message)
        mark += block_field(4, error + text_field(3, code) if code else error)
    return mark


def _states_body(group: str, states: States) -> bytes:
    return text_field(1, group) + b"".join(block_field(2, _item(item)) for item in states.items)


def _item(item: StateItem) -> bytes:
    body = text_field(1, item.connection_id)
    if item.user is not None:
        body += text_field(2, item.user)
    if item.state is not None:
        body += block_field(3, _entries(1, item.state))
    return body + number_field(4, item.updated_ms)


def _entries(number: int, entries: Mapping[str, str]) -> bytes:
    """Encode a map of strings."""
    return b"".join(
        block_field(number, text_field(1, key) + text_field(2, value))
        for key, value in entries.items()
    )


def _read_request(payload: bytes) -> Request:
    chosen = Fields(payload).last(*_KINDS)
    if chosen is None:
        raise MalformedError("this is no request of a known kind")
    kind, fields = _KINDS[chosen[0]], Fields(chosen[1])
    numbers = fields.numbers
    found = _data(fields, kind)
    data_type, data = found or ("text", b"")
    begun = _embedded(fields, kind.begins_stream)
    state = _embedded(fields, kind.state)
    request = Request(
        type=kind.type,
        ack_id=numbers.get(kind.ack_id),
        group=fields.text(kind.group),
        event=fields.text(kind.event),
        data_type=data_type,
        data=data,
        no_echo=bool(numbers.get(kind.no_echo)),
        ttl_s=check_ttl(numbers.get(kind.ttl_seconds)),
        metadata=check_metadata(_read_entries(fields, kind.metadata)),
        sequence_id=numbers.get(kind.sequence_id, 0) if kind.sequence_id else None,
        invocation_id=fields.text(kind.invocation_id),
        stream_id=fields.text(kind.stream_id) if begun is None else begun.text(1) or "",
        stream_number=numbers.get(kind.stream_number),
        idle_timeout_ms=None if begun is None else begun.numbers.get(2),
        fault=_fault(fields, kind),
        state=None if state is None else _read_entries(state, 1),
    )
    return check_data(request, has_data=found is not None)


def _frame(kind: int, body: bytes) -> bytes:
    return encode_frame(BINARY, block_field(kind, body))


def _error(number: int, error: AckError) -> bytes:
    return block_field(number, text_field(1, error.name) + text_field(2, error.message))


def _read_entries(fields: Fields, number: int) -> Mapping[str, str]:
    """Return a map of strings."""
    entries = [Fields(block) for at, block in fields.blocks if at == number]
    return {e.text(1) or "": e.text(2) or "" for e in entries}


def _embedded(fields: Fields, number: int) -> Fields | None:
    """Return an embedded message, None if it is not there."""
    block = fields.block(number)
    return None if block is None else Fields(block)


def _fault(fields: Fields, kind: _Kind) -> StreamFault | None:
    error = _embedded(fields, kind.error)
    return None if error is None else user_fault(error.text(1) or "", error.text(2) or "")


def _data(fields: Fields, kind: _Kind) -> tuple[DataType, bytes] | None:
    """Return a request's data as a message holds it, None if there is none."""
    block = fields.block(kind.data)
    chosen = None if block is None else Fields(block).last(*_DATA_TYPES)
    if chosen is None:
        return None
    data_type, data = _DATA_TYPES[chosen[0]], chosen[1]
    if not is_of(data_type, data) or (data_type == "json" and data.strip() == b"null"):
        msg = f"the data is no {data_type}, or null"
        raise MalformedError(msg)
    return data_type, data
