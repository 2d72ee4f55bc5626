"""RFC 6455, sections 4 to 7, over a real socket: what a server must take, must refuse, and must itself send.

Whether a message was taken is seen by its answer: a ``ping`` of the subprotocol, put together from whatever frames, is answered
with its ``pong``.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.wire.client_frames import client_frame
from tests.wire.gateway_fixture import Node, eventually, running_node
from tests.wire.raw_client import PING, PONG, RawClient, asking, raw_client
from tocsin.realtime.settings import GatewaySettings

CONTINUATION, TEXT, BINARY, CLOSE, PING_FRAME, PONG_FRAME = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
LIMIT = 100_000


@pytest_asyncio.fixture
async def node() -> AsyncIterator[Node]:
    async with running_node(GatewaySettings(message_bytes=LIMIT, close_s=60)) as running:
        yield running


async def answered(client: RawClient, *pieces: bytes) -> None:
    """See that what was said is a whole ping."""
    await client.say(*pieces)
    heard = await client.hear()
    assert (heard.first, heard.payload) == (0x81, PONG)


async def refused(client: RawClient, code: int, *pieces: bytes) -> None:
    """See that what was said fails the connection, with a close frame and then the end of the stream."""
    await client.say(*pieces)
    heard = await client.hear()
    assert heard.opcode == CLOSE
    assert heard.close[0] == code, heard.close
    client.writer.write_eof()
    assert await client.ended() == b""


# 5.1, 5.2: base framing


async def test_the_server_masks_nothing_and_sets_no_reserved_bit(node: Node) -> None:
    async with raw_client(node) as client:
        seen = []
        for said in (asking(), client_frame(PING_FRAME, b"x"), client_frame(CLOSE, b"")):
            await client.say(said)
            seen.append(await client.hear())
        assert sorted(frame.first for frame in seen) == [0x81, 0x88, 0x8A]
        assert not any(frame.masked for frame in seen)


@pytest.mark.parametrize("bit", [0x40, 0x20, 0x10, 0x70])
@pytest.mark.parametrize("opcode", [TEXT, BINARY, CLOSE, PING_FRAME, PONG_FRAME])
async def test_a_reserved_bit_without_an_extension_fails(node: Node, bit: int, opcode: int) -> None:
    async with raw_client(node) as client:
        frame = bytearray(client_frame(opcode, b""))
        frame[0] |= bit
        await refused(client, 1002, bytes(frame))


@pytest.mark.parametrize("opcode", [0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF])
async def test_a_reserved_opcode_fails(node: Node, opcode: int) -> None:
    async with raw_client(node) as client:
        await refused(client, 1002, client_frame(opcode, b""))


@pytest.mark.parametrize("opcode", [CONTINUATION, TEXT, BINARY, CLOSE, PING_FRAME, PONG_FRAME])
async def test_an_unmasked_frame_fails(node: Node, opcode: int) -> None:
    async with raw_client(node) as client:
        await refused(client, 1002, bytes((0x80 | opcode, 0)))


@pytest.mark.parametrize("mask", [bytes(4), b"\xff" * 4, b"\x00\x01\x80\xff"])
async def test_any_mask_is_taken(node: Node, mask: bytes) -> None:
    async with raw_client(node) as client:
        await answered(client, client_frame(TEXT, PING, mask=mask))


@pytest.mark.parametrize("size", [15, 125, 126, 127, 65_535, 65_536, LIMIT])
async def test_a_message_of_every_form_of_length_is_taken(node: Node, size: int) -> None:
    async with raw_client(node) as client:
        await answered(client, asking(PING + b" " * (size - len(PING))))


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"\x81\xfe" + (125).to_bytes(2), 1002),  # fits into 7 bits
        (b"\x81\xff" + (65_535).to_bytes(8), 1002),  # fits into 16
        (
            b"\x81\xff" + (2**63).to_bytes(8),
            1009,
        ),  # the highest bit must be 0; it is too long anyway
        (b"\x81\xff" + (LIMIT + 1).to_bytes(8), 1009),
        (b"\x82\xff" + (2**63 - 1).to_bytes(8), 1009),
    ],
)
async def test_a_length_not_in_its_shortest_form_or_over_the_limit_fails_by_its_head(
    node: Node, head: bytes, code: int
) -> None:
    async with raw_client(node) as client:
        await refused(client, code, head)


async def test_a_frame_may_come_byte_by_byte(node: Node) -> None:
    async with raw_client(node) as client:
        await answered(client, *(bytes((byte,)) for byte in asking()))


async def test_many_frames_may_come_at_once(node: Node) -> None:
    async with raw_client(node) as client:
        await client.say(asking() * 200)
        assert [(await client.hear()).payload for _ in range(200)] == [PONG] * 200


# 5.4: fragmentation


async def test_fragments_are_one_message_and_empty_ones_count_for_nothing(node: Node) -> None:
    async with raw_client(node) as client:
        parts = [PING[:4], b"", PING[4:9], b"", PING[9:]]
        frames = [asking(parts[0], final=False)]
        frames += [asking(part, CONTINUATION, final=False) for part in parts[1:]]
        await answered(client, *frames, asking(b"", CONTINUATION))


async def test_control_frames_pass_between_fragments_at_once(node: Node) -> None:
    async with raw_client(node) as client:
        await client.say(asking(PING[:3], final=False), client_frame(PING_FRAME, b"now"))
        heard = await client.hear()
        assert (heard.first, heard.payload) == (0x8A, b"now")
        await client.say(client_frame(PONG_FRAME, b"unasked"))
        await answered(client, asking(PING[3:], CONTINUATION))


async def test_a_close_between_fragments_is_answered_and_ends_the_message(node: Node) -> None:
    async with raw_client(node) as client:
        await refused(
            client,
            1000,
            asking(PING[:3], final=False),
            client_frame(CLOSE, (1000).to_bytes(2)),
            asking(PING[3:], CONTINUATION),
        )


@pytest.mark.parametrize(
    "frames",
    [
        [asking(PING, CONTINUATION)],
        [asking(PING, CONTINUATION, final=False)],
        [asking(PING[:3], final=False), asking(PING)],
        [asking(PING[:3], final=False), client_frame(BINARY, b"", final=False)],
        [asking(PING), asking(b"", CONTINUATION)],
    ],
)
async def test_fragments_out_of_order_fail(node: Node, frames: list[bytes]) -> None:
    async with raw_client(node) as client:
        await client.say(*frames)
        heard = await client.hear()
        if heard.payload == PONG:  # of a whole message in front
            heard = await client.hear()
        assert (heard.opcode, heard.close[0]) == (CLOSE, 1002)


async def test_fragments_together_are_held_to_the_limit(node: Node) -> None:
    half = b" " * (LIMIT // 2)
    async with raw_client(node) as client:
        await answered(
            client,
            asking(half, final=False),
            asking(half[len(PING) :], CONTINUATION, final=False),
            asking(PING, CONTINUATION),
        )
    async with raw_client(node) as client:
        await client.say(asking(half, final=False), asking(half, CONTINUATION, final=False))
        await refused(client, 1009, asking(b" ", CONTINUATION, final=False))


# 5.5: control frames


@pytest.mark.parametrize("size", [0, 1, 125])
async def test_a_ping_is_answered_with_what_it_carried(node: Node, size: int) -> None:
    async with raw_client(node) as client:
        await client.say(client_frame(PING_FRAME, bytes(range(size))))
        heard = await client.hear()
        assert (heard.first, heard.payload) == (0x8A, bytes(range(size)))


async def test_pings_are_answered_in_their_order(node: Node) -> None:
    async with raw_client(node) as client:
        await client.say(b"".join(client_frame(PING_FRAME, b"%d" % n) for n in range(50)))
        assert [int((await client.hear()).payload) for _ in range(50)] == list(range(50))


@pytest.mark.parametrize("opcode", [CLOSE, PING_FRAME, PONG_FRAME])
async def test_a_control_frame_is_whole_and_short(node: Node, opcode: int) -> None:
    for frame in (
        client_frame(opcode, b"", final=False),
        client_frame(opcode, bytes((3, 232)) + bytes(124)),
        bytes((0x80 | opcode, 0xFF)) + (2).to_bytes(8) + bytes(6),
    ):
        async with raw_client(node) as client:
            await refused(client, 1002, frame)


# 5.6, 8.1: data


@pytest.mark.parametrize(
    "text",
    [
        b"\xff",
        b"\xc3",
        b"\xc0\xaf",  # overlong
        b"\xed\xa0\x80",  # a surrogate
        b"\xf4\x90\x80\x80",  # above the last code point
        b"ok" + b"\xe2\x82",
    ],
)
async def test_text_that_is_no_utf8_fails(node: Node, text: bytes) -> None:
    async with raw_client(node) as client:
        await refused(client, 1007, asking(text))
    async with raw_client(node) as client:
        await refused(client, 1007, asking(text[:1], final=False), asking(text[1:], CONTINUATION))


async def test_a_character_may_be_cut_between_fragments(node: Node) -> None:
    message = '{"type":"ping","x":"€𝄞é"}'.encode()
    async with raw_client(node) as client:
        frames = [asking(message[:1], final=False)]
        frames += [asking(bytes((byte,)), CONTINUATION, final=False) for byte in message[1:]]
        await answered(client, *frames, asking(b"", CONTINUATION))


async def test_binary_is_not_held_to_utf8(node: Node) -> None:
    async with raw_client(node) as client:
        await refused(client, 1003, client_frame(BINARY, b"\xff"))  # a text protocol's own rule


# 5.5.1, 7: closing


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1010, 1011, 1014, 3000, 4999])
async def test_a_close_is_answered_with_its_code_and_the_server_ends_the_connection(
    node: Node, code: int
) -> None:
    async with raw_client(node) as client:
        await client.say(client_frame(CLOSE, code.to_bytes(2) + "grüße".encode()))
        assert (await client.hear()).close[0] == code
        assert await client.ended() == b""


async def test_a_close_without_a_code_is_answered_with_one_without(node: Node) -> None:
    async with raw_client(node) as client:
        await client.say(client_frame(CLOSE, b""))
        heard = await client.hear()
        assert (heard.first, heard.payload) == (0x88, b"")
        assert await client.ended() == b""


@pytest.mark.parametrize(
    "code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]
)
async def test_a_close_code_that_is_never_on_the_wire_fails(node: Node, code: int) -> None:
    async with raw_client(node) as client:
        await refused(client, 1002, client_frame(CLOSE, code.to_bytes(2)))


async def test_a_close_of_one_byte_fails_and_so_does_a_reason_that_is_no_utf8(node: Node) -> None:
    async with raw_client(node) as client:
        await refused(client, 1002, client_frame(CLOSE, b"\x03"))
    async with raw_client(node) as client:
        await refused(client, 1007, client_frame(CLOSE, (1000).to_bytes(2) + b"\xff"))


async def test_after_a_close_nothing_is_taken(node: Node) -> None:
    async with raw_client(node) as client:
        close = client_frame(CLOSE, (1000).to_bytes(2))
        await client.say(close + asking() + client_frame(PING_FRAME, b"x") + close)
        assert (await client.hear()).opcode == CLOSE
        assert await client.ended() == b""


async def test_a_server_that_closes_waits_for_the_answer_and_then_ends(node: Node) -> None:
    async with raw_client(node) as client:
        [session] = list(node.gateway.hubs)
        node.gateway.close_session(session, 4001, "enough")
        assert (await client.hear()).close == (4001, "enough")
        await client.say(asking(), client_frame(CLOSE, (4001).to_bytes(2)))
        assert await client.ended() == b""


async def test_a_client_that_does_not_answer_a_close_is_cut_off() -> None:
    async with running_node(GatewaySettings(close_s=0.5)) as node, raw_client(node) as client:
        [session] = list(node.gateway.hubs)
        node.gateway.close_session(session, 4001, "enough")
        await client.hear()
        await client.ended()


async def test_a_stream_that_ends_without_a_close_ends_the_connection(node: Node) -> None:
    async with raw_client(node) as client:
        client.writer.write_eof()
        assert await client.ended() == b""
        await eventually(lambda: node.gateway.stats().sessions == 0)


async def test_a_stream_that_ends_within_a_frame_ends_the_connection(node: Node) -> None:
    async with raw_client(node) as client:
        await client.say(asking()[:7])
        client.writer.write_eof()
        assert await client.ended() == b""
        await eventually(lambda: node.gateway.stats().sessions == 0)


async def test_a_client_that_is_silent_is_pinged_and_then_cut_off() -> None:
    async with (
        running_node(GatewaySettings(beat_s=0.25, idle_s=0.5)) as node,
        raw_client(node) as client,
    ):
        rest = await client.ended()
        assert b"\x89\x00" in rest
        await eventually(lambda: node.gateway.stats().sessions == 0)


# 4.2: the opening handshake


def opening(node: Node, **changes: str | None) -> bytes:
    fields: dict[str, str | None] = {
        "Host": "x",
        "Upgrade": "websocket",
        "Connection": "keep-alive, Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    }
    fields |= {name.replace("_", "-"): value for name, value in changes.items()}
    path = node.url().split(str(node.port), 1)[1]
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode()


async def answer_to(node: Node, head: bytes) -> tuple[int, str]:
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    try:
        writer.write(head)
        async with asyncio.timeout(30):
            answer = (await reader.readuntil(b"\r\n\r\n")).decode()
        return int(answer.split(" ", 2)[1]), answer.lower()
    finally:
        writer.close()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Upgrade": "WebSocket"},
        {"Connection": "upgrade"},
        {"Sec_WebSocket_Protocol": "unknown, other"},
        {"Sec_WebSocket_Extensions": "x-unknown; a=1, permessage-deflate; nonsense=1"},
    ],
)
async def test_an_opening_that_holds_is_accepted(node: Node, changes: dict[str, str]) -> None:
    status, head = await answer_to(node, opening(node, **changes))
    assert status == 101
    assert "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=" in head
    assert "sec-websocket-extensions" not in head
    assert "sec-websocket-protocol" not in head


@pytest.mark.parametrize(
    "changes",
    [
        {"Sec_WebSocket_Key": None},
        {"Sec_WebSocket_Key": ""},
        {"Sec_WebSocket_Key": "MTIz"},
        {"Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ"},
        {"Sec_WebSocket_Version": None},
        {"Sec_WebSocket_Version": "8"},
        {"Sec_WebSocket_Version": "14"},
    ],
)
async def test_an_opening_that_does_not_hold_is_refused_and_told_the_version(
    node: Node, changes: dict[str, str | None]
) -> None:
    status, head = await answer_to(node, opening(node, **changes))
    assert status == 400
    assert "\r\nsec-websocket-version: 13\r\n" in head
