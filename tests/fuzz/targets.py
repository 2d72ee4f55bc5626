"""What is fuzzed: everything that reads bytes of clients, or of servers that we call.  A target raises when something does that must not."""

import json
from types import ModuleType
from typing import Final, NamedTuple

from tests.fuzz.hunt import Target, hunt
from tests.unit.realtime_fakes import payloads, session
from tests.wire.client_frames import client_frame
from tocsin.adapters.outbound import answer
from tocsin.adapters.outbound.answer import AnswerReader, NoAnswerError
from tocsin.api import upgrade
from tocsin.errors import TocsinError
from tocsin.model import protobuf_wire
from tocsin.model.data_type import is_of
from tocsin.model.protobuf_wire import block_field, number_field, text_field
from tocsin.ports.outbound import Answer, FailureKind
from tocsin.realtime import (
    deflate,
    frames,
    json_codec,
    metadata,
    odata,
    plain_codec,
    protobuf_codec,
    request,
)
from tocsin.realtime.dialects import JSON, PLAIN, PROTOBUF, RELIABLE_JSON, RELIABLE_PROTOBUF
from tocsin.realtime.frames import BINARY, CLOSE, COMPRESSED, CONTINUATION, PING, TEXT, FrameReader
from tocsin.realtime.message import Message
from tocsin.realtime.request import MAX_UINT64, MalformedError, Request

LIMIT: Final = 300


class Quarry(NamedTuple):
    """A target, where its coverage counts, and what to begin with."""

    target: Target
    modules: tuple[ModuleType, ...]
    seeds: tuple[bytes, ...]
    words: tuple[bytes, ...]

    def hunt(self, runs: int, seed: int = 0) -> int:
        """Look for an input that fails."""
        return hunt(self.target, self.modules, self.seeds, self.words, runs=runs, seed=seed)


def read_frames(data: bytes) -> None:
    """However bytes are cut, the same messages come out, within the limit, and the same failure."""
    whole = FrameReader(LIMIT, deflate.inflate)
    messages = whole.feed(data)
    pieces, found = FrameReader(LIMIT, deflate.inflate), []
    step = 1 + len(data) % 5
    for at in range(0, len(data), step):
        found += pieces.feed(data[at : at + step])
    assert (found, pieces.failure) == (messages, whole.failure)
    for opcode, payload in messages:
        assert len(payload) <= LIMIT
        assert FrameReader(LIMIT).feed(client_frame(opcode, payload)) == [(opcode, payload)]


def read_json(data: bytes) -> None:
    """A JSON request is refused as malformed, or what it says can be told to everybody."""
    try:
        # The reader of frames lets no text through that is not UTF-8.
        asked = json_codec.JSON_CODEC.parse(data.decode(errors="replace").encode())
    except MalformedError:
        return
    tell(asked)


def read_protobuf(data: bytes) -> None:
    """A protobuf request is refused as malformed, or what it says can be told to everybody."""
    try:
        asked = protobuf_codec.PROTOBUF_CODEC.parse(data)
    except MalformedError:
        return
    tell(asked)


def read_plain(data: bytes) -> None:
    """What a plain client's frames hold can be told to everybody."""
    for opcode, payload in FrameReader(LIMIT).feed(data):
        if opcode in {TEXT, BINARY}:
            tell(plain_codec.plain_request(opcode, payload, "g"))


def read_filter(data: bytes) -> None:
    """A filter is refused as none, or judges any connection."""
    try:
        where = odata.compile_filter(data.decode(errors="replace"))
    except odata.FilterError:
        return
    for one in SESSIONS:
        assert where(one) in {True, False}


def read_handshake(data: bytes) -> None:
    """A request head is refused with a problem, or read."""
    try:
        handshake = upgrade.parse_handshake(data)
        upgrade.check_websocket(handshake)
        upgrade.hub_of(handshake)
        upgrade.plain_group(handshake)
        upgrade.check_origin(handshake, ("http://a",), ())
        upgrade.opening_of(handshake, {"sub": "u", "role": ["r", 1]})
        deflate.negotiate(handshake.headers.get("sec-websocket-extensions", ""))
    except TocsinError:
        return


def read_answer(data: bytes) -> None:
    """However the bytes of another server are cut, they are the same answer, within the limit, or the same failure."""
    step = 1 + len(data) % 7
    whole, pieces = read_cut(data, len(data) or 1), read_cut(data, step)
    assert whole == pieces
    assert whole is None or isinstance(whole, str) or len(whole.body) <= LIMIT


