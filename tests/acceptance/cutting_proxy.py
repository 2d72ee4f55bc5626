"""A network that ends TCP connections after a random number of bytes, in the middle of whatever is said."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

CHUNK_BYTES = 4096
LEAST_BYTES = 200
MOST_BYTES = 8_000


class CuttingProxy:
    """Passes connections on to ``target``, and resets both ends of each when its bytes are used up.

    After ``most_cuts`` it cuts no more; ``cuts`` counts them.
    """

    def __init__(self, target: int, most_cuts: int, rng: random.Random) -> None:
        self.port = 0
        self.cuts = 0
        self._target = target
        self._most_cuts = most_cuts
        self._rng = rng

    @property
    def is_calm(self) -> bool:
        """Whether every cut has been made."""
        return self.cuts >= self._most_cuts

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one connection; the bytes of both directions count."""
        with contextlib.suppress(OSError):
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target)
            life = _Life(self._rng.randint(LEAST_BYTES, MOST_BYTES), (writer, up_writer))
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(life, reader, up_writer))
                both.create_task(self._pump(life, up_reader, writer))

    async def _pump(
        self, life: "_Life", source: asyncio.StreamReader, sink: asyncio.StreamWriter
    ) -> None:
        try:
            while chunk := await source.read(CHUNK_BYTES):
                if life.left_bytes <= len(chunk) and not self.is_calm:
                    sink.write(chunk[: life.left_bytes])
                    self.cuts += 1
                    return
                life.left_bytes -= len(chunk)
                sink.write(chunk)
                await sink.drain()
        except OSError:
            return
        finally:
            life.end()


class _Life:
    """What two pumps share: how much may still pass, and both ends."""

    def __init__(self, left_bytes: int, ends: tuple[asyncio.StreamWriter, ...]) -> None:
        self.left_bytes = left_bytes
        self._ends = ends

    def end(self) -> None:
        for end in self._ends:
            end.transport.abort()


@contextlib.asynccontextmanager
async def cutting_proxy_to(
    port: int, most_cuts: int, rng: random.Random
) -> AsyncIterator[CuttingProxy]:
    """Run a cutting network in front of ``port``."""
    proxy = CuttingProxy(port, most_cuts, rng)
    async with await asyncio.start_server(proxy.serve, "127.0.0.1", 0) as server:
        proxy.port = server.sockets[0].getsockname()[1]
        yield proxy
