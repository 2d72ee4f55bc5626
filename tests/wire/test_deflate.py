"""permessage-deflate (RFC 7692): offers and answers, both directions, bombs, and real clients."""

import asyncio
import json
import re
import zlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.typing import Subprotocol

from tests.wire.client_frames import client_frame
from tests.wire.gateway_fixture import Node, running_node
from tests.wire.raw_client import PING, PONG, RawClient, raw_client
from tocsin.realtime.deflate import DeflatingSink, Terms, deflate, inflate, negotiate
from tocsin.realtime.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    TEXT,
    FrameError,
    FrameReader,
    encode_close,
    encode_frame,
    frames_in,
)
from tocsin.realtime.message import Message
from tocsin.realtime.settings import GatewaySettings

LIMIT = 100_000
COMPRESSED = 0x40
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
JSON = [Subprotocol("json.webpubsub.azure.v1")]
NO_TAKEOVER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


@pytest_asyncio.fixture
async def node() -> AsyncIterator[Node]:
    async with running_node(
        GatewaySettings(message_bytes=LIMIT, permessage_deflate=True)
    ) as running:
        yield running


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        ("permessage-deflate", NO_TAKEOVER),
        ("permessage-deflate; client_max_window_bits", NO_TAKEOVER),
        ('permessage-deflate; client_max_window_bits="10"', NO_TAKEOVER),
        ("permessage-deflate;server_no_context_takeover;client_no_context_takeover", NO_TAKEOVER),
        (
            "permessage-deflate; server_max_window_bits=10",
            f"{NO_TAKEOVER}; server_max_window_bits=10",
        ),
        ("x-other; y, permessage-deflate", NO_TAKEOVER),
        ("permessage-deflate; server_max_window_bits=8, permessage-deflate", NO_TAKEOVER),
        ("permessage-deflate; unknown, permessage-deflate", NO_TAKEOVER),
    ],
)
def test_the_first_offer_that_can_be_taken_is(offer: str, answer: str) -> None:
    terms = negotiate(offer)
    assert terms is not None
    assert terms.answer == answer


@pytest.mark.parametrize(
    "offer",
    [
        "",
        "x-webkit-deflate-frame",
        "Permessage-Deflate ",
        "permessage-deflate; server_max_window_bits",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=08",
        "permessage-deflate; server_max_window_bits=8",
        "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
        "permessage-deflate; client_max_window_bits=",
        "permessage-deflate; client_max_window_bits=99",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; foo=bar",
    ],
)
def test_an_offer_that_cannot_be_taken_is_declined(offer: str) -> None:
    assert negotiate(offer) is None


@patient
@given(st.text(max_size=200))
def test_a_noisy_offer_is_taken_or_declined(offer: str) -> None:
    negotiate(offer)
    negotiate(f"permessage-deflate; {offer}")


@patient
@given(st.binary(max_size=3000), st.integers(9, 15))
def test_what_is_deflated_inflates_again(message: bytes, bits: int) -> None:
    assert inflate(deflate(message, bits), 3000) == message


@patient
@given(st.binary(max_size=300))
def test_noise_inflates_or_fails_as_stated(noise: bytes) -> None:
    code = 0
    try:
        assert len(inflate(noise, 1000)) <= 1000
    except FrameError as error:
        code = error.failure.code
    assert code in {0, 1007, 1009}


def test_the_examples_of_the_rfc_inflate() -> None:
    assert inflate(bytes.fromhex("f248cdc9c90700"), 5) == b"Hello"
    assert inflate(bytes.fromhex("000500faff48656c6c6f00"), 5) == b"Hello"  # stored
    assert inflate(bytes.fromhex("f348cdc9c9070000"), 5) == b"Hello"  # a final block
    assert inflate(bytes.fromhex("f24805000000ffffcac9c90700"), 5) == b"Hello"  # two blocks
    assert inflate(b"\x00", 5) == b""


def test_an_empty_input_is_an_empty_message() -> None:
    assert inflate(b"", 5) == b""