def read_cut(data: bytes, step: int) -> Answer | FailureKind | None:
    """Read an answer in pieces, to the end of the connection."""
    reader = AnswerReader(LIMIT)
    try:
        for at in range(0, len(data), step):
            found = reader.feed(data[at : at + step])
            if found is not None:
                return found
    except NoAnswerError as failure:
        return failure.kind
    return reader.end()


def tell(asked: Request) -> None:
    """Encode what was asked in all protocols; JSON has to be JSON again."""
    assert is_of(asked.data_type, asked.data)
    assert 0 <= (asked.ack_id or 0) <= MAX_UINT64
    assert 0 <= asked.ttl_s <= request.LONGEST_TTL_S
    more = dict(asked.metadata) or None
    message = Message(asked.data, data_type=asked.data_type, group=asked.group, metadata=more)
    for dialect in (PLAIN, PROTOBUF, RELIABLE_PROTOBUF):
        dialect.encode([message], 1)
    for dialect in (JSON, RELIABLE_JSON):
        [text] = payloads(dialect.encode([message], 1))
        assert json.loads(text)["type"] == "message"


SESSIONS: Final = (
    session("ada"),
    session("it's", dialect=PLAIN),
    session("", dialect=RELIABLE_JSON),
)
SESSIONS[0].groups = frozenset({"g1", "g2"})
_ANY: Final = text_field(1, "type.example/thing") + block_field(2, b"\x08\x01")
_TEXT_DATA: Final = block_field(3, text_field(1, "hi"))

