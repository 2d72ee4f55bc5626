"""The durable queue: what is accepted is leased until it is acknowledged."""

import asyncio
from importlib.util import find_spec
from typing import Any

import msgspec
import pytest

from tests.acceptance.deadlines import until_async
from tests.ports.conftest import KINDS
from tests.ports.opener import OpenStore
from tests.ports.world import World, envelope
from tocsin.model.alert import Envelope
from tocsin.ports.queue import Leased, QueueDepth

QUEUES = list(KINDS)
if find_spec("nats") is not None:
    from tests.ports.nats_fanouts import nats
    from tests.ports.nats_queues import (
        folder,
        open_nats_queue,
        open_three_nats_queue,
        three_nats,
    )

    __all__ = ["folder", "nats", "open_nats_queue", "open_three_nats_queue", "three_nats"]
    QUEUES += ["nats_queue", "three_nats_queue"]


@pytest.fixture(params=QUEUES)
def open_world(request: pytest.FixtureRequest) -> OpenStore:
    """Open a store with the queue of the adapter under test."""
    opener: OpenStore = request.getfixturevalue(f"open_{request.param}")
    return opener


def keyed(number: int, fingerprint: bytes = b"same", **fields: Any) -> Envelope:
    return envelope("ann", producer_id=f"p{number}", fingerprint=fingerprint, **fields)


async def leased(world: World, limit: int = 100, lease_s: float = 30) -> list[Leased]:
    return list(await world.store.queue.lease(limit=limit, lease_s=lease_s))


async def comes_to(world: World, depth: QueueDepth) -> None:
    """Wait until so much is on the queue: a stream lets go of what was taken from it a moment later, and counts it until then."""

    async def is_so() -> bool:
        return await world.store.queue.depth() == depth

    await until_async(is_so, f"the queue has {depth}")


async def test_what_is_published_is_leased_as_it_was_in_order(world: World) -> None:
    told = [
        keyed(1, category="news", severity="error", collapse_key="k", expires_us=9, source="shop"),
        envelope(),
        envelope("ann", "bob"),
    ]
    published = await world.store.queue.publish(told)
    assert [(p.outcome, p.id) for p in published] == [("accepted", e.id) for e in told]
    taken = await leased(world)
    assert [row.envelope for row in taken] == told
    assert [row.attempt for row in taken] == [1, 1, 1]
    assert len({row.receipt for row in taken}) == 3


async def test_what_is_leased_is_hidden_until_the_lease_ends(world: World) -> None:
    told = envelope("ann")
    await world.store.queue.publish([told])
    assert await leased(world, lease_s=5) != []
    world.clock.turn(s=4)
    assert await leased(world) == []
    world.clock.turn(s=1)
    (again,) = await leased(world)
    assert (again.envelope.id, again.attempt) == (told.id, 2)


async def test_a_lease_takes_at_most_its_limit(world: World) -> None:
    told = [envelope("ann") for _ in range(5)]
    await world.store.queue.publish(told)
    assert [row.envelope.id for row in await leased(world, 2)] == [e.id for e in told[:2]]
    assert [row.envelope.id for row in await leased(world, 2)] == [e.id for e in told[2:4]]


async def test_what_is_acknowledged_is_gone(world: World) -> None:
    await world.store.queue.publish([envelope("ann") for _ in range(3)])
    taken = await leased(world)
    await world.store.queue.ack([row.receipt for row in taken[:2]])
    await world.store.queue.ack([taken[0].receipt, 987_654])
    world.clock.turn(s=60)
    assert [row.receipt for row in await leased(world)] == [taken[2].receipt]


async def test_a_retry_is_due_after_its_delay_and_keeps_its_attempts(world: World) -> None:
    await world.store.queue.publish([envelope("ann")])
    (taken,) = await leased(world)
    await world.store.queue.retry_later(taken.receipt, delay_s=10, reason="busy")
    world.clock.turn(s=9)
    assert await leased(world) == []
    world.clock.turn(s=1)
    (again,) = await leased(world)
    assert again.attempt == 2
    await world.store.queue.retry_later(987_654, delay_s=1, reason="unknown")


async def test_one_that_is_put_off_does_not_hold_up_the_others(world: World) -> None:
    told = [envelope("ann"), envelope("ann")]
    await world.store.queue.publish(told)
    (taken,) = await leased(world, 1)
    await world.store.queue.retry_later(taken.receipt, delay_s=10, reason="busy")
    assert [row.envelope.id for row in await leased(world)] == [told[1].id]


async def test_what_is_buried_is_not_leased_again(world: World) -> None:
    told = envelope("ann")
    await world.store.queue.publish([told])
    (taken,) = await leased(world)
    await world.store.queue.bury(taken.receipt, reason="poison")
    await world.store.queue.bury(taken.receipt, reason="again")
    world.clock.turn(s=60)
    assert await leased(world) == []
    assert await world.store.queue.depth() == QueueDepth(0, 0)
    status = await world.store.alert("h", told.id)
    assert status is not None
    assert (status.state, status.reason) == ("dead", "poison")


async def test_a_repeat_is_told_by_the_first_id(world: World) -> None:
    first, repeat, other = keyed(1), keyed(1), keyed(1, b"other")
    await world.store.queue.publish([first])
    for _ in range(2):
        told = await world.store.queue.publish([repeat, other])
        assert [(p.outcome, p.id) for p in told] == [
            ("duplicate", first.id),
            ("conflict", first.id),
        ]
        for row in await leased(world):
            await world.store.deliver([row.envelope])
            await world.store.queue.ack([row.receipt])
    assert await leased(world) == []


