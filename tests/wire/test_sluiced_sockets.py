"""Who reads a connection from its first byte to its end: the sluice, the transport, and the sluice again."""

import asyncio

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.wire.gateway_fixture import eventually, running_node
from tocsin.api.http_guard import guarded_protocol
from tocsin.realtime.sluice import Sluice

JSON = [Subprotocol("json.webpubsub.azure.v1")]
SILENCE_S = 0.5


async def test_a_socket_is_read_through_the_sluice_until_it_ends() -> None:
    async with running_node() as node:
        sluice = node.gateway.sluice
        async with connect(node.url(), subprotocols=JSON) as ws:
            assert '"connected"' in str(await ws.recv())
            assert len(sluice) == 1
            await ws.ping()
        await eventually(lambda: len(sluice) == 0)


async def test_a_socket_that_the_gateway_ends_leaves_the_sluice() -> None:
    async with running_node() as node, connect(node.url(user="ada"), subprotocols=JSON) as ws:
        await ws.recv()
        node.gateway.revoke("chat", "ada")
        await ws.wait_closed()
        await eventually(lambda: len(node.gateway.sluice) == 0)


async def test_a_request_in_pieces_and_its_successor_are_answered_and_leave_the_sluice() -> None:
    sluice = Sluice()
    async with running_node(http=guarded_protocol(16_384, 10, 30, sluice)) as node:
        reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
        await eventually(lambda: len(sluice) == 1)
        for piece in (b"GET /nothing HT", b"TP/1.1\r\nHost: x\r\n", b"\r\n"):
            writer.write(piece)
            await eventually(lambda: len(sluice) == 0)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 404 ")
        writer.write(b"GET /again HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).count(b"HTTP/1.1 404 ") == 1
        writer.close()


async def test_who_connects_and_goes_without_a_word_leaves_the_sluice() -> None:
    sluice = Sluice()
    async with running_node(http=guarded_protocol(16_384, 10, 30, sluice)) as node:
        _, writer = await asyncio.open_connection("127.0.0.1", node.port)
        await eventually(lambda: len(sluice) == 1)
        writer.close()
        await eventually(lambda: len(sluice) == 0)


async def test_who_connects_and_says_nothing_is_closed() -> None:
    sluice = Sluice()
    async with running_node(http=guarded_protocol(16_384, SILENCE_S, 30, sluice)) as node:
        reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
        assert await reader.read() == b""
        await eventually(lambda: len(sluice) == 0)
        writer.close()


async def test_a_crowd_that_comes_back_at_once_loses_nobody() -> None:
    sluice = Sluice()
    async with running_node(http=guarded_protocol(16_384, 10, 30, sluice)) as node:
        for _ in range(2):
            crowd = await asyncio.gather(
                *(connect(node.url(f"u{number}"), subprotocols=JSON) for number in range(150))
            )
            greetings = await asyncio.gather(*(ws.recv() for ws in crowd))
            assert all('"connected"' in str(greeting) for greeting in greetings)
            assert len(node.gateway.sluice) == len(crowd)
            for ws in crowd:
                ws.transport.abort()
            await eventually(lambda: len(node.gateway.sluice) == 0)
        assert len(sluice) == 0
