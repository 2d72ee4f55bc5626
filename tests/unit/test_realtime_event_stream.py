"""A session over Server-Sent Events: positions, bounds, beats, the end.  No socket; clock and loop turned by hand."""

import asyncio
import json
from typing import Any

from tests.unit.realtime_fakes import FakeClock, FakeStore, NoHandlers, Notes, Turns
from tocsin.adapters.memory.fanout import MemoryFanout
from tocsin.adapters.memory.peers import NoPeers
from tocsin.model.position import Position
from tocsin.model.wire import head_frame
from tocsin.ports.fanout import Announcement
from tocsin.realtime.dialects import JSON
from tocsin.realtime.event_stream import EventStream
from tocsin.realtime.gateway import Gateway
from tocsin.realtime.message import Message
from tocsin.realtime.settings import GatewaySettings
from tocsin.realtime.tokens import Claims
from tocsin.supervisor import Supervisor

NEVER_US = 2**62


class Floor:
    """A gateway that is accepting, and streams of Ada."""

    def __init__(self, **settings: Any) -> None:
        self.clock, self.turns, self.fanout = FakeClock(), Turns(), MemoryFanout()
        self.notes = Notes()
        self.gateway = Gateway(
            store=FakeStore(),  # type: ignore[arg-type]
            doorkeeper=None,  # type: ignore[arg-type]
            fanout=self.fanout,
            peers=NoPeers(),
            clock=self.clock,
            supervisor=Supervisor(),
            settings=GatewaySettings(**settings),
            endpoints=("http://x",),
            recorder=self.notes,
            handlers=NoHandlers(),
        )
        self.gateway.accepting = True
        self.gateway.writer._call_soon = self.turns
        self.fanout.listen(self.gateway.relay.heard, self.gateway.anti_entropy.trouble)

    def open(self, *, expires_us: int = NEVER_US) -> EventStream:
        return self.gateway.open_stream(Claims("h", "ada", expires_us, scopes=("inbox",)))

    def begun(self, position: Position | None = None) -> EventStream:
        stream = self.open()
        if position is not None:
            stream.answer_position("changes", b"{}", position)
        self.gateway.begin_stream(stream, greet=position is None)
        return stream

    def announce(self, number: int, *, user: str | None = "ada", pad: int = 0) -> None:
        kind, name = ("broadcast", "brev") if user is None else ("inbox", "rev")
        frame = {"kind": kind, "epoch": "e", name: number, "pad": "x" * pad}
        self.fanout.announce([Announcement("h", user, number, json.dumps(frame).encode())])
        self.turns.run_all()

    def wait(self, seconds: float) -> None:
        for _ in range(int(seconds * 4)):
            self.clock.s += 0.25
            self.gateway.wheel.advance(self.clock.s)
            self.turns.run_all()


async def taken(stream: EventStream) -> bytes:
    """Take what is ready now, as a client that reads does."""
    parts = []
    while stream.session.waiting or stream._chunk:
        parts.append(await anext(stream))
    return b"".join(parts)


def ids(text: bytes) -> list[str]:
    return [line[4:].decode() for line in text.splitlines() if line.startswith(b"id: ")]


async def test_a_stream_without_a_position_takes_it_from_its_first_head() -> None:
    floor = Floor()
    stream = floor.begun()
    floor.announce(1)
    floor.gateway.writer.send([stream.session], Message(head_frame(Position("e", 1, 4))))
    floor.turns.run_all()
    floor.announce(2)
    first, head, second = (await taken(stream)).removesuffix(b"\n\n").split(b"\n\n")
    assert first.startswith(b"data: {")
    assert head.splitlines()[0] == b"id: e:1:4"
    assert json.loads(head.splitlines()[1].removeprefix(b"data: "))["kind"] == "head"
    assert second.splitlines()[0] == b"id: e:2:4"


async def test_the_id_moves_on_in_step_and_stays_behind_a_hole() -> None:
    floor = Floor()
    stream = floor.begun(Position("e", 5, 2))
    for rev in (6, 8, 9):
        floor.announce(rev)
    floor.announce(3, user=None)
    floor.announce(5, user=None)
    assert ids(await taken(stream)) == ["e:5:2", "e:6:2", "e:6:2", "e:6:2", "e:6:3", "e:6:3"]