def bomb(size: int) -> bytes:
    """Return about a thousandth of ``size`` bytes that inflate to so many."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    parts = [stream.compress(bytes(2**20)) for _ in range(size // 2**20)]
    return b"".join([*parts, stream.flush(zlib.Z_SYNC_FLUSH)]).removesuffix(b"\0\0\xff\xff")


def test_a_bomb_is_not_inflated_beyond_the_limit() -> None:
    import tracemalloc  # noqa: PLC0415 -- only this test needs it

    data = bomb(256 * 2**20)
    assert len(data) < LIMIT * 3
    tracemalloc.start()
    try:
        with pytest.raises(FrameError) as failed:
            inflate(data, LIMIT)
        assert tracemalloc.get_traced_memory()[1] < 2 * LIMIT + 4 * len(data)
    finally:
        tracemalloc.stop()
    assert failed.value.failure.code == 1009


def test_a_reader_without_terms_refuses_the_bit() -> None:
    reader = FrameReader(LIMIT)
    assert reader.feed(client_frame(TEXT | COMPRESSED, deflate(b"x", 15))) == []
    assert reader.failure is not None
    assert reader.failure.code == 1002


@patient
@given(
    st.lists(st.tuples(st.text(max_size=400), st.booleans(), st.integers(1, 5)), max_size=5),
    st.lists(st.integers(0, 3000), max_size=10),
)
def test_compressed_and_plain_messages_survive_fragments_and_cuts(
    messages: list[tuple[str, bool, int]], cuts: list[int]
) -> None:
    wire = b""
    for text, is_compressed, parts in messages:
        data = deflate(text.encode(), 15) if is_compressed else text.encode()
        step = max(1, -(-len(data) // parts))
        pieces = [data[at : at + step] for at in range(0, len(data), step)] or [b""]
        for number, piece in enumerate(pieces):
            opcode = TEXT | COMPRESSED * is_compressed if number == 0 else CONTINUATION
            wire += client_frame(opcode, piece, final=number == len(pieces) - 1)
    reader = FrameReader(LIMIT, inflate)
    edges = sorted(min(cut, len(wire)) for cut in cuts)
    heard = []
    for start, end in zip([0, *edges], [*edges, len(wire)], strict=True):
        heard += reader.feed(wire[start:end])
    assert reader.failure is None
    assert heard == [(TEXT, text.encode()) for text, _, _ in messages]


class Written:
    """Keeps what a sink writes."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


def test_the_sink_compresses_what_shrinks_and_leaves_control_frames_alone() -> None:
    small, large = encode_frame(TEXT, b"{}"), encode_frame(TEXT, b'{"a":1}' * 1000)
    noise = encode_frame(BINARY, bytes(range(256)))
    close = encode_close(1000, "x" * 100)
    written = Written()
    DeflatingSink(written, Terms()).write(small + large + noise + close)
    assert written.data.startswith(small)
    assert written.data.endswith(noise + close)
    middle = written.data[len(small) : -len(noise + close)]
    assert middle[0] == 0xC1
    assert len(middle) < 200
    assert inflate(middle[2:], LIMIT) == b'{"a":1}' * 1000


def test_what_many_are_sent_is_compressed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    windows: list[int] = []

    def counted(message: bytes, window_bits: int) -> bytes:
        windows.append(window_bits)
        return deflate(message, window_bits)

    monkeypatch.setattr("tocsin.realtime.deflate.deflate", counted)
    text = b'{"once":1}' * 1000
    frames = encode_frame(TEXT, text)
    wide, narrow = [Written() for _ in range(100)], Written()
    for written in wide:
        DeflatingSink(written, Terms()).write(frames)
    DeflatingSink(narrow, Terms(window_bits=9)).write(frames)
    assert windows == [15, 9]
    assert {written.data for written in wide} == {wide[0].data}
    for written in (wide[0], narrow):
        [(first, frame, payload_at)] = frames_in(written.data)
        assert (first, inflate(frame[payload_at:], LIMIT)) == (0xC1, text)


# Over real sockets


async def closes(client: RawClient, code: int, *frames: bytes) -> None:
    await client.say(*frames)
    heard = await client.hear()
    assert (heard.opcode, heard.close[0]) == (CLOSE, code)


