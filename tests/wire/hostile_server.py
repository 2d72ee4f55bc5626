"""Servers that answer what a test tells them, byte by byte."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@dataclass
class Hostile:
    """A listening server: its port, the heads of the requests it got, and its open connections."""

    port: int = 0
    heads: list[str] = field(default_factory=list)
    open: set[asyncio.StreamWriter] = field(default_factory=set)
    accepted: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


def says(*parts: bytes) -> Behaviour:
    """Answer with these bytes."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return answer


def repeats(start: bytes, part: bytes, pause_s: float = 0) -> Behaviour:
    """Answer with a start and then the same part for ever."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while True:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return answer


async def hangs(_writer: asyncio.StreamWriter) -> None:
    """Answer nothing, for ever."""
    await asyncio.Event().wait()


async def resets(writer: asyncio.StreamWriter) -> None:
    """Drop the connection."""
    writer.transport.abort()


@contextmanager
def nobody_listening() -> Iterator[str]:
    """Hold a loopback port on which nobody listens, so that no other program does meanwhile; yields its URL."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@asynccontextmanager
async def listening(
    behaviour: Behaviour, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Hostile]:
    """Serve ``behaviour`` to every request on a loopback port; at the end everything is dropped."""
    state, tasks = Hostile(), set[asyncio.Task[None]]()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        state.accepted += 1
        state.open.add(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                state.heads.append(head)
                length = head.lower().partition("content-length: ")[2].partition("\r\n")[0]
                await reader.readexactly(int(length or 0))
                await behaviour(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            state.open.discard(writer)
            writer.transport.abort()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(converse(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.wait([asyncio.ensure_future(asyncio.sleep(0)), *tasks])
