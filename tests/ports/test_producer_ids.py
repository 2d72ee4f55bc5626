"""Alerts are found by the ids that their producer gave them, and by nobody else."""

from typing import Any

import pytest

from tests.ports.world import World, envelope
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