_FRAME_SEEDS: Final = (
    client_frame(TEXT, b"hello"),
    client_frame(BINARY, bytes(130)),
    client_frame(TEXT, "é".encode()[:1], final=False) + client_frame(CONTINUATION, b"\xa9"),
    client_frame(PING, b"p") + client_frame(CLOSE, b"\x03\xe8bye") + client_frame(CLOSE, b""),
    client_frame(TEXT | COMPRESSED, deflate.deflate(b"a" * 290, 15)),
)
_JSON_SEEDS: Final = (
    b'{"type":"joinGroup","group":"ops","ackId":1}',
    b'{"type":"sendToGroup","group":"ops","noEcho":true,"ttlSeconds":9,"dataType":"json","data":{"a":[1]}}',
    b'{"type":"sendToGroup","group":"g","dataType":"binary","data":"AQI=","metadata":{"k":"v"}}',
    b'{"type":"event","event":"e","dataType":"text","data":"\\u00e9"}',
    b'{"type":"sendToGroup","group":"g","dataType":"protobuf","data":"CgFh"}',
    b'{"type":"invoke","invocationId":"1","target":"event","event":"e","data":1}',
    b'{"type":"sendToGroup","group":"g","stream":{"streamId":"s","idleTimeoutMs":9}}',
    b'{"type":"streamData","streamId":"s","streamSequenceId":1,"dataType":"text","data":"x"}',
    b'{"type":"streamEnd","streamId":"s","error":{"message":"m","userErrorCode":"c"}}',
    b'{"type":"setGroupState","group":"g","state":{"a":"b"}}',
    b'{"type":"sequenceAck","sequenceId":5}',
)
_JSON_WORDS: Final = (
    b'"ackId":',
    b'"data":',
    b'"dataType":"binary"',
    b'"dataType":"text"',
    b"null",
    b"-1",
    b"18446744073709551616",
    b"1e400",
    b'"\\ud800"',
    b"\xff",
    b"[[[[",
    b"{}",
    b",",
)
_PROTOBUF_SEEDS: Final = (
    block_field(1, text_field(1, "g") + number_field(2, 7) + _TEXT_DATA + number_field(5, 9)),
    block_field(1, text_field(1, "g") + block_field(3, block_field(3, _ANY))),
    block_field(1, text_field(1, "g") + block_field(3, text_field(4, '{"a": 1}'))),
    block_field(1, text_field(1, "g") + block_field(6, text_field(1, "k") + text_field(2, "v"))),
    block_field(1, text_field(1, "g") + block_field(7, text_field(1, "s") + number_field(2, 9))),
    block_field(5, text_field(1, "e") + block_field(2, block_field(2, b"\0\xff"))),
    block_field(10, text_field(1, "e") + text_field(2, "i")),
    block_field(13, text_field(1, "s") + number_field(2, 1) + _TEXT_DATA),
    block_field(14, text_field(1, "s") + block_field(2, text_field(1, "m"))),
    block_field(15, text_field(1, "g") + block_field(3, block_field(1, text_field(1, "a")))),
    block_field(8, number_field(1, 5)),
)
_PROTOBUF_WORDS: Final = (
    _TEXT_DATA,
    block_field(3, block_field(4, b"nul")),
    b"\xff" * 9 + b"\x01",
    b"\x80\x80\x00",
    b"\x0a\x7f",
    b"\xc3",
    number_field(5, 300),
)
_FILTER_SEEDS: Final = (
    b"userId eq 'ada' and not('g1' in groups)",
    b"userId in ('a','b') or connectionId ne null",
    b"length(userId) gt 2 and startswith(tolower(userId), 'a')",
    b"indexof(concat(userId,'x'),'a') ge 0 or substring(trim(userId), 1, 2) eq 'd'",
)
_FILTER_WORDS: Final = (
    *(b" " + word for word in (b"eq ", b"in ", b"and ", b"or ", b"not ", b"null ", b"protocol ")),
    *(b"contains(", b"endswith(", b"substring(", b"length(", b"toupper(", b"(", b")", b","),
    *(b"'it''s'", b"groups", b"userId", b"protocol", b"-1", b"99999999999999999999", b"true", b"'"),
)
_KEY: Final = b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n"
_EXTENSIONS: Final = b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=10\r\n"
_HANDSHAKE_SEEDS: Final = (
    b"GET /client/hubs/chat?access_token=t HTTP/1.1\r\nHost: a\r\n%b\r\n" % _KEY,
    b"GET /client/?hub=chat&awps_connection_id=c HTTP/1.1\r\nHost: a\r\n%b\r\n" % _KEY,
    b"GET /client/hubs/chat?webpubsub_mode=sendToGroup&group=g HTTP/1.1\r\nHost: a\r\n%b\r\n"
    % _KEY,
    b"GET /client/hubs/chat HTTP/1.1\r\nHost: a\r\nOrigin: http://a:80\r\n%b\r\n" % _KEY,
    b"GET /client/hubs/chat HTTP/1.1\r\n%b%b\r\n" % (_KEY, _EXTENSIONS),
)
_HANDSHAKE_WORDS: Final = (
    *(b"\r\n", b": ", b"%", b"%ff", b"&hub=", b"&group=%20", b"//", b"[::", b"]:99999", b"?"),
    *(b"Origin: ", b"Authorization: Bearer ", b"; server_max_window_bits=9", b"\xe9", b"\0"),
)

_ANSWER_SEEDS: Final = (
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\nconnection: close\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nlate: x\r\n\r\n",
    b"HTTP/1.0 500 Oops\r\n\r\nall of it",
)
_ANSWER_WORDS: Final = (
    b"\r\n",
    b"\r\n\r\n",
    b"HTTP/1.1 ",
    b"content-length: ",
    b"chunked",
    b"0\r\n",
    b"101 ",
    b":",
)

QUARRIES: Final = {
    "frames": Quarry(
        read_frames,
        (frames, deflate),
        _FRAME_SEEDS,
        (b"\x81\xfe\x00\x80", b"\x88\x80", b"\x00\x80", b"\x81\xff", b"\x11\x22\x33\x44"),
    ),
    "json": Quarry(read_json, (json_codec, request, metadata), _JSON_SEEDS, _JSON_WORDS),
    "protobuf": Quarry(
        read_protobuf,
        (protobuf_codec, protobuf_wire, request, metadata),
        _PROTOBUF_SEEDS,
        _PROTOBUF_WORDS,
    ),
    "plain": Quarry(read_plain, (plain_codec, frames), _FRAME_SEEDS[:3], (b"\xff", b"\x82\x80")),
    "filter": Quarry(read_filter, (odata,), _FILTER_SEEDS, _FILTER_WORDS),
    "handshake": Quarry(read_handshake, (upgrade, deflate), _HANDSHAKE_SEEDS, _HANDSHAKE_WORDS),
    "answer": Quarry(read_answer, (answer,), _ANSWER_SEEDS, _ANSWER_WORDS),
}
