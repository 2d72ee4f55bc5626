"""The crowd of the bench, and the two who talk meanwhile: what goes wrong with one is counted, and ends nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from bench.load.client import upgrade
from bench.load.guest import Door, Speaker, Wire
from bench.load.pair import Heard, Pair
from bench.load.storm import Storm

DEADLINE_S = 30
MASKED_HEAD_BYTES = 6
PAYLOAD_BYTES = 100
UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
IN, REFUSED, HUNG_UP_ON = (Door(upgrade(path)) for path in ("/in", "/refused", "/hung-up-on"))
Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def test_who_is_refused_is_counted_and_the_others_come() -> None:
    async with _serving(_doorkeeper) as port:
        storm = Storm()
        came = await storm.come(port, Wire(), [IN, REFUSED, IN])
        assert (came.errors, await storm.standing()) == (1, 2)
        assert "503" in came.why


async def test_who_is_hung_up_on_later_stands_no_longer() -> None:
    async with _serving(_doorkeeper) as port:
        storm = Storm()
        came = await storm.come(port, Wire(), [IN, HUNG_UP_ON])
        assert came.errors == 0
        async with asyncio.timeout(DEADLINE_S):
            while await storm.standing() != 1:  # noqa: ASYNC110 -- the crowd tells nobody
                await asyncio.sleep(0.01)


async def test_crowd_is_dropped_before_it_comes_back() -> None:
    gone = asyncio.Semaphore(0)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _doorkeeper(reader, writer)
        gone.release()

    async with _serving(handle) as port:
        storm = Storm()
        await storm.come(port, Wire(), [IN, IN])
        assert (await storm.come(port, Wire(), [IN, IN])).errors == 0
        assert await storm.standing() == 2
        async with asyncio.timeout(DEADLINE_S):
            await gone.acquire()
            await gone.acquire()


async def test_each_message_of_the_pair_is_heard() -> None:
    relay = _Relay(most=10**9)
    async with _serving(relay.handle) as port:
        pair = await _met(port)
        first, second = await _talk(pair, relay), await _talk(pair, relay)
    assert first.late_ns
    assert second.late_ns
    assert min(first.late_ns + second.late_ns) > 0
    assert (second.tally, second.gone) == ((0, 0, 0), "")


async def test_messages_to_one_who_was_hung_up_on_are_lost() -> None:
    relay = _Relay(most=3)
    async with _serving(relay.handle) as port:
        heard = await _talk(await _met(port), relay)
    assert len(heard.late_ns) == 3
    assert heard.tally.lost > 0
    assert heard.gone.startswith("hung up")


class _Relay:
    """It passes on what one client says to the other, and hangs up on that after ``most`` messages."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._listener: asyncio.StreamWriter | None = None
        self.passed = asyncio.Semaphore(0)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(UPGRADED)
        if self._listener is None:
            self._listener = writer
            return
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                message = await reader.readexactly(MASKED_HEAD_BYTES + PAYLOAD_BYTES)
                self._pass(message[MASKED_HEAD_BYTES:])
        writer.close()

    def _pass(self, payload: bytes) -> None:
        assert self._listener is not None
        if self._left:
            self._listener.write(bytes((0x81, PAYLOAD_BYTES)) + payload)
        else:
            self._listener.close()
        self._left = max(0, self._left - 1)
        self.passed.release()


async def _met(port: int) -> Pair:
    pair = Pair()
    await pair.meet(port, Wire(), IN, Speaker(IN, Wire()))
    return pair


async def _talk(pair: Pair, relay: _Relay) -> Heard:
    """Let ten messages pass."""
    await pair.begin()
    async with asyncio.timeout(DEADLINE_S):
        for _ in range(10):
            await relay.passed.acquire()
    return await pair.end()


async def _doorkeeper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Do what the path says, and go when the other side does."""
    request = await reader.readuntil(b"\r\n\r\n")
    if request.startswith(b"GET /refused"):
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
    else:
        writer.write(UPGRADED)
    if request.startswith(b"GET /in"):
        await reader.read()
    writer.close()


@contextlib.asynccontextmanager
async def _serving(handle: Handle) -> AsyncIterator[int]:
    """Serve until the end, when everybody is hung up on."""
    writers: list[asyncio.StreamWriter] = []

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await handle(reader, writer)

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await server.wait_closed()
