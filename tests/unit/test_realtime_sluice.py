"""Sockets that all have something at once are read a few per turn; time by hand, sockets of the kernel."""

import asyncio
import contextlib
import itertools
import socket
import ssl
from collections.abc import Callable, Iterator

import pytest

from tocsin.realtime.sluice import Reading, Sluice

_EACH_S = 1 / 4096


class Transport:
    """What a reading needs of a transport: its socket, and whether it closes."""

    def __init__(self, ours: socket.socket, context: ssl.SSLContext | None = None) -> None:
        self._extra = {"socket": ours, "sslcontext": context}
        self.closing = self.aborted = False

    def get_extra_info(self, name: str) -> object:
        return self._extra[name]

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = self.aborted = True


class Reader:
    """Takes what is read; each time takes so long."""

    def __init__(self, passes: Callable[[], None], *, stays: bool = False) -> None:
        self.heard: list[bytes] = []
        self.at_end = False
        self._passes = passes
        self._stays = stays

    def data_received(self, data: bytes) -> None:
        self._passes()
        self.heard.append(data)

    def eof_received(self) -> bool:
        self.at_end = True
        return self._stays


class Sockets:
    """Pairs of sockets, of which ours are read."""

    def __init__(self, slice_s: float) -> None:
        self.sluice = Sluice(slice_s, lambda: self._now_s)
        self.pairs: list[tuple[socket.socket, socket.socket]] = []
        self._now_s = 0.0

    def open(self, *, stays: bool = False) -> tuple[socket.socket, Reader, Transport, Reading]:
        """Return a peer, what reads it, and the transport."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self.pairs.append((ours, theirs))
        reader, transport = Reader(self._pass, stays=stays), Transport(ours)
        reading = self.sluice.read(reader, transport)  # type: ignore[arg-type]  # all that is used of one
        assert reading is not None
        return theirs, reader, transport, reading

    def close(self) -> None:
        for pair in itertools.chain.from_iterable(self.pairs):
            pair.close()

    def _pass(self) -> None:
        self._now_s += _EACH_S


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    with contextlib.closing(Sockets(slice_s=3.5 * _EACH_S)) as made:
        yield made


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop turn; the test's time limit ends it otherwise."""
    while not holds():  # noqa: ASYNC110 -- what is waited for has no event
        await asyncio.sleep(0)


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_crowd_that_speaks_at_once_is_read_in_slices(sockets: Sockets) -> None:
    crowd = [sockets.open() for _ in range(40)]
    for peer, *_ in crowd:
        peer.send(b"hello")
    seen = [0]
    while seen[-1] < len(crowd):
        await asyncio.sleep(0)
        seen.append(sum(bool(reader.heard) for _, reader, *_ in crowd))
    assert max(after - before for before, after in itertools.pairwise(seen)) == 4  # fill the slice
    assert all(reader.heard == [b"hello"] for _, reader, *_ in crowd)


async def test_who_speaks_without_end_keeps_nobody_from_being_heard(sockets: Sockets) -> None:
    loud = [sockets.open() for _ in range(8)]
    quiet_peer, quiet, *_ = sockets.open()
    for peer, *_ in loud:
        peer.send(b"x")
    quiet_peer.send(b"psst")
    for _ in range(20):
        for peer, *_ in loud:
            peer.send(b"x")
        await asyncio.sleep(0)
    assert quiet.heard == [b"psst"]


async def test_a_crowd_that_ends_at_once_closes_a_few_per_turn(sockets: Sockets) -> None:
    crowd = [sockets.open() for _ in range(100)]
    for peer, *_ in crowd:
        peer.close()
    seen = [0]
    while seen[-1] < len(crowd):
        await asyncio.sleep(0)
        seen.append(sum(transport.closing for _, _, transport, _ in crowd))
    assert max(after - before for before, after in itertools.pairwise(seen)) <= 32
    assert all(reader.at_end and not transport.aborted for _, reader, transport, _ in crowd)
    assert len(sockets.sluice) == 0


async def test_what_was_said_before_the_end_is_heard_first(sockets: Sockets) -> None:
    peer, reader, transport, _ = sockets.open()
    peer.send(b"goodbye")
    peer.close()
    await until(lambda: reader.at_end)
    assert reader.heard == [b"goodbye"]
    assert transport.closing


async def test_who_wants_to_speak_on_after_the_end_may(sockets: Sockets) -> None:
    peer, reader, transport, _ = sockets.open(stays=True)
    peer.close()
    await until(lambda: reader.at_end)
    assert not transport.closing
    assert len(sockets.sluice) == 0


async def test_a_reset_connection_is_lost(sockets: Sockets) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    theirs = socket.create_connection(listening.getsockname())
    ours, _ = listening.accept()
    sockets.pairs += [(listening, ours)]
    ours.setblocking(False)
    reader, transport = Reader(lambda: None), Transport(ours)
    sockets.sluice.read(reader, transport)  # type: ignore[arg-type]  # all that is used of one
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    theirs.close()
    await until(lambda: transport.aborted)
    assert not reader.at_end
    assert len(sockets.sluice) == 0


async def test_what_has_ended_is_read_no_more(sockets: Sockets) -> None:
    peer, reader, _, reading = sockets.open()
    other_peer, other, *_ = sockets.open()
    reading.end()
    reading.end()
    peer.send(b"anybody?")
    other_peer.send(b"hello")
    await until(lambda: bool(other.heard))
    assert reader.heard == []


async def test_a_transport_that_closes_is_read_no_more(sockets: Sockets) -> None:
    peer, reader, transport, _ = sockets.open()
    peer.send(b"anybody?")
    transport.close()
    await until(lambda: len(sockets.sluice) == 0)
    assert reader.heard == []


async def test_the_end_of_a_reading_leaves_a_newer_one_of_the_same_descriptor(
    sockets: Sockets,
) -> None:
    _, old, _, ended_late = sockets.open()
    ours, theirs = sockets.pairs.pop()
    number = ours.fileno()
    ours.close()
    theirs.close()
    peer, new, _, reading = sockets.open()
    assert reading.fd == number, "the kernel gives the lowest number that is free"
    ended_late.end()
    peer.send(b"hello")
    await until(lambda: bool(new.heard))
    assert old.heard == []


async def test_who_is_ended_by_another_in_the_same_turn_is_not_read(sockets: Sockets) -> None:
    crowd = [sockets.open() for _ in range(3)]
    heard = []

    def ends_all(data: bytes) -> None:
        heard.append(data)
        for *_, reading in crowd:
            reading.end()

    for peer, reader, *_ in crowd:
        reader.data_received = ends_all  # type: ignore[method-assign]
        peer.send(b"me first")
    await turns(10)
    assert heard == [b"me first"]


async def test_what_only_its_transport_can_read_is_left_to_it() -> None:
    sluice = Sluice()
    ours, theirs = socket.socketpair()
    encrypted = Transport(ours, ssl.create_default_context())
    gone = Transport(ours)
    gone._extra["socket"] = None  # as uvloop says of a transport that has closed
    for transport in (encrypted, gone):
        assert sluice.read(Reader(lambda: None), transport) is None  # type: ignore[arg-type]  # all that is used of one
    assert len(sluice) == 0
    ours.close()
    theirs.close()
