"""The protocols a client may speak, in one table; a new one is a codec and a line here.

Four subprotocols of Web PubSub share one set of meanings (:class:`Request` in, :class:`Message` out): JSON and
protobuf, each also reliable, with a sequence id on every data message.  Clients that ask for none of them are plain:
they get nothing but the data.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from tocsin.realtime.json_codec import JSON_CODEC
from tocsin.realtime.message import DataType, Message, StreamFault, Writing
from tocsin.realtime.plain_codec import LINE_CODEC, PLAIN_CODEC
from tocsin.realtime.protobuf_codec import PROTOBUF_CODEC
from tocsin.realtime.request import AckError, Request
from tocsin.realtime.runs import Place

JSON_V1: Final = "json.webpubsub.azure.v1"
RELIABLE_JSON_V1: Final = "json.reliable.webpubsub.azure.v1"
PROTOBUF_V1: Final = "protobuf.webpubsub.azure.v1"
RELIABLE_PROTOBUF_V1: Final = "protobuf.reliable.webpubsub.azure.v1"


class Codec(Writing, Protocol):
    """A whole subprotocol: what its clients ask for, and what they are told, as whole frames."""

    @property
    def opcode(self) -> int:
        """The kind of WebSocket message its clients send."""
        ...

    @property
    def pong(self) -> bytes:
        """The answer to a ping."""
        ...

    def parse(self, payload: bytes) -> Request:
        """Read a request.

        Raises:
            MalformedError: It is none.
        """
        ...

    def connected(self, connection_id: str, user: str | None, token: str | None) -> bytes:
        """Encode the first message of a connection."""
        ...

    def disconnected(self, reason: str) -> bytes:
        """Encode the message before the server closes a connection on purpose."""
        ...

    def ack(self, ack_id: int, error: AckError | None = None) -> bytes:
        """Encode the answer to a request that carried an ``ackId``."""
        ...

    def invocation_failed(self, invocation_id: str, error: AckError) -> bytes:
        """Encode the answer to an invocation that failed."""
        ...

    def invocation_answered(
        self, invocation_id: str, data_type: DataType | None, data: bytes
    ) -> bytes:
        """Encode the answer to an invocation; without a type there is no data."""
        ...

    def stream_acked(self, stream_id: str, expected: int) -> bytes:
        """Encode that everything of a stream before the number ``expected`` was taken."""
        ...

    def stream_refused(self, stream_id: str, expected: int, error: AckError) -> bytes:
        """Encode that a part of a stream was not taken, and which one has to come."""
        ...

    def stream_closed(self, stream_id: str, fault: StreamFault | None) -> bytes:
        """Encode that a stream has ended, and why if that is not as its client wanted it."""
        ...


class Dialect:
    """How one kind of client is spoken to; compared by identity.  ``codec`` is None for those that get data only.

    ``place`` is where those stand for ever who have no sequence ids.
    """

    __slots__ = ("_writing", "codec", "place", "reliable", "subprotocol")

    def __init__(self, writing: Writing, *, reliable: bool = False) -> None:
        self._writing = writing
        self.reliable = reliable
        self.place = None if reliable else Place.beginning()
        self.codec: Codec | None = None
        self.subprotocol: str | None = None

    @classmethod
    def named(cls, subprotocol: str, codec: Codec, *, reliable: bool) -> "Dialect":
        """Make the dialect of a subprotocol."""
        dialect = cls(codec, reliable=reliable)
        dialect.codec, dialect.subprotocol = codec, subprotocol
        return dialect

    def as_offered(self, offered: Sequence[str]) -> str | None:
        """Return the subprotocol as a client wrote it; None if it offered another, or none."""
        return next((name for name in offered if name.lower() == self.subprotocol), None)

    def encode(self, messages: Sequence[Message], first: int, now_s: float = 0.0) -> bytes:
        """Return the frames of messages whose sequence ids begin with ``first``; an expired one leaves a gap."""
        if len(messages) == 1 and messages[0].expires_s > now_s:
            return self._frame(messages[0], first)
        frame = self._frame
        return b"".join(
            [frame(m, number) for number, m in enumerate(messages, first) if m.expires_s > now_s]
        )

    def _frame(self, message: Message, sequence_id: int) -> bytes:
        tail = self._writing.tail(message, sequence_id if self.reliable else None)
        return message.start(self._writing, len(tail)) + tail


PLAIN: Final = Dialect(PLAIN_CODEC)
EVENT_STREAM: Final = Dialect(LINE_CODEC)
JSON: Final = Dialect.named(JSON_V1, JSON_CODEC, reliable=False)
RELIABLE_JSON: Final = Dialect.named(RELIABLE_JSON_V1, JSON_CODEC, reliable=True)
PROTOBUF: Final = Dialect.named(PROTOBUF_V1, PROTOBUF_CODEC, reliable=False)
RELIABLE_PROTOBUF: Final = Dialect.named(RELIABLE_PROTOBUF_V1, PROTOBUF_CODEC, reliable=True)
_DIALECTS: Final = {d.subprotocol: d for d in (JSON, RELIABLE_JSON, PROTOBUF, RELIABLE_PROTOBUF)}


def choose_dialect(offered: Sequence[str]) -> tuple[Dialect, str | None]:
    """Return the dialect of the first known subprotocol, and that one as the client wrote it.

    Without a known one the client is a plain one, and none is named in the answer.
    """
    for name in offered:
        dialect = _DIALECTS.get(name.lower())
        if dialect is not None:
            return dialect, name
    return PLAIN, None
