"""What is written past a transport: whole, in order, never after it, and never in the clear."""

import asyncio
import gc
import json
import socket
import struct
from typing import Any

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.unit.realtime_fakes import FakeTransport, payloads
from tests.wire.gateway_fixture import Node, eventually, running_node
from tocsin.realtime.direct import direct_sink
from tocsin.realtime.frames import PING, encode_frame
from tocsin.realtime.session import Session
from tocsin.realtime.settings import GatewaySettings

JSON = [Subprotocol("json.webpubsub.azure.v1")]
PING_FRAME = encode_frame(PING, b"")
BROADCASTS, PAD = 300, "x" * 50_000  # 15 MB: more than the kernel keeps for one connection


async def raw_client(node: Node, user: str) -> tuple[socket.socket, bytes]:
    """Return an upgraded connection that nobody reads, and what came with the answer."""
    loop, client = asyncio.get_running_loop(), socket.socket()
    client.setblocking(False)
    await loop.sock_connect(client, ("127.0.0.1", node.port))
    path = node.url(user).split(str(node.port), 1)[1]
    await loop.sock_sendall(
        client,
        f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n".encode(),
    )
    came = b""
    while b"\r\n\r\n" not in came:
        came += await loop.sock_recv(client, 65_536)
    return client, came.partition(b"\r\n\r\n")[2]


def takes_more(session: Session) -> bool:
    return session.sink is not None


async def test_a_reader_that_rests_gets_every_broadcast_whole_and_in_order() -> None:
    settings = GatewaySettings(outbox_bytes=64 * 2**20)
    async with running_node(settings) as node:
        client, came = await raw_client(node, "resting")
        await eventually(lambda: node.gateway.anti_entropy.heads == 1)
        for rev in range(1, BROADCASTS + 1):
            node.announce(rev, user=None, pad=PAD)
            await asyncio.sleep(0)
        await eventually(lambda: node.gateway.writer.sent == BROADCASTS + 1)
        [session] = node.gateway.hubs
        assert not takes_more(session)
        loop, ends = asyncio.get_running_loop(), b'"rev":%d,' % BROADCASTS
        wire = bytearray(came)
        while ends not in wire[-len(PAD) - 200 :] or not wire.rstrip(PING_FRAME).endswith(b'"}'):
            wire += await loop.sock_recv(client, 2**20)
        # A ping, which may come at any time, holds nothing.
        found = [json.loads(payload) for payload in payloads(bytes(wire)) if payload]
        assert [m["rev"] for m in found if m["kind"] == "test"] == [*range(1, BROADCASTS + 1)]
        await eventually(lambda: takes_more(session))
        client.close()


async def test_broadcast_to_a_connection_that_is_gone_ends_it_and_reaches_the_others() -> None:
    async with running_node() as node, connect(node.url("there"), subprotocols=JSON) as there:
        client, _ = await raw_client(node, "gone")
        await eventually(lambda: node.gateway.anti_entropy.heads == 2)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()  # a reset, which the server has not heard of when it writes
        node.announce(7, user=None)
        async with asyncio.timeout(30):
            while json.loads(await there.recv()).get("data", {}).get("rev") != 7:
                pass
        await eventually(lambda: node.gateway.stats().sessions == 1)


async def test_the_connection_stays_its_transports_when_the_borrower_is_gone() -> None:
    loop, (ours, theirs) = asyncio.get_running_loop(), socket.socketpair()
    theirs.setblocking(False)
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
    sink = direct_sink(transport)
    assert sink is not None
    assert sink.write(b"past it, ") == 9
    del sink
    gc.collect()
    transport.write(b"and through it")
    transport.close()
    came = b""
    while part := await loop.sock_recv(theirs, 100):
        came += part
    assert came == b"past it, and through it"
    theirs.close()


def test_encrypted_or_unknown_connection_is_not_written_past() -> None:
    ours, theirs = socket.socketpair()

    class Encrypted(FakeTransport):
        def get_extra_info(self, name: str) -> Any:
            return {"socket": ours, "sslcontext": object()}.get(name)

    assert direct_sink(Encrypted()) is None  # type: ignore[arg-type]
    assert direct_sink(FakeTransport()) is None  # type: ignore[arg-type]
    ours.close()
    theirs.close()