async def test_a_repeat_within_one_call_is_told_like_any_other(world: World) -> None:
    first = keyed(1)
    told = await world.store.queue.publish([first, keyed(1), keyed(1, b"other"), keyed(2)])
    assert [p.outcome for p in told] == ["accepted", "duplicate", "conflict", "accepted"]
    assert {p.id for p in told[:3]} == {first.id}
    assert len(await leased(world)) == 2


def late(number: int, fingerprint: bytes = b"same", expires_us: int = 9) -> Envelope:
    return keyed(number, fingerprint, expires_us=expires_us, accepted_us=expires_us)


async def test_a_late_repeat_is_told_like_any_other(world: World) -> None:
    first = keyed(1, expires_us=9, accepted_us=8)
    await world.store.queue.publish([first])
    for _ in range(2):
        told = await world.store.queue.publish([late(1), late(1, b"other")])
        assert [(p.outcome, p.id) for p in told] == [
            ("duplicate", first.id),
            ("conflict", first.id),
        ]
        for row in await leased(world):
            await world.store.deliver([row.envelope])
            await world.store.queue.ack([row.receipt])
    assert await leased(world) == []


async def test_a_late_repeat_within_one_call_is_told_like_any_other(world: World) -> None:
    first = keyed(1, expires_us=9, accepted_us=8)
    told = await world.store.queue.publish([first, late(1), late(1, b"other"), late(2)])
    assert [p.outcome for p in told] == ["accepted", "duplicate", "conflict", "expired"]
    assert [row.envelope for row in await leased(world)] == [first]


async def test_what_is_late_and_no_repeat_is_not_stored_and_its_id_stays_free(
    world: World,
) -> None:
    keyless, scheduled = late(3), keyed(4, expires_us=9, accepted_us=9, deliver_us=2**52)
    keyless = msgspec.structs.replace(keyless, producer_id=None)
    refused = [late(1), late(1, b"other"), keyless, scheduled]
    for _ in range(3):
        told = await world.store.queue.publish(refused)
        assert [(p.outcome, p.id) for p in told] == [("expired", one.id) for one in refused]
    assert await world.store.queue.depth() == QueueDepth(0, 0)
    assert [await world.store.queue.bring(one.id) for one in refused] == [False] * 4
    in_time = [keyed(1, expires_us=10, accepted_us=9), keyed(4, b"other")]
    assert [p.outcome for p in await world.store.queue.publish(in_time)] == ["accepted"] * 2
    assert [row.envelope for row in await leased(world)] == in_time


async def test_whether_it_is_late_is_told_by_when_it_came(world: World) -> None:
    now_us = world.clock.now_us()
    told = keyed(1, accepted_us=now_us - 1, expires_us=now_us)
    assert (await world.store.queue.publish([told]))[0].outcome == "accepted"


async def test_a_full_queue_tells_what_is_late_as_ever(open_world: OpenStore) -> None:
    world = await open_world(queue_rows=1)
    await world.store.queue.publish([keyed(1, expires_us=9, accepted_us=8)])
    told = await world.store.queue.publish([late(1), late(2), keyed(3)])
    assert [p.outcome for p in told] == ["duplicate", "expired", "full"]


async def test_ids_belong_to_their_producer_hub_and_source(world: World) -> None:
    same = [keyed(1), keyed(1, key_id="two"), keyed(1, hub="other"), keyed(1, source="shop")]
    told = await world.store.queue.publish(same)
    assert [p.outcome for p in told] == ["accepted"] * 4


async def test_nothing_repeats_what_has_no_producer_id(world: World) -> None:
    told = await world.store.queue.publish([envelope("ann", fingerprint=b"x") for _ in range(2)])
    assert [p.outcome for p in told] == ["accepted"] * 2


async def test_a_full_queue_refuses_what_is_over_its_bound(open_world: OpenStore) -> None:
    world = await open_world(queue_rows=2)
    told = await world.store.queue.publish([keyed(1), keyed(2), keyed(3)])
    assert [p.outcome for p in told] == ["accepted", "accepted", "full"]
    told = await world.store.queue.publish([keyed(1), keyed(3)])
    assert [p.outcome for p in told] == ["duplicate", "full"]
    await world.store.queue.ack([row.receipt for row in await leased(world)])
    await comes_to(world, QueueDepth(0, 0))
    assert (await world.store.queue.publish([keyed(3)]))[0].outcome == "accepted"


async def test_depth_tells_how_much_and_how_long(world: World) -> None:
    assert await world.store.queue.depth() == QueueDepth(0, 0)
    now_us = world.clock.now_us()
    await world.store.queue.publish([envelope("ann", accepted_us=now_us) for _ in range(3)])
    world.clock.turn(s=5)
    assert await world.store.queue.depth() == QueueDepth(3, 5.0)
    await leased(world, 1)
    await comes_to(world, QueueDepth(3, 5.0))


async def test_waiting_ends_when_something_is_published(world: World) -> None:
    waiting = asyncio.ensure_future(world.store.queue.wait_ready(60))
    await asyncio.sleep(0)
    assert not waiting.done()
    await world.store.queue.publish([envelope("ann")])
    await asyncio.wait_for(waiting, 30)


async def test_waiting_ends_at_once_when_something_is_due(world: World) -> None:
    await world.store.queue.publish([envelope("ann")])
    await asyncio.wait_for(world.store.queue.wait_ready(60), 30)


async def test_waiting_ends_at_its_timeout(world: World) -> None:
    await asyncio.wait_for(world.store.queue.wait_ready(0.01), 30)


async def test_waiting_ends_when_a_lease_ends(world: World) -> None:
    await world.store.queue.publish([envelope("ann")])
    await leased(world, lease_s=0.01)
    await asyncio.wait_for(world.store.queue.wait_ready(60), 30)


async def test_publishing_nothing_is_nothing(world: World) -> None:
    assert list(await world.store.queue.publish([])) == []
    assert await leased(world) == []
