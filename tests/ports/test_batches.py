"""The order of a batch: what is behind in it is leased when nothing before it waits or is in other hands."""

import asyncio
from collections.abc import Sequence
from itertools import chain
from typing import Any

import pytest

from tests.ports.batches import batch_of
from tests.ports.test_queue import (
    folder,
    leased,
    nats,
    open_nats_queue,
    open_three_nats_queue,
    open_world,
    three_nats,
)
from tests.ports.world import World, envelope
from tocsin.model.alert import Audience, Envelope, in_order
from tocsin.ports.queue import Leased

__all__ = [
    "folder",
    "nats",
    "open_nats_queue",
    "open_three_nats_queue",
    "open_world",
    "three_nats",
]


def told(rows: Sequence[Leased]) -> list[Envelope]:
    return [row.envelope for row in rows]


async def some(world: World, many: int, *, limit: int, lease_s: float = 30) -> list[Leased]:
    """Lease ``limit`` at a time until there are so many: what a broker has comes onto the queue as often as it is leased from."""
    rows: list[Leased] = []
    for _ in range(50):
        if len(rows) < many:
            rows += await leased(world, limit, lease_s)
    return rows


async def one_after_the_other(world: World, many: int) -> list[Leased]:
    """Lease and acknowledge until there were so many."""
    rows: list[Leased] = []
    while len(rows) < many:
        more = await some(world, 1, limit=100)
        assert more
        rows += more
        await world.store.queue.ack([row.receipt for row in more])
    return rows


async def test_the_rest_of_a_batch_waits_for_what_is_in_hand(world: World) -> None:
    batch = batch_of(4)
    await world.store.queue.publish(batch)
    held = await some(world, 2, limit=2)
    assert told(held) == list(batch[:2])
    assert await leased(world) == []
    await world.store.queue.ack([held[0].receipt])
    assert await leased(world) == []
    await world.store.queue.ack([held[1].receipt])
    assert told(await some(world, 2, limit=100)) == list(batch[2:])


async def test_others_do_not_wait_for_a_batch(world: World) -> None:
    batch, single, other = batch_of(3), envelope("ann"), batch_of(2)
    await world.store.queue.publish([*batch, single, *other])
    await some(world, 1, limit=1)
    assert told(await some(world, 3, limit=100)) == [single, *other]


async def test_others_are_found_behind_more_of_a_batch_than_are_leased_at_once(
    world: World,
) -> None:
    batches, single = [batch_of(4) for _ in range(3)], envelope("ann")
    await world.store.queue.publish([*chain(*batches), single])
    assert told(await some(world, 3, limit=1)) == [batch[0] for batch in batches]
    assert told(await some(world, 1, limit=3)) == [single]


async def test_what_was_put_off_is_waited_for_and_comes_in_order(world: World) -> None:
    batch = batch_of(4)
    await world.store.queue.publish(batch)
    held = await some(world, 2, limit=2)
    await world.store.queue.put_off([row.receipt for row in held], delay_s=5, reason="away")
    assert await leased(world) == []
    world.clock.turn(s=5)
    again = await one_after_the_other(world, len(batch))
    assert told(again) == list(batch)
    assert [row.attempt for row in again] == [2, 2, 1, 1]


async def test_what_was_put_off_to_different_times_comes_in_order(world: World) -> None:
    batch = batch_of(4)
    await world.store.queue.publish(batch)
    receipts = [row.receipt for row in await some(world, 4, limit=100)]
    await world.store.queue.put_off(receipts[:2], delay_s=5, reason="away")
    await world.store.queue.put_off(receipts[2:], delay_s=1, reason="away")
    world.clock.turn(s=5)
    assert told(await one_after_the_other(world, len(batch))) == list(batch)


async def test_one_that_failed_leaves_its_batch(world: World) -> None:
    batch = batch_of(3)
    await world.store.queue.publish(batch)
    (held,) = await some(world, 1, limit=1)
    await world.store.queue.retry_later(held.receipt, delay_s=5, reason="poison")
    (second,) = await some(world, 1, limit=1)
    assert second.envelope == batch[1]
    world.clock.turn(s=5)
    assert told(await leased(world)) == [batch[0]]


async def test_what_is_not_leased_any_more_cannot_be_put_off(world: World) -> None:
    await world.store.queue.publish(batch_of(3))
    first, second, third = await some(world, 3, limit=100)
    await world.store.queue.ack([first.receipt])
    await world.store.queue.retry_later(second.receipt, delay_s=1, reason="poison")
    receipts = [row.receipt for row in (first, second, third)]
    await world.store.queue.put_off(receipts, delay_s=60, reason="away")
    world.clock.turn(s=1)
    assert told(await leased(world)) == [second.envelope]


async def test_a_lease_that_ended_leaves_the_order(world: World) -> None:
    batch = batch_of(4)
    await world.store.queue.publish(batch)
    await some(world, 2, limit=2, lease_s=5)
    world.clock.turn(s=5)
    assert told(await one_after_the_other(world, len(batch))) == list(batch)


async def test_what_waits_for_others_of_its_batch_is_looked_for_again(world: World) -> None:
    await world.store.queue.publish(batch_of(2))
    await some(world, 1, limit=1)
    assert await leased(world) == []
    await asyncio.wait_for(world.store.queue.wait_ready(60), 30)


@pytest.mark.parametrize(
    "unordered",
    [{"audience": Audience((), ("news",))}, {"deliver_us": 10**15}],
    ids=["found chunk by chunk", "waits for its time"],
)
async def test_some_of_a_batch_have_no_order(unordered: dict[str, Any]) -> None:
    plain = envelope("ann", id=f"{1:032x}")
    other = envelope("ann", id=f"{2:032x}", **unordered)
    assert [one.batch is None for one in in_order([plain, other])] == [False, True]
    assert in_order([plain]) == [plain]
