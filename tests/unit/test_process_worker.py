"""The worker: what it does with good alerts, poison, and a store that is away."""

from collections.abc import Mapping, Sequence

import pytest
from msgspec import Raw
from msgspec.structs import replace

from tocsin.adapters.memory.fanout import MemoryFanout
from tocsin.adapters.memory.queue import MemoryQueue
from tocsin.adapters.memory.store import MemoryStore
from tocsin.errors import UnavailableError
from tocsin.model.alert import Audience, Envelope, in_order
from tocsin.ports.fanout import Announcement
from tocsin.ports.limits import StoreLimits
from tocsin.ports.queue import Leased
from tocsin.ports.store import Delivered
from tocsin.process import worker
from tocsin.process.retry import MAX_ATTEMPTS, MAX_CRASHES, decide
from tocsin.process.worker import Worker
from tocsin.telemetry import Metrics
from tocsin.testing import ManualClock


def _envelope(alert_id: str, *users: str) -> Envelope:
    return Envelope(
        id=alert_id,
        hub="default",
        key_id="k",
        audience=Audience(users=users or ("ada",)),
        content=Raw(b'{"source":"s","title":"t","severity":"info","created_at":"x"}'),
        accepted_us=1,
    )


class PoisonedStore(MemoryStore):
    """Fails whenever it is given the alert ``poison``, and always while it is ``away``."""

    away = False
    fails_at = 0  # the number of the delivery that does, alone
    deliveries = 0

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.arrived: list[str] = []

    async def deliver(self, envelopes: Sequence[Envelope]) -> Mapping[str, Delivered]:
        self.deliveries += 1
        if self.away or self.deliveries == self.fails_at:
            raise UnavailableError("the store is away")
        if any(envelope.id == "poison" for envelope in envelopes):
            raise ValueError("poison")
        self.arrived += [envelope.id for envelope in envelopes]
        return await super().deliver(envelopes)


class Bench:
    """A worker on a memory store, with everything it announced."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = PoisonedStore(self.clock)
        self.heard: list[Announcement] = []
        fanout = MemoryFanout()
        fanout.listen(self.heard.extend, lambda: None)
        self.worker = Worker(self.store.queue, self.store, fanout, self.clock, Metrics())

    async def items(self, user: str) -> list[str]:
        page = await self.store.inbox("default", user, limit=100)
        return [item.id for item in page.items]  # type: ignore[union-attr]  # no position, no reload


async def test_an_alert_becomes_an_item_and_an_announcement() -> None:
    bench = Bench()
    await bench.store.queue.publish([_envelope("a1", "ada", "ben")])
    assert await bench.worker.step() == 1
    assert await bench.items("ada") == ["a1"]
    assert sorted(str(news.user) for news in bench.heard) == ["ada", "ben"]
    assert (await bench.store.queue.depth()).waiting == 0


async def test_poison_is_set_aside_and_the_others_are_delivered() -> None:
    bench = Bench()
    await bench.store.queue.publish([_envelope("a1"), _envelope("poison"), _envelope("a2")])
    await bench.worker.step()
    assert sorted(await bench.items("ada")) == ["a1", "a2"]
    assert (await bench.store.queue.depth()).waiting == 1


async def test_poison_ends_as_a_dead_letter_with_its_reason() -> None:
    bench = Bench()
    await bench.store.queue.publish([_envelope("poison")])
    for _ in range(MAX_ATTEMPTS):
        await bench.worker.step()
        bench.clock.advance(120)
    status = await bench.store.alert("default", "poison")
    assert status is not None
    assert (status.state, status.reason) == ("dead", "ValueError: poison")


async def test_poison_in_a_large_batch_is_found_by_halves() -> None:
    bench = Bench()
    told = [_envelope(f"a{number:03}", f"user-{number}") for number in range(64)]
    await bench.store.queue.publish([*told[:20], _envelope("poison"), *told[20:]])
    await bench.worker.step()
    assert bench.store.deliveries < 2 * 7 + 2
    assert (await bench.store.queue.depth()).waiting == 1


async def test_an_alert_that_ended_three_processes_alone_is_buried_untried() -> None:
    class Crashed(MemoryQueue):
        async def lease(self, *, limit: int, lease_s: float) -> Sequence[Leased]:
            leased = await super().lease(limit=1, lease_s=lease_s)
            return [replace(one, crashes=int(one.envelope.id)) for one in leased]

    bench = Bench()
    bench.store.queue = Crashed(bench.clock, StoreLimits(), {}, bench.store.deeds)
    bench.worker = Worker(bench.store.queue, bench.store, MemoryFanout(), bench.clock, Metrics())
    await bench.store.queue.publish([_envelope(str(MAX_CRASHES - 1)), _envelope(str(MAX_CRASHES))])
    await bench.worker.step()
    await bench.worker.step()
    assert await bench.items("ada") == [str(MAX_CRASHES - 1)]
    letter = await bench.store.queue.dead_letter(str(MAX_CRASHES))
    assert letter is not None
    assert "ended 3 times" in letter.reason


async def test_a_batch_keeps_its_order_over_an_outage_in_its_middle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench()
    monkeypatch.setattr(worker, "BATCH", 4)
    monkeypatch.setattr(worker, "BATCH_ROWS", 2)
    told = in_order([_envelope(f"{number:032x}") for number in range(8)])
    await bench.store.queue.publish(told)
    bench.store.fails_at = 2
    for _ in range(9):
        await bench.worker.step()
        bench.clock.advance(2)
    assert bench.store.arrived == [envelope.id for envelope in told]


async def test_a_store_that_is_away_costs_no_attempts_and_no_alert() -> None:
    bench = Bench()
    bench.store.away = True
    await bench.store.queue.publish([_envelope("a1")])
    for _ in range(2 * MAX_ATTEMPTS):
        await bench.worker.step()
        bench.clock.advance(5)
    bench.store.away = False
    await bench.worker.step()
    assert await bench.items("ada") == ["a1"]


async def test_an_alert_delivered_twice_is_one_item_and_no_news() -> None:
    bench = Bench()
    envelope = _envelope("a1")
    await bench.store.deliver([envelope])
    await bench.store.queue.publish([envelope])
    await bench.worker.step()
    assert await bench.items("ada") == ["a1"]
    assert bench.heard == []


def test_retries_wait_longer_each_time_and_end() -> None:
    error = ValueError("x" * 1000)
    delays = [decide(attempt, error, 1.0).delay_s for attempt in range(1, MAX_ATTEMPTS)]
    assert delays == sorted(delays)
    assert decide(1, error, 0.0).delay_s == delays[0] / 2
    last = decide(MAX_ATTEMPTS, error, 0.5)
    assert last.verdict == "bury"
    assert len(last.reason) == 500
