"""A bad network between a client and the server: it can delay, stall, cut and half-close connections."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

CHUNK_BYTES = 65_536

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[asyncio.StreamReader], Awaitable[Streams]]
"""Opens the server's side for a client, of whom it may read the beginning."""


class TcpProxy:
    """Passes TCP connections on to what ``dial`` opens.

    ``accepted`` counts them, ``upward`` the bytes towards the server, ``downward`` those from it.  Each chunk waits for ``delay_s``
    seconds in either direction.
    """

    def __init__(self, dial: Dial) -> None:
        self.port = 0
        self.accepted = 0
        self.upward = 0
        self.downward = 0
        self.delay_s = 0.0
        self._dial = dial
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._answering = asyncio.Event()
        self._answering.set()
        self._client_sides: set[asyncio.StreamWriter] = set()
        self._server_sides: set[asyncio.StreamWriter] = set()
        self._ended_sides: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def stall(self) -> None:
        """Pass nothing on from now on, in either direction; nobody is told."""
        self._flowing.clear()

    def resume(self) -> None:
        """Pass things on again."""
        self._flowing.set()

    def mute(self) -> None:
        """Hold back what the server says from now on; what clients say is still passed on."""
        self._answering.clear()

    def unmute(self) -> None:
        """Pass on what the server says again."""
        self._answering.set()

    def cut(self) -> None:
        """End every connection for the client.

        While stalled the server's side of it hangs on, as behind a mobile network that forgot the client.
        """
        for side in self._client_sides:
            side.close()
        self._client_sides.clear()

    def half_close(self) -> None:
        """Tell the server of every connection that its client says nothing more; what the server says still comes."""
        for side in self._server_sides:
            if side.can_write_eof() and not side.is_closing():
                side.write_eof()
                self._ended_sides.add(side)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.accepted += 1
        self._client_sides.add(writer)
        try:
            await self._flowing.wait()
            await self._join(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            self._client_sides.discard(writer)
            writer.close()

    async def stop(self) -> None:
        """End everything."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await self._dial(reader)
        self._server_sides.add(up_writer)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, up_writer, up=True))
                both.create_task(self._pump(up_reader, writer, up=False))
        except* OSError:
            pass
        finally:
            self._server_sides.discard(up_writer)
            self._ended_sides.discard(up_writer)
            up_writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool
    ) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            await asyncio.sleep(self.delay_s)
            await self._flowing.wait()
            if not up:
                await self._answering.wait()
            if writer in self._ended_sides:
                continue  # the client does not know that nobody hears it
            if up:
                self.upward += len(chunk)
            else:
                self.downward += len(chunk)
            writer.write(chunk)
            await writer.drain()
        await self._flowing.wait()
        writer.close()


def to_port(port: int) -> Dial:
    """Lead to a port."""

    async def dial(_client: asyncio.StreamReader) -> Streams:
        return await asyncio.open_connection("127.0.0.1", port)

    return dial


@contextlib.asynccontextmanager
async def proxy_by(dial: Dial) -> AsyncIterator[TcpProxy]:
    """Run a proxy in front of what ``dial`` opens."""
    proxy = TcpProxy(dial)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.stop()


@contextlib.asynccontextmanager
async def proxy_to(port: int) -> AsyncIterator[TcpProxy]:
    """Run a proxy in front of ``port``."""
    async with proxy_by(to_port(port)) as proxy:
        yield proxy
