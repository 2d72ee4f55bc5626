"""What only a queue in the store itself promises: its clock is the store's, and its bound counts what is in hand."""

from tests.ports.opener import OpenStore
from tests.ports.test_queue import keyed, leased
from tests.ports.world import World


async def test_producer_ids_are_remembered_seven_days(world: World) -> None:
    await world.store.queue.publish([keyed(1)])
    world.clock.turn(days=6.9)
    await world.sweep()
    assert (await world.store.queue.publish([keyed(1)]))[0].outcome == "duplicate"
    world.clock.turn(days=0.2)
    await world.sweep()
    assert (await world.store.queue.publish([keyed(1)]))[0].outcome == "accepted"


async def test_what_is_in_hand_counts_as_long_as_it_is_not_acknowledged(
    open_world: OpenStore,
) -> None:
    world = await open_world(queue_rows=2)
    first = keyed(1)
    told = await world.store.queue.publish([first, keyed(2), keyed(3)])
    assert [p.outcome for p in told] == ["accepted", "accepted", "full"]
    told = await world.store.queue.publish([keyed(1), keyed(3)])
    assert [p.outcome for p in told] == ["duplicate", "full"]
    (taken,) = await leased(world, 1)
    assert (await world.store.queue.publish([keyed(3)]))[0].outcome == "full"
    await world.store.queue.ack([taken.receipt])
    assert (await world.store.queue.publish([keyed(3)]))[0].outcome == "accepted"
