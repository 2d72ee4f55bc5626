"""Web PubSub's JSON protocols as bytes; no I/O.

``json.webpubsub.azure.v1`` and its reliable sister, which puts a sequence id at the end of each data message.

Source:  https://learn.microsoft.com/azure/azure-web-pubsub/reference-json-reliable-webpubsub-subprotocol
Shape:   requests are :class:`Request`; everything to a client is one whole WebSocket frame as ``bytes``.
"""

import base64
import binascii
from typing import Final

import msgspec

from tocsin.model.data_type import is_of
from tocsin.realtime.frames import TEXT, encode_frame, frame_head
from tocsin.realtime.message import DataType, Message, StateItem, States, StreamFault, StreamMark
from tocsin.realtime.metadata import check_metadata
from tocsin.realtime.request import (
    AckError,
    MalformedError,
    Request,
    check_data,
    check_numbers,
    check_ttl,
    user_fault,
)

_encode = msgspec.json.encode
_DATA_TYPES: Final[dict[str, DataType]] = {
    "json": "json",
    "text": "text",
    "binary": "binary",
    "protobuf": "protobuf",
}
# Only these carry data; what others have under that name is skipped.
_WITH_DATA: Final = frozenset({"sendtogroup", "event", "invoke", "streamdata"})


class _StreamStart(msgspec.Struct, rename="camel"):
    """What makes a ``sendToGroup`` the beginning of a stream."""

    stream_id: str = ""
    idle_timeout_ms: int | None = None


class _StreamError(msgspec.Struct, rename="camel"):
    """Why a client ends its stream."""

    message: str | None = None
    user_error_code: str | None = None


class _Wire(msgspec.Struct, rename="camel"):
    """A request as it stands in JSON; the fields of all kinds together, unknown ones are skipped."""

    type: str
    ack_id: int | None = None
    group: str | None = None
    event: str | None = None
    data_type: str = "json"
    data: msgspec.Raw = msgspec.Raw()
    no_echo: bool = False
    ttl_seconds: int | None = None
    metadata: dict[str, str] | None = None
    sequence_id: int | None = None
    invocation_id: str | None = None
    stream: _StreamStart | None = None
    stream_id: str | None = None
    stream_sequence_id: int | None = None
    error: _StreamError | None = None
    state: dict[str, str] | None = None


_decode = msgspec.json.Decoder(_Wire).decode
_decode_string = msgspec.json.Decoder(str).decode


class JsonCodec:
    """Requests in, frames out."""

    opcode: Final = TEXT
    pong: Final = encode_frame(TEXT, b'{"type":"pong"}')

    def parse(self, payload: bytes) -> Request:
        """Read a request; types are compared without case.

        Raises:
            MalformedError: It is not JSON of that shape.
        """
        try:
            wire = _decode(payload)
            kind = wire.type.lower()
            found = _data(wire) if kind in _WITH_DATA else None
        except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
            raise MalformedError(str(error)) from None
        check_numbers(wire.ack_id, wire.sequence_id, wire.stream_sequence_id)
        data_type, data = found or ("text", b"")
        stream_id, idle_timeout_ms = _stream(wire, kind)
        request = Request(
            type=kind,
            ack_id=wire.ack_id,
            group=wire.group,
            event=wire.event,
            data_type=data_type,
            data=data,
            no_echo=wire.no_echo,
            ttl_s=check_ttl(wire.ttl_seconds),
            metadata=check_metadata(wire.metadata or {}),
            sequence_id=wire.sequence_id,
            invocation_id=wire.invocation_id,
            stream_id=stream_id,
            stream_number=wire.stream_sequence_id,
            idle_timeout_ms=idle_timeout_ms,
            fault=_fault(wire.error),
            state=wire.state,
        )
        return check_data(request, has_data=found is not None)

    def connected(self, connection_id: str, user: str | None, token: str | None) -> bytes:
        """Encode the first message of a connection; the reconnection token only for reliable ones."""
        more = b"" if token is None else b',"reconnectionToken":' + _encode(token)
        return encode_frame(
            TEXT,
            b'{"type":"system","event":"connected","userId":%b,"connectionId":%b%b}'
            % (_encode(user or ""), _encode(connection_id), more),
        )

    def disconnected(self, reason: str) -> bytes:
        """Encode the message before the server closes a connection on purpose."""
        return encode_frame(
            TEXT, b'{"type":"system","event":"disconnected","message":%b}' % _encode(reason)
        )

    def ack(self, ack_id: int, error: AckError | None = None) -> bytes:
        """Encode the answer to a request that carried an ``ackId``."""
        if error is None:
            return encode_frame(TEXT, b'{"type":"ack","ackId":%d,"success":true}' % ack_id)
        return encode_frame(
            TEXT,
            b'{"type":"ack","ackId":%d,"success":false,"error":{"name":%b,"message":%b}}'
            % (ack_id, _encode(error.name), _encode(error.message)),
        )

    def invocation_failed(self, invocation_id: str, error: AckError) -> bytes:
        """Encode the answer to an invocation that failed."""
        return encode_frame(
            TEXT,
            b'{"type":"invokeResponse","invocationId":%b,"success":false,"error":{"name":%b,"message":%b}}'
            % (_encode(invocation_id), _encode(error.name), _encode(error.message)),
        )

    def invocation_answered(
        self, invocation_id: str, data_type: DataType | None, data: bytes
    ) -> bytes:
        """Encode the answer to an invocation; without a type there is no data."""
        more = b""
        if data_type is not None:
            more = b',"dataType":"%b","data":%b' % (data_type.encode(), _json_data(data_type, data))
        return encode_frame(
            TEXT,
            b'{"type":"invokeResponse","invocationId":%b,"success":true%b}'
            % (_encode(invocation_id), more),
        )

    def stream_acked(self, stream_id: str, expected: int) -> bytes:
        """Encode that everything of a stream before the number ``expected`` was taken."""
        return encode_frame(
            TEXT,
            b'{"type":"streamAck","streamId":%b,"expectedSequenceId":%d}'
            % (_encode(stream_id), expected),
        )

    def stream_refused(self, stream_id: str, expected: int, error: AckError) -> bytes:
        """Encode that a part of a stream was not taken, and which one has to come."""
        return encode_frame(
            TEXT,
            b'{"type":"streamNack","streamId":%b,"expectedSequenceId":%d,"name":%b,"message":%b}'
            % (_encode(stream_id), expected, _encode(error.name), _encode(error.message)),
        )

    def stream_closed(self, stream_id: str, fault: StreamFault | None) -> bytes:
        """Encode that a stream has ended, and why if that is not as its client wanted it."""
        more = b"" if fault is None else b',"error":%b' % _encode(_error_of(fault))
        return encode_frame(
            TEXT, b'{"type":"streamClosed","streamId":%b%b}' % (_encode(stream_id), more)
        )

    def start(self, message: Message, tail_bytes: int) -> bytes:
        """Encode a data message, or one of states, up to its tail; the order of the fields is the service's."""
        states = message.states
        body = _data_body(message) if states is None else _states_body(message.group, states)
        return frame_head(TEXT, len(body) + tail_bytes) + body

    def tail(self, _message: Message, sequence_id: int | None) -> bytes:
        """Encode the end of a data message."""
        return b"}" if sequence_id is None else b',"sequenceId":%d}' % sequence_id


