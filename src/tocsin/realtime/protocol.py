"""Web PubSub's JSON protocols as bytes; no I/O.

Three dialects share one set of meanings: ``json.webpubsub.azure.v1``, its reliable sister (a sequence id on every
data message), and the plain one of clients that asked for no known subprotocol and get nothing but the data.

Source:  https://learn.microsoft.com/azure/azure-web-pubsub/reference-json-reliable-webpubsub-subprotocol
Shape:   requests are :class:`Request`; everything to a client is one whole WebSocket frame as ``bytes``.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from tocsin.realtime.frames import TEXT, encode_frame, frame_head

JSON_V1: Final = "json.webpubsub.azure.v1"
RELIABLE_JSON_V1: Final = "json.reliable.webpubsub.azure.v1"

_MAX_UINT64: Final = 2**64 - 1
_FROM_SERVER: Final = b'{"type":"message","from":"server","dataType":"json","data":%b'
_encode = msgspec.json.encode


class MalformedError(Exception):
    """The client's message is no request of the protocol; its connection ends with 1007."""


class Request(msgspec.Struct, rename="camel"):
    """What a client asks for; the fields of all kinds together, unknown ones are skipped."""

    type: str
    ack_id: int | None = None
    group: str | None = None
    event: str | None = None
    data_type: str = "json"
    data: msgspec.Raw = msgspec.Raw()
    no_echo: bool = False
    sequence_id: int | None = None
    invocation_id: str | None = None


_decode_request = msgspec.json.Decoder(Request).decode


def parse_request(payload: bytes) -> Request:
    """Read a request; ``type`` is in lower case afterwards (it is compared without case).

    Raises:
        MalformedError: It is not JSON of that shape.
    """
    try:
        request = _decode_request(payload)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise MalformedError(str(error)) from None
    request.type = request.type.lower()
    for number in (request.ack_id, request.sequence_id):
        if number is not None and not 0 <= number <= _MAX_UINT64:
            msg = f"{number} is no unsigned 64-bit number"
            raise MalformedError(msg)
    return request


def connected(connection_id: str, user: str | None, reconnection_token: str | None) -> bytes:
    """Encode the first message of a connection; the token only for reliable ones."""
    token = (
        b""
        if reconnection_token is None
        else b',"reconnectionToken":' + _encode(reconnection_token)
    )
    return _text(
        b'{"type":"system","event":"connected","userId":%b,"connectionId":%b%b}'
        % (_encode(user or ""), _encode(connection_id), token)
    )


def disconnected(reason: str) -> bytes:
    """Encode the message before the server closes a connection on purpose."""
    return _text(b'{"type":"system","event":"disconnected","message":%b}' % _encode(reason))


def ack(ack_id: int, error: "AckError | None" = None) -> bytes:
    """Encode the answer to a request that carried an ``ackId``."""
    if error is None:
        return _text(b'{"type":"ack","ackId":%d,"success":true}' % ack_id)
    return _text(
        b'{"type":"ack","ackId":%d,"success":false,"error":{"name":%b,"message":%b}}'
        % (ack_id, _encode(error.name), _encode(error.message))
    )


def invocation_failed(invocation_id: str, error: "AckError") -> bytes:
    """Encode the answer to an invocation that nothing handles."""
    return _text(
        b'{"type":"invokeResponse","invocationId":%b,"success":false,"error":{"name":%b,"message":%b}}'
        % (_encode(invocation_id), _encode(error.name), _encode(error.message))
    )


def _text(payload: bytes) -> bytes:
    return encode_frame(TEXT, payload)


PONG_MESSAGE: Final = _text(b'{"type":"pong"}')


class AckError(NamedTuple):
    """Why a request failed; clients need both fields."""

    name: str
    message: str


class Message:
    """One message from the server, encoded once per dialect and shared by all who get it.

    ``size`` is what it counts for in every bound; ``alert_ids`` are the alerts it brings.
    """

    __slots__ = ("_json", "_plain", "_reliable", "alert_ids", "data", "size")

    def __init__(self, data: bytes, alert_ids: tuple[str, ...] = ()) -> None:
        """Wrap ``data``, the JSON text that is the message's content."""
        self.data = data
        self.alert_ids = alert_ids
        self.size = len(data)
        self._json: bytes | None = None
        self._plain: bytes | None = None
        self._reliable: dict[int, bytes] = {}  # frame up to the sequence id, by length of the rest

    def plain_frame(self, _sequence_id: int) -> bytes:
        """Return the frame of a client without a subprotocol: the data alone."""
        frame = self._plain
        if frame is None:
            frame = self._plain = _text(self.data)
        return frame

    def line(self, _sequence_id: int) -> bytes:
        """Return the data as one line; ingest has left no line break in it."""
        return self.data + b"\n"

    def json_frame(self, _sequence_id: int) -> bytes:
        """Return the frame of the JSON dialect."""
        frame = self._json
        if frame is None:
            frame = self._json = _text(_FROM_SERVER % self.data + b"}")
        return frame

    def reliable_frame(self, sequence_id: int) -> bytes:
        """Return the frame of the reliable dialect, with the connection's own ``sequence_id``."""
        tail = b"%d}" % sequence_id
        size = len(tail)
        start = self._reliable.get(size)
        if start is None:
            body = _FROM_SERVER % self.data + b',"sequenceId":'
            start = self._reliable[size] = frame_head(TEXT, len(body) + size) + body
        return start + tail


class Dialect:
    """How one kind of client is spoken to; compared by identity."""

    __slots__ = ("_frame", "reliable", "subprotocol")

    def __init__(self, subprotocol: str | None, frame: Callable[[Message, int], bytes]) -> None:
        self.subprotocol = subprotocol
        self.reliable = frame is Message.reliable_frame
        self._frame = frame

    def encode(self, messages: Sequence[Message], first: int) -> bytes:
        """Return the frames of messages whose sequence ids begin with ``first``."""
        if len(messages) == 1:
            return self._frame(messages[0], first)
        frame = self._frame
        return b"".join([frame(message, i) for i, message in enumerate(messages, first)])


PLAIN: Final = Dialect(None, Message.plain_frame)
JSON: Final = Dialect(JSON_V1, Message.json_frame)
RELIABLE_JSON: Final = Dialect(RELIABLE_JSON_V1, Message.reliable_frame)
EVENT_STREAM: Final = Dialect(None, Message.line)
_DIALECTS: Final = {d.subprotocol: d for d in (JSON, RELIABLE_JSON)}


def choose_dialect(offered: Sequence[str]) -> tuple[Dialect, str | None]:
    """Return the dialect of the first known subprotocol, and that one as the client wrote it.

    Without a known one the client is a plain one, and none is named in the answer.
    """
    for name in offered:
        dialect = _DIALECTS.get(name.lower())
        if dialect is not None:
            return dialect, name
    return PLAIN, None