async def test_frames_of_another_epoch_move_nothing() -> None:
    floor = Floor()
    stream = floor.begun(Position("old", 0, 0))
    floor.announce(1)
    assert ids(await taken(stream)) == ["old:0:0", "old:0:0"]


async def test_what_the_first_event_covers_is_not_sent_again() -> None:
    floor = Floor()
    stream = floor.open()
    floor.announce(5)  # heard before the changes were read
    floor.announce(6)
    floor.announce(2, user=None)
    stream.answer_position("changes", b"{}", Position("e", 5, 2))
    floor.gateway.begin_stream(stream, greet=False)
    text = await taken(stream)
    assert text.startswith(b"event: changes\nid: e:5:2\ndata: {}\n\n")
    assert ids(text) == ["e:5:2", "e:6:2"]


async def test_frames_wait_in_the_outbox_while_a_chunk_is_on_its_way() -> None:
    floor = Floor()
    stream = floor.begun(Position("e", 0, 0))
    await anext(stream)
    for rev in (1, 2, 3):
        floor.announce(rev)
    floor.announce(1, user=None)
    assert stream.session.waiting > 0
    assert ids(await taken(stream)) == ["e:1:0", "e:2:0", "e:3:0", "e:3:1"]


async def test_a_reader_that_waits_is_woken_by_a_frame() -> None:
    floor = Floor()
    stream = floor.begun(Position("e", 0, 0))
    await taken(stream)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        reading = group.create_task(stream.__anext__())
        await asyncio.sleep(0)
        floor.announce(1)
    assert ids(reading.result()) == ["e:1:0"]


async def test_a_slow_reader_is_ended_and_told_so() -> None:
    floor = Floor(outbox_bytes=10_000)
    stream = floor.begun(Position("e", 0, 0))
    await anext(stream)  # and then it reads no more
    for rev in range(1, 8):
        floor.announce(rev, pad=2_000)
    assert stream.session.ended
    assert len(floor.gateway.hubs) == 0
    assert floor.gateway.stats().slow_consumers == 1
    text = b"".join([chunk async for chunk in stream])
    assert len(text) < 2 * 10_000
    assert text.endswith(b'event: end\ndata: {"code":1008,"reason":"slow-consumer"}\n\n')


async def test_a_beat_shows_that_the_line_is_alive_and_compares_the_position() -> None:
    floor = Floor(beat_s=30)
    stream = floor.begun(Position("e", 0, 0))
    await taken(stream)
    floor.wait(31)
    assert await anext(stream) == b":\n\n"
    assert stream.session in floor.gateway.anti_entropy._waiting


async def test_a_beat_adds_nothing_to_what_waits() -> None:
    floor = Floor(beat_s=30)
    stream = floor.begun(Position("e", 0, 0))
    floor.wait(31)
    assert b":\n\n" not in await taken(stream)


async def test_streams_end_with_their_token_where_that_is_wanted() -> None:
    floor = Floor(beat_s=1, cut_at_expiry=frozenset(["h"]))
    stream = floor.open(expires_us=floor.clock.now_us() + 1)
    floor.gateway.begin_stream(stream, greet=False)
    key = floor.begun()
    floor.wait(3)
    assert stream.session.ended
    assert not key.session.ended
    assert b"".join([chunk async for chunk in stream]).endswith(b'"reason":"token-expired"}\n\n')


async def test_streams_count_as_connections_of_their_user() -> None:
    floor = Floor(connections_per_user=2)
    first, second = floor.begun(), floor.begun()
    floor.gateway.reception.open_session(Claims("h", "ada", 0, scopes=("inbox",)), JSON)
    assert first.session.ended
    assert not second.session.ended
    text = b"".join([chunk async for chunk in first])
    assert b'"reason":"too-many-connections"' in text


async def test_a_drain_ends_streams_and_says_when_to_come_back() -> None:
    floor = Floor()
    stream = floor.begun(Position("e", 0, 0))
    await floor.gateway.drain(0)
    text = b"".join([chunk async for chunk in stream])
    assert text.endswith(
        b'event: end\nretry: 2001\ndata: {"code":1001,"reason":"retry-after-ms=2001"}\n\n'
    )


async def test_a_closed_stream_leaves_nothing_behind() -> None:
    floor = Floor(beat_s=1)
    stream = floor.begun()
    await stream.aclose()
    await stream.aclose()
    floor.announce(1)
    floor.wait(3)
    assert len(floor.gateway.hubs) == 0
    assert [chunk async for chunk in stream] == []