JSON_CODEC: Final = JsonCodec()


def _data_body(message: Message) -> bytes:
    if message.group is None:
        origin = b'"from":"server"'
    else:
        origin = b'"from":"group","group":%b' % _encode(message.group)
        if message.sender is not None:
            origin += b',"fromUserId":%b' % _encode(message.sender)
    if message.metadata:
        origin += b',"metadata":%b' % _encode(message.metadata)
    if message.stream is not None:
        origin += b',"stream":%b' % _encode(_mark(message.stream))
    return b'{"type":"message",%b,"dataType":"%b","data":%b' % (
        origin,
        message.data_type.encode(),
        _json_data(message.data_type, message.data),
    )


def _mark(stream: StreamMark) -> dict[str, object]:
    mark: dict[str, object] = {
        "streamId": stream.stream_id,
        "streamSequenceId": stream.number,
    }
    if stream.ended:
        mark["endOfStream"] = True
    if stream.fault is not None:
        mark["error"] = _error_of(stream.fault)
    return mark


def _error_of(fault: StreamFault) -> dict[str, str]:
    error = {"name": fault.name, "message": fault.message}
    return error | {"userErrorCode": fault.code} if fault.code else error


def _fault(error: _StreamError | None) -> StreamFault | None:
    return None if error is None else user_fault(error.message or "", error.user_error_code or "")


def _stream(wire: _Wire, kind: str) -> tuple[str | None, int | None]:
    """Return which stream is meant, and the idle timeout of one that begins."""
    if kind != "sendtogroup":
        return wire.stream_id, None
    begun = wire.stream
    return (None, None) if begun is None else (begun.stream_id, begun.idle_timeout_ms)


def _states_body(group: str | None, states: States) -> bytes:
    kind = b"groupStateSnapshot" if states.whole else b"groupStateUpdate"
    items = [_item(item) for item in states.items]
    return b'{"type":"%b","group":%b,"items":%b' % (kind, _encode(group), _encode(items))


def _item(item: StateItem) -> dict[str, object]:
    said: dict[str, object] = {"connectionId": item.connection_id}
    if item.user is not None:
        said["userId"] = item.user
    if item.state is not None:
        said["state"] = item.state
    return said | {"updatedAt": item.updated_ms}


def _data(wire: _Wire) -> tuple[DataType, bytes] | None:
    """Return a request's data as a message holds it, None if there is none."""
    raw = bytes(wire.data)
    if not raw:
        return None
    data_type = _DATA_TYPES.get(wire.data_type.lower())
    if data_type is None:
        msg = f"there is no dataType {wire.data_type[:40]!r}"
        raise MalformedError(msg)
    if raw == b"null":
        raise MalformedError("the data is null")
    if data_type == "json":
        return data_type, raw
    text = _decode_string(raw)
    if data_type == "text":
        return data_type, text.encode()
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        msg = f"the data is no base64: {error}"
        raise MalformedError(msg) from None
    if not is_of(data_type, data):
        raise MalformedError("the data is no packed google.protobuf.Any")
    return data_type, data


def _json_data(data_type: DataType, data: bytes) -> bytes:
    if data_type == "json":
        return data
    if data_type == "text":
        return _encode(data.decode())
    return b'"%b"' % base64.b64encode(data)
