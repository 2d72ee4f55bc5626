"""Alerts are found by the ids that their producer gave them, and by nobody else."""

from typing import Any

import pytest

from tests.ports.opener import OpenStore
from tests.ports.world import World, envelope
from tocsin.ports.limits import DAY_US
from tocsin.ports.producer_ids import IdRange, NamedAlert

OWN = IdRange("h", "key", "s", "t.", "t.~")


async def publish(world: World, producer_id: str, **fields: Any) -> NamedAlert:
    """Publish an alert under an id of its producer."""
    told = envelope("ann", **{"source": "s", "producer_id": producer_id, **fields})
    await world.store.queue.publish([told])
    return NamedAlert(producer_id, told.id)


async def test_a_range_is_answered_with_the_last_id_first_up_to_the_limit(world: World) -> None:
    made = [await publish(world, f"t.{name}") for name in ("b", "a", "c", "0")]
    for outside in ("t", "t.~", "s.z", "u.a"):
        await publish(world, outside)
    in_order = sorted(made, key=lambda one: one.producer_id, reverse=True)
    assert list(await world.store.queue.named(OWN, limit=10)) == in_order
    assert list(await world.store.queue.named(OWN, limit=2)) == in_order[:2]


@pytest.mark.parametrize("other", [{"hub": "g"}, {"key_id": "k"}, {"source": ""}])
async def test_what_others_named_alike_is_not_seen(world: World, other: dict[str, str]) -> None:
    await publish(world, "t.a", **other)
    assert list(await world.store.queue.named(OWN, limit=10)) == []


async def test_an_alert_is_found_while_it_waits_and_after_it_was_delivered(world: World) -> None:
    named = await publish(world, "t.a")
    assert list(await world.store.queue.named(OWN, limit=10)) == [named]
    [leased] = await world.store.queue.lease(limit=1, lease_s=30)
    await world.store.deliver([leased.envelope])
    await world.store.queue.ack([leased.receipt])
    assert list(await world.store.queue.named(OWN, limit=10)) == [named]


async def test_ids_are_compared_as_bytes(world: World) -> None:
    await publish(world, "T.a")
    capital, small = await publish(world, "t.Z"), await publish(world, "t.a")
    assert list(await world.store.queue.named(OWN, limit=10)) == [small, capital]


async def forget_old(world: World, times: int = 1) -> list[NamedAlert]:
    """Let the memory of ids pass so often, with sweeps in between; return what is still known."""
    for _ in range(times):
        world.clock.turn(days=1.01)
        await world.sweep()
    return list(await world.store.queue.named(OWN, limit=10))


async def delivered(world: World) -> None:
    leased = await world.store.queue.lease(limit=10, lease_s=30)
    await world.store.deliver([one.envelope for one in leased])
    await world.store.queue.ack([one.receipt for one in leased])


async def test_an_id_that_is_kept_is_known_as_long_as_its_alert_stands(
    open_world: OpenStore,
) -> None:
    world = await open_world(key_memory_us=DAY_US)
    kept = await publish(world, "t.kept", keeps_id=True)
    await publish(world, "t.other")
    assert await forget_old(world) == [kept], "while it waits"
    await delivered(world)
    assert await forget_old(world, times=3) == [kept]
    again = envelope("ann", source="s", producer_id="t.kept", keeps_id=True)
    [answer] = await world.store.queue.publish([again])
    assert (answer.outcome, answer.id) == ("duplicate", kept.alert_id)
    newer = await publish(world, "t.newer")
    assert list(await world.store.queue.named(OWN, limit=10)) == [newer, kept]
    await world.store.withdraw("h", kept.alert_id)
    assert await forget_old(world) == []


async def test_an_id_that_is_kept_goes_when_nobody_has_its_alert_any_more(
    open_world: OpenStore,
) -> None:
    world = await open_world(key_memory_us=DAY_US, read_retention_us=50, tombstone_us=50)
    kept = await publish(world, "t.kept", keeps_id=True)
    await delivered(world)
    assert await forget_old(world) == [kept]
    await world.patch(kept.alert_id, read=True)
    assert await forget_old(world, times=5) == []


async def test_no_more_ids_are_kept_than_a_hub_may_have_and_those_that_are_stay(
    open_world: OpenStore,
) -> None:
    world = await open_world(key_memory_us=DAY_US, kept_ids_per_hub=2)
    first = [await publish(world, f"t.{number}", keeps_id=True) for number in (1, 2)]
    elsewhere = await publish(world, "t.x", keeps_id=True, hub="other")
    assert len(await forget_old(world)) == 2
    await publish(world, "t.3", keeps_id=True)
    assert await forget_old(world, times=2) == first[::-1]
    theirs = IdRange("other", "key", "s", "t.", "t.~")
    assert list(await world.store.queue.named(theirs, limit=10)) == [elsewhere]
    await world.store.withdraw("h", first[0].alert_id)
    late = await publish(world, "t.4", keeps_id=True)
    assert await forget_old(world, times=2) == [late, first[1]]
