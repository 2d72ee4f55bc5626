"""Framing against RFC 6455, whatever way the bytes are cut."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from tests.wire.client_frames import client_frame
from tocsin.realtime.frames import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    FrameReader,
    close_code,
    encode_close,
    encode_frame,
)

LIMIT = 2**20
CONTINUATION = 0


def read(*pieces: bytes, limit: int = LIMIT) -> tuple[list[tuple[int, bytes]], int | None]:
    reader = FrameReader(limit)
    messages = [message for piece in pieces for message in reader.feed(piece)]
    return messages, reader.failure.code if reader.failure else None


# How fast a busy machine draws examples is no matter of the reader.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
masks = st.binary(min_size=4, max_size=4)


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[tuple[int, bytes]], bytes]:
    """Messages, fragmented at will with control frames between, and the bytes they are on the wire."""
    messages: list[tuple[int, bytes]] = []
    wire = b""
    for _ in range(draw(st.integers(0, 5))):
        text = draw(st.booleans())
        payload = draw(st.text(max_size=200)).encode() if text else draw(st.binary(max_size=300))
        cuts = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=3)))
        edges = list(zip([0, *cuts], [*cuts, len(payload)], strict=True))
        for i, (start, stop) in enumerate(edges):
            opcode = (TEXT if text else BINARY) if i == 0 else CONTINUATION
            last = i == len(edges) - 1
            wire += client_frame(opcode, payload[start:stop], final=last, mask=draw(masks))
            if not last and draw(st.booleans()):
                control = draw(st.sampled_from([PING, PONG])), draw(st.binary(max_size=125))
                wire += client_frame(*control, mask=draw(masks))
                messages.append(control)
        messages.append((TEXT if text else BINARY, payload))
    return messages, wire


@patient
@given(streams(), st.lists(st.integers(0, 3000), max_size=20))
def test_messages_survive_any_cut_of_the_bytes(
    stream: tuple[list[tuple[int, bytes]], bytes], cuts: list[int]
) -> None:
    messages, wire = stream
    edges = sorted(min(cut, len(wire)) for cut in cuts)
    pieces = [wire[a:b] for a, b in zip([0, *edges], [*edges, len(wire)], strict=True)]
    assert read(*pieces) == (messages, None)


@patient
@given(streams())
def test_messages_survive_byte_by_byte(stream: tuple[list[tuple[int, bytes]], bytes]) -> None:
    messages, wire = stream
    assert read(*(bytes((byte,)) for byte in wire)) == (messages, None)


@patient
@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=5))
def test_noise_gives_the_same_however_it_is_cut_and_never_an_exception(
    noise: bytes, cuts: list[int]
) -> None:
    edges = sorted(min(cut, len(noise)) for cut in cuts)
    pieces = [noise[a:b] for a, b in zip([0, *edges], [*edges, len(noise)], strict=True)]
    assert read(*pieces) == read(noise)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, LIMIT])
def test_every_length_form_is_read(size: int) -> None:
    assert read(client_frame(BINARY, bytes(size))) == ([(BINARY, bytes(size))], None)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_server_frames_are_those_of_websockets(size: int) -> None:
    payload = b"x" * size
    assert encode_frame(TEXT, payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)


def test_golden_server_frames() -> None:
    assert encode_frame(TEXT, b"Hello") == bytes.fromhex("810548656c6c6f")  # RFC 6455 section 5.7
    assert encode_close(1001, "bye") == bytes.fromhex("8805 03e9 627965")
    assert encode_close(1005) == bytes.fromhex("8800")


def test_rfc_example_is_unmasked() -> None:
    assert read(bytes.fromhex("818537fa213d7f9f4d5158")) == ([(TEXT, b"Hello")], None)


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (encode_frame(TEXT, b"unmasked"), 1002),
        (b"\xc1\x80abcd", 1002),  # reserved bit
        (client_frame(3, b""), 1002),  # reserved opcode
        (client_frame(0xB, b""), 1002),
        (client_frame(PING, b"", final=False), 1002),
        (client_frame(PING, bytes(126)), 1002),
        (client_frame(CONTINUATION, b"x"), 1002),
        (client_frame(TEXT, b"a", final=False) + client_frame(TEXT, b"b"), 1002),
        (b"\x81\xfe\x00\x05abcdHello", 1002),  # 5 in the 16-bit form
        (b"\x81\xff" + (200).to_bytes(8) + b"abcd", 1002),
        (client_frame(CLOSE, b"x"), 1002),
        (client_frame(CLOSE, (1005).to_bytes(2)), 1002),
        (client_frame(CLOSE, (999).to_bytes(2)), 1002),
        (client_frame(CLOSE, (1000).to_bytes(2) + b"\xff"), 1007),
        (client_frame(TEXT, b"\xff\xfe"), 1007),
        (client_frame(TEXT, "é".encode()[:1]), 1007),
        (client_frame(BINARY, bytes(LIMIT + 1)), 1009),
        (b"\x82\xff" + b"\xff" * 8, 1009),  # the announced length alone is enough
    ],
)
def test_offence_has_its_close_code(wire: bytes, code: int) -> None:
    assert read(wire) == ([], code)
    assert read(*(bytes((byte,)) for byte in wire[:64]), wire[64:]) == ([], code)


def test_fragments_together_are_limited() -> None:
    first = client_frame(BINARY, bytes(60), final=False)
    assert read(first, client_frame(CONTINUATION, bytes(40)), limit=100)[1] is None
    assert read(first, client_frame(CONTINUATION, bytes(41)), limit=100) == ([], 1009)


def test_control_frame_passes_between_fragments_at_the_limit() -> None:
    wire = client_frame(BINARY, bytes(100), final=False) + client_frame(PING, b"still there")
    assert read(wire, limit=100) == ([(PING, b"still there")], None)


def test_messages_before_an_offence_are_kept_and_nothing_after_it() -> None:
    wire = client_frame(TEXT, b"good") + b"\xff\xff" + client_frame(TEXT, b"late")
    assert read(wire, client_frame(TEXT, b"later")) == ([(TEXT, b"good")], 1002)


def test_utf8_may_be_cut_between_fragments() -> None:
    euro = "€".encode()
    wire = client_frame(TEXT, euro[:1], final=False) + client_frame(CONTINUATION, euro[1:])
    assert read(wire) == ([(TEXT, euro)], None)


def test_close_code_of_an_empty_close_is_no_status() -> None:
    assert close_code(b"") == 1005
    assert close_code((1001).to_bytes(2) + b"away") == 1001


def test_long_close_reason_is_cut_at_a_character() -> None:
    frame = encode_close(1008, "ü" * 100)
    assert len(frame) <= 2 + 125
    frame[4:].decode()
