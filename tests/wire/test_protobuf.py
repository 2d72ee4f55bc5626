"""Golden frames of the Web PubSub protobuf protocols, and what is no request."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.client_frames import client_frame
from tocsin.model.data_type import is_of
from tocsin.model.protobuf_wire import (
    MAX_FIELDS,
    Fields,
    block_field,
    number_field,
    text_field,
    varint,
)
from tocsin.realtime.dialects import PROTOBUF, RELIABLE_PROTOBUF, choose_dialect
from tocsin.realtime.frames import BINARY, FrameReader
from tocsin.realtime.message import DataType, Message
from tocsin.realtime.protobuf_codec import PROTOBUF_CODEC
from tocsin.realtime.request import AckError, MalformedError, Request

parse = PROTOBUF_CODEC.parse
ANY = text_field(1, "type.example/thing") + block_field(2, b"\x08\x01")


def payload(frame: bytes) -> bytes:
    """Return what is in one server frame, by masking it as a client would."""
    assert frame[0] == 0x80 | BINARY
    size, start = frame[1], 2
    if size == 126:
        size, start = int.from_bytes(frame[2:4]), 4
    assert len(frame) == start + size
    return frame[start:]


def request(kind: int, *fields: bytes) -> Request:
    return parse(block_field(kind, b"".join(fields)))


def test_system_messages_and_acks_are_as_in_the_schema() -> None:
    assert payload(PROTOBUF_CODEC.connected("c1", "u", "t")) == (
        b"\x1a\x0c\x0a\x0a\x0a\x02c1\x12\x01u\x1a\x01t"
    )
    assert (
        payload(PROTOBUF_CODEC.connected("c1", None, None)) == b"\x1a\x08\x0a\x06\x0a\x02c1\x12\x00"
    )
    assert payload(PROTOBUF_CODEC.disconnected("why")) == b"\x1a\x07\x12\x05\x12\x03why"
    assert payload(PROTOBUF_CODEC.pong) == b"\x22\x00"
    assert payload(PROTOBUF_CODEC.ack(300)) == b"\x0a\x05\x08\xac\x02\x10\x01"
    assert payload(PROTOBUF_CODEC.ack(1, AckError("N", "m"))) == (
        b"\x0a\x0c\x08\x01\x10\x00\x1a\x06\x0a\x01N\x12\x01m"
    )
    assert payload(PROTOBUF_CODEC.invocation_failed("7", AckError("N", "m"))) == (
        b"\x2a\x0b\x0a\x017\x22\x06\x0a\x01N\x12\x01m"
    )
    assert (
        payload(PROTOBUF_CODEC.invocation_answered("7", None, b"")) == b"\x2a\x05\x0a\x017\x10\x01"
    )
    assert payload(PROTOBUF_CODEC.invocation_answered("7", "text", b"hi")) == (
        b"\x2a\x0b\x0a\x017\x10\x01\x1a\x04\x0a\x02hi"
    )


@pytest.mark.parametrize(
    ("data_type", "data", "member"),
    [("json", b'{"a": 1}', 1), ("text", b"hi", 1), ("binary", b"\0\xff", 2), ("protobuf", ANY, 3)],
)
def test_each_kind_of_data_has_its_member_and_json_is_text(
    data_type: DataType, data: bytes, member: int
) -> None:
    message = Message(data, data_type=data_type, group="g", sender="u", metadata={"k": "v"})
    body = (
        b"\x0a\x05group\x12\x01g"
        + block_field(3, block_field(member, data))
        + b"\x2a\x06\x0a\x01k\x12\x01v"
    )
    assert payload(PROTOBUF.encode([message], 9)) == block_field(2, body)
    assert payload(RELIABLE_PROTOBUF.encode([message], 300)) == block_field(
        2, body + b"\x20\xac\x02"
    )


def test_messages_from_the_server_are_framed_one_by_one_with_rising_ids() -> None:
    wire = RELIABLE_PROTOBUF.encode([Message(b"1" * 200), Message(b"2")], 127)
    first = b"\x0a\x06server" + block_field(3, block_field(1, b"1" * 200)) + b"\x20\x7f"
    second = b"\x0a\x06server" + block_field(3, block_field(1, b"2")) + b"\x20\x80\x01"
    size = len(block_field(2, first)) + 4
    assert payload(wire[:size]) == block_field(2, first)
    assert payload(wire[size:]) == block_field(2, second)


def test_requests_are_read_as_in_the_schema() -> None:
    data = block_field(3, block_field(2, b"\1"))
    assert request(1, text_field(1, "g"), number_field(2, 0), data, number_field(4, 1)) == Request(
        type="sendtogroup", ack_id=0, group="g", data_type="binary", data=b"\1", no_echo=True
    )
    told = request(
        1,
        text_field(1, "g"),
        number_field(5, 300),
        block_field(6, text_field(1, "K") + text_field(2, "v")),
    )
    assert (told.ttl_s, told.metadata, told.data_type, told.data) == (300, {"k": "v"}, "text", b"")
    assert request(
        5, text_field(1, "e"), block_field(2, text_field(1, "x")), number_field(3, 7)
    ) == Request(type="event", event="e", data=b"x", ack_id=7)
    assert request(6, text_field(1, "g"), number_field(2, 2**64 - 1)).ack_id == 2**64 - 1
    assert request(7, text_field(1, "g")) == Request(type="leavegroup", group="g")
    assert request(8, number_field(1, 5)) == Request(type="sequenceack", sequence_id=5)
    assert request(8).sequence_id == 0
    assert request(9) == Request(type="ping")
    assert request(10, text_field(1, "e"), text_field(2, "1")) == Request(
        type="invoke", event="e", invocation_id="1"
    )
    assert request(11, text_field(1, "1")).invocation_id == "1"


def test_json_and_any_are_kept_byte_for_byte() -> None:
    text = '{"a" :\n 1e0, "ü":[ ] }'
    asked = request(1, text_field(1, "g"), block_field(3, text_field(4, text)))
    assert (asked.data_type, asked.data) == ("json", text.encode())
    asked = request(1, text_field(1, "g"), block_field(3, block_field(3, ANY)))
    assert (asked.data_type, asked.data) == ("protobuf", ANY)


def test_of_what_comes_again_the_last_counts_and_the_unknown_is_skipped() -> None:
    unknown = varint(99 << 3 | 1) + bytes(8) + varint(98 << 3 | 5) + bytes(4) + text_field(97, "?")
    twice = text_field(1, "a") + text_field(1, "b") + unknown
    both = block_field(9, b"") + unknown + block_field(6, twice) + number_field(96, 1)
    assert parse(both) == Request(type="joingroup", group="b")


DATA = block_field(3, text_field(1, "x"))


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"text",
        block_field(2, b""),
        block_field(12, b""),
        number_field(1, 1),
        b"\x0a",
        b"\x0a\x05abc",
        b"\x0b\x0c",
        b"\x00\x00",
        b"\x4a\x00" + b"\x80" * 10 + b"\x00",
        b"\x4a\x00\x08" + b"\xff" * 9 + b"\x02",
        block_field(9, b"") + number_field(50, 0) * MAX_FIELDS,
        block_field(6, block_field(1, b"\xff")),
        block_field(1, text_field(1, "g")),
        block_field(1, text_field(1, "g") + block_field(3, b"")),
        block_field(1, text_field(1, "g") + block_field(3, text_field(4, "{"))),
        block_field(1, text_field(1, "g") + block_field(3, text_field(4, " null "))),
        block_field(1, text_field(1, "g") + block_field(3, text_field(4, "[" * 100_000))),
        block_field(1, text_field(1, "g") + block_field(3, block_field(1, b"\xff"))),
        block_field(1, text_field(1, "g") + block_field(3, block_field(3, b"\xff"))),
        block_field(1, text_field(1, "g") + DATA + number_field(5, 301)),
        block_field(1, text_field(1, "g") + DATA + block_field(6, text_field(1, "a b"))),
    ],
)
def test_what_is_no_request_is_refused(bad: bytes) -> None:
    with pytest.raises(MalformedError):
        parse(bad)


@given(st.integers(0, 2**64 - 1), st.integers(1, 2**29 - 1), st.binary(max_size=300))
def test_fields_are_read_as_they_were_written(value: int, number: int, block: bytes) -> None:
    fields = Fields(number_field(number, value) + block_field(number, block))
    assert (fields.numbers, fields.blocks) == ({number: value}, [(number, block)])


@given(st.binary(max_size=200))
def test_noise_is_a_request_or_refused(noise: bytes) -> None:
    for kind in range(18):
        with contextlib.suppress(MalformedError):
            parse(noise if kind == 0 else block_field(kind, noise))


@given(st.data())
def test_a_damaged_request_is_a_request_or_refused(data: st.DataObject) -> None:
    whole = bytearray(
        block_field(
            1,
            text_field(1, "group")
            + number_field(2, 300)
            + block_field(3, block_field(3, ANY))
            + block_field(6, text_field(1, "k") + text_field(2, "v")),
        )
    )
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(MalformedError):
        parse(bytes(whole[: data.draw(st.integers(0, len(whole)))]))


@pytest.mark.parametrize(
    ("data_type", "good", "bad"),
    [
        ("text", b"\xc3\xa9", b"\xff"),
        ("json", b' {"a":1}', b'"\xff"'),
        ("json", b'"\xc3\xa9"', b"{"),
        ("json", b"null", b"[" * 100_000),
        ("protobuf", ANY, b"\xff"),
        ("protobuf", b"", block_field(1, b"\xff")),
    ],
)
def test_content_is_of_its_type_or_would_break_its_readers(
    data_type: DataType, good: bytes, bad: bytes
) -> None:
    assert is_of(data_type, good)
    assert not is_of(data_type, bad)
    assert is_of("binary", bad)


def test_the_protocols_are_chosen_by_name() -> None:
    assert choose_dialect(["Protobuf.Reliable.WebPubSub.Azure.v1"])[0] is RELIABLE_PROTOBUF
    assert choose_dialect(["x", "protobuf.webpubsub.azure.v1"])[0] is PROTOBUF


def test_a_request_passes_the_frame_reader() -> None:
    wire = client_frame(BINARY, block_field(9, b""))
    ((opcode, data),) = FrameReader(1000).feed(wire)
    assert (opcode, parse(data).type) == (BINARY, "ping")
