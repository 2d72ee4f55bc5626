"""The worker and alerts to topics: chunk by chunk, while others go first."""

from collections.abc import Mapping, Sequence

from msgspec import Raw

from tocsin.adapters.memory.fanout import MemoryFanout
from tocsin.adapters.memory.store import MemoryStore
from tocsin.model.alert import Audience, Envelope
from tocsin.ports.limits import StoreLimits
from tocsin.ports.store import AlertStatus, Delivered
from tocsin.process.retry import MAX_ATTEMPTS
from tocsin.process.worker import Worker
from tocsin.telemetry import Metrics
from tocsin.testing import ManualClock

USERS = [f"u{number:02}" for number in range(3 * MAX_ATTEMPTS)]


class FragileStore(MemoryStore):
    """Fails for good when the chunk of ``poisoned`` comes."""

    poisoned: str | None = None

    async def deliver(self, envelopes: Sequence[Envelope]) -> Mapping[str, Delivered]:
        for envelope in envelopes:
            alert = self._tables.alerts.get(envelope.id)
            if self.poisoned is not None and alert is not None and alert.after == self.poisoned:
                raise ValueError("poison")
        return await super().deliver(envelopes)


class Bench:
    """A worker that gives each alert one person at a time."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = FragileStore(self.clock, StoreLimits(expand_users=1))
        fanout = MemoryFanout()
        self.worker = Worker(self.store.queue, self.store, fanout, self.clock, Metrics())

    async def publish(self, alert_id: str, audience: Audience) -> None:
        content = Raw(b'{"source":"s","title":"t","severity":"info","created_at":"x"}')
        told = Envelope(alert_id, "default", "k", audience, content, self.clock.now_us())
        await self.store.queue.publish([told])

    async def status(self, alert_id: str) -> AlertStatus:
        found = await self.store.alert("default", alert_id)
        assert found is not None
        return found

    async def states(self, *ids: str) -> list[str]:
        return [(await self.status(alert_id)).state for alert_id in ids]


async def test_a_topic_of_many_chunks_is_not_taken_for_poison() -> None:
    bench = Bench()
    await bench.store.topics.subscribe("default", "t", USERS)
    await bench.publish("a", Audience(topics=("t",)))
    for _ in USERS:
        assert await bench.states("a") == ["accepted"]
        assert await bench.worker.step() == 1
    found = await bench.status("a")
    assert (found.state, found.recipients) == ("processed", len(USERS))
    assert (await bench.store.queue.depth()).waiting == 0


async def test_a_poison_chunk_is_buried_and_who_has_it_keeps_it() -> None:
    bench = Bench()
    await bench.store.topics.subscribe("default", "t", USERS)
    bench.store.poisoned = USERS[1]
    await bench.publish("a", Audience(topics=("t",)))
    for _ in range(2 + MAX_ATTEMPTS):
        assert await bench.states("a") == ["accepted"]
        await bench.worker.step()
        bench.clock.advance(120)
    found = await bench.status("a")
    assert (found.state, found.recipients, found.reason) == ("dead", 2, "ValueError: poison")
    bench.store.poisoned = None
    assert await bench.store.queue.revive("a")
    for _ in USERS[2:]:
        await bench.worker.step()
    found = await bench.status("a")
    assert (found.state, found.recipients) == ("processed", len(USERS))


async def test_others_have_their_turn_between_two_chunks() -> None:
    bench = Bench()
    await bench.store.topics.subscribe("default", "t", USERS[:3])
    for alert_id in ("a", "b"):
        await bench.publish(alert_id, Audience(topics=("t",)))
    seen = []
    for other in ("c", "d", "e", "f", "g"):
        await bench.publish(other, Audience(users=("ada",)))
        await bench.worker.step()
        assert await bench.states(other) == ["processed"]
        seen.append([(await bench.status(alert_id)).recipients for alert_id in ("a", "b")])
    assert seen == [[1, None], [1, 1], [2, 1], [2, 2], [3, 2]]
    assert await bench.states("a", "b") == ["processed", "accepted"]
