"""A client that says exactly the bytes a test tells it, over a real socket, and reads what a server may send."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from tests.wire.client_frames import client_frame
from tests.wire.gateway_fixture import Node

PATIENCE_S = 30.0
JSON_V1 = "json.webpubsub.azure.v1"


class Heard(NamedTuple):
    """One frame of the server; ``first`` is its first byte."""

    first: int
    payload: bytes
    masked: bool

    @property
    def opcode(self) -> int:
        return self.first & 0x0F

    @property
    def close(self) -> tuple[int, str]:
        return int.from_bytes(self.payload[:2]), self.payload[2:].decode()


class RawClient:
    """One upgraded connection."""

    def __init__(
        self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.head = head
        self.reader = reader
        self.writer = writer

    async def say(self, *pieces: bytes) -> None:
        """Send bytes; each piece leaves before the next is written."""
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(0)

    async def hear(self) -> Heard:
        """Read one frame, of whatever kind but the server's own pings."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                first, second = await self.reader.readexactly(2)
                size = second & 0x7F
                if size > 125:
                    size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8))
                frame = Heard(first, await self.reader.readexactly(size), bool(second & 0x80))
                if frame.opcode != 0x9:
                    return frame

    async def ended(self) -> bytes:
        """Wait until the server ends the connection; return what still came."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""


@asynccontextmanager
async def raw_client(
    node: Node, *, subprotocol: str = JSON_V1, extensions: str = "", user: str = "u1"
) -> AsyncIterator[RawClient]:
    """Upgrade a connection and read its greeting."""
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    path = node.url(user, scope=None).split(str(node.port), 1)[1]
    key = base64.b64encode(os.urandom(16)).decode()
    offered = f"Sec-WebSocket-Extensions: {extensions}\r\n" if extensions else ""
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{offered}"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
        f"Sec-WebSocket-Protocol: {subprotocol}\r\n\r\n".encode()
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert head.startswith("HTTP/1.1 101 "), head
        client = RawClient(head, reader, writer)
        assert b'"connected"' in (await client.hear()).payload
        yield client
    finally:
        writer.close()


PING = b'{"type":"ping"}'
PONG = b'{"type":"pong"}'


def asking(payload: bytes = PING, opcode: int = 1, *, final: bool = True) -> bytes:
    """Return the frame of a request that is answered with ``PONG``, or a part of one."""
    return client_frame(opcode, payload, final=final)
