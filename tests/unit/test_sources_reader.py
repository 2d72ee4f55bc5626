"""The loop of a source, on a broker that does as it is told and a store in memory."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import pytest

from tocsin.adapters.memory.store import MemoryStore
from tocsin.config import Limits, Source
from tocsin.errors import LineLostError, UnavailableError
from tocsin.ingest.publisher import Publisher
from tocsin.ingest.sources import reader as loop
from tocsin.ingest.sources.burial import KEPT_BYTES, Burial
from tocsin.ingest.sources.hand import Path
from tocsin.ingest.sources.reader import SourceReader
from tocsin.ingest.sources.reading import Reading
from tocsin.model.alert import Envelope
from tocsin.ports.limits import StoreLimits
from tocsin.ports.queue import DeadLetter, Published
from tocsin.ports.source import Depth, Message
from tocsin.supervisor import Supervisor
from tocsin.telemetry import Metrics
from tocsin.testing import ManualClock

SOON_S = 60.0


class ScriptedBroker:
    """A queue in memory; it may go away, and forgets what it lent then."""

    def __init__(self) -> None:
        self.queue: list[Message] = []
        self.lent: list[Message] = []
        self.dead: list[tuple[Message, str]] = []
        self.put_backs = 0
        self.most = 0
        self.lines = 0
        self.away = False

    @asynccontextmanager
    async def line(self) -> AsyncIterator["ScriptedBroker"]:
        if self.away:
            raise LineLostError("the broker is away")
        self.lines += 1
        yield self
        self.queue, self.lent = self.lent + self.queue, []

    def _check(self) -> None:
        if self.away:
            self.queue, self.lent = self.lent + self.queue, []
            raise LineLostError("the broker went away")

    async def receive(self, *, most: int, wait_s: float) -> Sequence[Message]:
        self._check()
        taken, self.queue = self.queue[:most], self.queue[most:]
        self.lent += taken
        self.most = max(self.most, len(self.lent))
        await asyncio.sleep(0 if taken else min(wait_s, 0.01))
        return taken

    async def ack(self, messages: Sequence[Message]) -> None:
        self._check()
        for message in messages:
            self.lent.remove(message)

    async def reject(self, message: Message, *, reason: str, detail: str) -> None:
        self._check()
        self.lent.remove(message)
        self.dead.append((message, f"{reason}: {detail}"))

    async def put_back(self, messages: Sequence[Message]) -> None:
        self.put_backs += len(messages)

    async def depth(self) -> Depth:
        return Depth(len(self.queue), 1.5)


class Stage:
    """A source on a scripted broker, and all that stands behind it."""

    def __init__(self, *, by_broker: bool = False, held: int = 100, queue_rows: int = 1000) -> None:
        self.clock, self.metrics = ManualClock(), Metrics()
        self.store = MemoryStore(self.clock, StoreLimits(queue_rows=queue_rows, low_water_bytes=0))
        self.broker, self.supervisor = ScriptedBroker(), Supervisor()
        source = Source.model_validate({"url": "amqp://b", "queue": "q", "hub": "h"})
        reading = Reading("orders", source, Limits())
        self.path = Path(
            name="orders",
            reading=reading,
            max_deliveries=8,
            publisher=Publisher(self.store.queue, self.supervisor, self.metrics),
            arrivals=self.store.arrivals,
            burial=Burial(reading.producer, self.store.queue, self.clock, by_broker=by_broker),
            clock=self.clock,
            metrics=self.metrics,
        )
        self.reader = SourceReader(self.path, self.broker, held)

    def start(self) -> None:
        self.running = self.supervisor.start("source", self.reader.run())

    async def process(self) -> None:
        """Do what the worker does with all that waits."""
        leased = await self.store.queue.lease(limit=1000, lease_s=30)
        await self.store.deliver([each.envelope for each in leased])
        await self.store.queue.ack([each.receipt for each in leased])

    async def waiting(self) -> int:
        return (await self.store.queue.depth()).waiting

    async def dead(self) -> Sequence[DeadLetter]:
        return await self.store.queue.dead_letters(limit=10)

    def counts(self) -> dict[str, float]:
        samples = next(iter(self.metrics.source_messages.collect())).samples
        return {s.labels["outcome"]: s.value for s in samples if s.name.endswith("_total")}

    async def end(self) -> None:
        self.reader.stop()
        await asyncio.wait_for(self.running, SOON_S)


@pytest.fixture
async def stages() -> AsyncIterator[Any]:
    made: list[Stage] = []

    def make(**more: Any) -> Stage:
        made.append(Stage(**more))
        return made[-1]

    yield make
    for stage in made:
        await stage.supervisor.stop()


async def until(check: Any) -> None:
    async with asyncio.timeout(SOON_S):
        while True:
            found = check()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.005)


def alert(number: object = 1, **more: Any) -> Message:
    body = {"to": {"users": ["ada"]}, "title": f"t{number}", **more}
    return Message(msgspec.json.encode(body), None, id=f"m{number}")


async def test_a_message_is_acknowledged_only_when_its_alert_is_in_the_inbox(stages: Any) -> None:
    stage = stages()
    stage.broker.queue = [alert(1), alert(2)]
    stage.start()
    await until(lambda: stage.counts().get("accepted") == 2)
    for _ in range(20):
        await asyncio.sleep(0)
        assert len(stage.broker.lent) == 2
    await stage.process()
    await until(lambda: not stage.broker.lent)
    await stage.end()
    assert not stage.broker.queue


async def test_a_message_that_comes_again_is_a_repeat_and_is_acknowledged(stages: Any) -> None:
    stage = stages()
    stage.broker.queue = [alert(1), alert(1)]
    stage.start()
    await until(lambda: stage.counts() == {"accepted": 1, "duplicate": 1})
    await stage.process()
    await until(lambda: not stage.broker.lent)
    stage.broker.queue = [alert(1)]
    await until(lambda: stage.counts() == {"accepted": 1, "duplicate": 2})
    await until(lambda: not stage.broker.lent)
    assert await stage.waiting() == 0


async def test_no_more_is_in_hand_than_may_be_held_while_nothing_is_processed(stages: Any) -> None:
    stage = stages(held=5)
    stage.broker.queue = [alert(number) for number in range(20)]
    stage.start()
    await until(lambda: len(stage.broker.lent) == 5)
    while stage.broker.queue or stage.broker.lent:
        await stage.process()
        await asyncio.sleep(0.001)
    assert stage.broker.most == 5
    assert stage.counts() == {"accepted": 20}


async def test_a_full_queue_makes_messages_wait_and_blames_none(stages: Any) -> None:
    stage = stages(queue_rows=2)
    stage.broker.queue = [alert(number) for number in range(5)]
    stage.start()
    await until(lambda: stage.reader.waits is not None)
    assert stage.reader.finding().verdict == "warn"
    while stage.broker.queue or stage.broker.lent:
        await stage.process()
        await asyncio.sleep(0.001)
    assert stage.counts() == {"accepted": 5}
    await until(lambda: stage.reader.finding().verdict == "ok")
    assert not await stage.dead()


async def test_while_the_store_is_away_nothing_is_acknowledged_and_nothing_lost(
    stages: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = stages()

    async def away(*_: Any, **__: Any) -> Any:
        raise UnavailableError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(stage.store.queue, "publish", away)
        broken.setattr(stage.store.queue, "keep_dead", away)
        stage.broker.queue = [alert(1), Message(b"?", None, id="bad")]
        stage.start()
        await until(lambda: stage.reader.waits == "the disk is full")
        assert len(stage.broker.lent) == 2
    await until(lambda: stage.counts() == {"accepted": 1, "dead": 1})
    await stage.process()
    await until(lambda: not stage.broker.lent)


async def test_what_cannot_be_read_is_a_dead_letter_once_however_often_it_comes(
    stages: Any,
) -> None:
    stage = stages()
    bad = Message(b"\xff" * (KEPT_BYTES + 9), None, id="bad", headers={"kind": "x"})
    stage.broker.queue = [bad, alert(1), bad]
    stage.start()
    await until(lambda: stage.counts() == {"dead": 2, "accepted": 1})
    [letter] = await stage.dead()
    assert letter.reason.startswith("alert-too-large: the message has 1048585 bytes")
    assert (letter.envelope.hub, letter.envelope.key_id) == ("h", "source:orders")
    data = msgspec.json.decode(letter.envelope.content)["data"]
    assert (data["bytes"], data["message_id"], data["headers"]) == (1_048_585, "bad", {"kind": "x"})
    await stage.process()
    await until(lambda: not stage.broker.lent)


async def test_the_broker_is_told_why_a_message_is_dead(stages: Any) -> None:
    stage = stages(by_broker=True)
    stage.broker.queue = [Message(b'{"title": 7}', None, id="bad")]
    stage.start()
    await until(lambda: stage.broker.dead)
    [(_, reason)] = stage.broker.dead
    assert reason == "invalid-field: Expected `str`, got `int` (at '/title')"
    assert not await stage.dead()


async def test_other_content_under_a_known_id_is_a_dead_letter(stages: Any) -> None:
    stage = stages()
    stage.broker.queue = [alert(1), alert(1, body="else")]
    stage.start()
    await until(lambda: stage.counts() == {"accepted": 1, "dead": 1})
    [letter] = await stage.dead()
    assert letter.reason.startswith("id-conflict: ")


async def test_what_came_too_often_is_given_up_unread(stages: Any) -> None:
    stage = stages()
    often = msgspec.structs.replace(alert(1), deliveries=8)
    stage.broker.queue = [often, msgspec.structs.replace(alert(2), deliveries=7)]
    stage.start()
    await until(lambda: stage.counts() == {"dead": 1, "accepted": 1})
    [letter] = await stage.dead()
    assert letter.reason.startswith("too-many-deliveries: it was handed out 8 times before")
    assert letter.attempts == 9


async def test_what_was_read_and_waits_is_not_blamed_for_lines_that_are_lost(
    stages: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "LONGEST_PAUSE_S", 0.001)
    stage = stages()
    stage.reader._pause_s = 0.001

    async def away(*_: Any, **__: Any) -> Any:
        raise UnavailableError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(stage.store.queue, "publish", away)
        stage.broker.queue = [alert(1), alert(2)]
        stage.start()
        for count in range(1, 10):
            await until(lambda: stage.reader.waits is not None and len(stage.broker.lent) == 2)
            stage.broker.away = True
            await until(lambda: stage.reader.trouble == "the broker is away")
            stage.broker.queue = [
                msgspec.structs.replace(each, deliveries=count) for each in stage.broker.queue
            ]
            stage.broker.away = False
    await until(lambda: stage.counts() == {"accepted": 2})
    assert await stage.dead() == []


async def test_what_is_over_is_acknowledged_and_makes_no_alert(stages: Any) -> None:
    stage = stages()
    stage.broker.queue = [alert(1, expires_at="2020-01-01T00:00:00Z")]
    stage.start()
    await until(lambda: stage.counts() == {"expired": 1})
    await until(lambda: not stage.broker.lent)
    assert await stage.waiting() == 0


async def test_what_the_queue_finds_to_be_over_is_acknowledged(
    stages: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = stages()

    async def publish(envelopes: Sequence[Envelope]) -> Sequence[Published]:
        return [Published("expired", envelope.id) for envelope in envelopes]

    monkeypatch.setattr(stage.store.queue, "publish", publish)
    stage.broker.queue = [alert(1)]
    stage.start()
    await until(lambda: stage.counts() == {"expired": 1})
    await until(lambda: not stage.broker.lent)


async def test_an_alert_for_later_is_acknowledged_when_it_is_on_the_schedule(stages: Any) -> None:
    stage = stages()
    stage.broker.queue = [alert(1, deliver_at="2027-02-01T00:00:00Z")]
    stage.start()
    await until(lambda: stage.counts() == {"accepted": 1} and not stage.broker.lent)
    assert (await stage.store.queue.depth()).scheduled == 1


async def test_a_fault_of_ours_in_reading_stops_no_other_message(
    stages: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = stages()
    read = Reading.read

    def broken(self: Reading, message: Message, now_us: int) -> Any:
        if message.id == "m1":
            raise ZeroDivisionError("by us")
        return read(self, message, now_us)

    monkeypatch.setattr(Reading, "read", broken)
    stage.broker.queue = [alert(1), alert(2)]
    stage.start()
    await until(lambda: stage.counts() == {"dead": 1, "accepted": 1})
    assert (await stage.dead())[0].reason == "internal: ZeroDivisionError: by us"


async def test_a_lost_broker_is_tried_again_for_ever_and_what_was_held_comes_again(
    stages: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "FIRST_PAUSE_S", 0.001)
    stage = stages()
    stage.reader._pause_s = 0.001
    stage.broker.queue = [alert(1)]
    stage.start()
    await until(lambda: len(stage.broker.lent) == 1 and stage.counts() == {"accepted": 1})
    stage.broker.away = True
    await until(lambda: stage.reader.trouble == "the broker is away")
    finding = stage.reader.finding()
    assert (finding.check, finding.verdict) == ("source orders", "fail")
    stage.broker.away = False
    await until(lambda: stage.counts() == {"accepted": 1, "duplicate": 1})
    await stage.process()
    await until(lambda: not stage.broker.lent and stage.reader.finding().verdict == "ok")
    assert stage.broker.lines == 2


async def test_what_waits_on_the_broker_is_in_the_metrics(stages: Any) -> None:
    stage = stages(held=1)
    stage.broker.queue = [alert(1), alert(2), alert(3)]
    stage.start()
    value = stage.metrics.registry.get_sample_value
    await until(lambda: value("tocsin_source_waiting", {"source": "orders"}) == 2)
    assert value("tocsin_source_oldest_seconds", {"source": "orders"}) == 1.5
    assert value("tocsin_source_connected", {"source": "orders"}) == 1


async def test_a_stop_waits_for_what_is_in_hand_and_receives_nothing_more(stages: Any) -> None:
    stage = stages()
    stage.broker.queue = [alert(1)]
    stage.start()
    await until(lambda: stage.counts() == {"accepted": 1})
    stage.reader.stop()
    stage.broker.queue = [alert(2)]
    await asyncio.sleep(0.05)
    assert not stage.running.done()
    await stage.process()
    await asyncio.wait_for(stage.running, SOON_S)
    assert [message.id for message in stage.broker.queue] == ["m2"]


async def test_what_is_in_hand_when_time_is_up_is_given_back(stages: Any) -> None:
    stage = stages()
    stage.broker.queue = [alert(1), alert(2)]
    stage.start()
    await until(lambda: stage.counts() == {"accepted": 2})
    stage.running.cancel()
    with suppress(asyncio.CancelledError):
        await stage.running
    assert stage.broker.put_backs == 2


def test_pauses_grow_and_have_a_bound() -> None:
    waits = Counter[float]()
    wait_s = loop.IDLE_S
    for moved in (True, False, False, False, False, False, False, False, False, False):
        wait_s = loop._next_wait(wait_s, 1, moved=moved)
        waits[wait_s] += 1
    assert min(waits) == loop.QUICK_S
    assert max(waits) == loop.SLOW_S
    assert loop._next_wait(0.5, 0, moved=False) == loop.IDLE_S