async def test_nothing_is_agreed_on_unless_it_is_switched_on_and_offered(node: Node) -> None:
    async with raw_client(node) as client:
        assert "extensions" not in client.head.lower()
        await closes(client, 1002, client_frame(TEXT | COMPRESSED, deflate(PING, 15)))
    async with (
        running_node() as plain,
        raw_client(plain, extensions="permessage-deflate") as client,
    ):
        assert "extensions" not in client.head.lower()
        await closes(client, 1002, client_frame(TEXT | COMPRESSED, deflate(PING, 15)))


async def test_compressed_requests_are_taken_and_a_bomb_is_too_large(node: Node) -> None:
    async with raw_client(node, extensions="permessage-deflate") as client:
        assert f"Sec-WebSocket-Extensions: {NO_TAKEOVER}\r\n" in client.head
        for frame in (deflate(PING, 15), deflate(PING + b" " * (LIMIT - len(PING)), 9)):
            await client.say(client_frame(TEXT | COMPRESSED, frame))
            assert (await client.hear()).payload == PONG
        await client.say(client_frame(TEXT, PING))
        assert (await client.hear()).payload == PONG
        await closes(client, 1009, client_frame(TEXT | COMPRESSED, bomb(2**24)))


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([client_frame(TEXT | COMPRESSED, b"\xff\xff\xff")], 1007),
        ([client_frame(TEXT | COMPRESSED, deflate(b"\xff", 15))], 1007),
        ([client_frame(TEXT | COMPRESSED, deflate(PING, 15) + b"\x01\x00\x00\xff\xffmore")], 1007),
        ([client_frame(0x9 | COMPRESSED, b"")], 1002),
        ([client_frame(0x8 | COMPRESSED, b"")], 1002),
        ([client_frame(TEXT | 0x20, b"")], 1002),
        (
            [
                client_frame(TEXT | COMPRESSED, b"", final=False),
                client_frame(CONTINUATION | COMPRESSED, b""),
            ],
            1002,
        ),
    ],
)
async def test_what_is_wrongly_compressed_fails(node: Node, frames: list[bytes], code: int) -> None:
    async with raw_client(node, extensions="permessage-deflate") as client:
        await closes(client, code, *frames)


@pytest.mark.parametrize("window", [None, 10])
async def test_websockets_speaks_compressed_both_ways(node: Node, window: int | None) -> None:
    factory = ClientPerMessageDeflateFactory(
        server_max_window_bits=window, client_max_window_bits=True
    )
    async with connect(node.url(), subprotocols=JSON, compression=None, extensions=[factory]) as ws:
        assert [e.name for e in ws.protocol.extensions] == ["permessage-deflate"]
        await heard(ws.recv)
        for number in range(1, 4):
            node.announce(number, pad="long " * 1000)
            while (await heard(ws.recv)).get("data", {}).get("rev") != number:
                pass
        await ws.send(json.dumps({"type": "ping", "pad": "long " * 1000}))
        while (await heard(ws.recv))["type"] != "pong":
            pass


async def test_aiohttp_speaks_compressed_both_ways(node: Node) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(node.url(), protocols=JSON, compress=15) as ws,
    ):
        assert ws.compress
        await heard(ws.receive_str)
        node.announce(1, pad="long " * 1000)
        while (await heard(ws.receive_str)).get("data", {}).get("rev") != 1:
            pass
        await ws.send_str(json.dumps({"type": "ping", "pad": "long " * 1000}))
        while (await heard(ws.receive_str))["type"] != "pong":
            pass


async def heard(receive: Any) -> Any:
    async with asyncio.timeout(30):
        return json.loads(await receive())


async def test_what_is_sent_is_smaller_on_the_wire(node: Node) -> None:
    async with raw_client(node, extensions="permessage-deflate") as client:
        [session] = list(node.gateway.hubs)
        node.gateway.post.to_connection(session, Message(b'"%b"' % (b"long " * 2000)))
        frame = await client.hear()
        assert frame.first == 0xC1
        assert len(frame.payload) < 300
        assert re.search(b"long long", inflate(frame.payload, LIMIT))
