"""What a broker accepted comes onto the store's own queue: once, whatever was published to either."""

from tests.ports.opener import OpenStore
from tests.ports.test_queue import keyed, leased
from tests.ports.world import World, envelope
from tocsin.ports.queue import Published


async def test_what_is_taken_over_is_leased_as_it_was(world: World) -> None:
    told = [keyed(1), envelope("ann", "bob"), envelope()]
    await world.store.handover.take_over(told)
    assert [row.envelope for row in await leased(world)] == told


async def test_taking_over_twice_changes_nothing_wherever_the_alert_is_by_then(
    world: World,
) -> None:
    now_us = world.clock.now_us()
    waiting, delivered, dead = envelope("ann"), keyed(2), envelope("ann")
    later = envelope("ann", deliver_us=now_us + 10**9)
    everything = [delivered, dead, later]
    await world.store.handover.take_over(everything)
    first, second = await leased(world)
    await world.store.deliver([first.envelope])
    await world.store.queue.ack([first.receipt])
    await world.store.queue.bury(second.receipt, reason="poison")
    await world.store.handover.take_over([waiting])
    for _ in range(2):
        await world.store.handover.take_over([*everything, waiting])
    assert [row.envelope for row in await leased(world)] == [waiting]
    assert len(await world.store.queue.dead_letters(limit=9)) == 1
    assert (await world.store.queue.depth()).scheduled == 1


async def test_what_repeats_another_is_a_dead_letter_that_names_it(world: World) -> None:
    first, repeat, other = keyed(1), keyed(1), keyed(1, b"other")
    await world.store.queue.publish([first])
    await world.store.handover.take_over([repeat, other])
    assert [row.envelope for row in await leased(world)] == [first]
    for told, word in ((repeat, "repeat"), (other, "conflict")):
        status = await world.store.alert("h", told.id)
        assert status is not None
        assert status.state == "dead"
        assert status.reason is not None
        assert status.reason.startswith(word)
        assert first.id in status.reason


async def test_repeats_within_one_handover_are_found(world: World) -> None:
    first, other = keyed(1), keyed(1, b"other")
    await world.store.handover.take_over([first, first, other])
    assert [row.envelope for row in await leased(world)] == [first]
    assert await world.store.queue.dead_letter(other.id) is not None


async def test_the_bound_of_the_queue_does_not_hold(open_world: OpenStore) -> None:
    world = await open_world(queue_rows=1)
    await world.store.handover.take_over([keyed(1), keyed(2)])
    assert len(await leased(world)) == 2


async def test_what_stands_under_a_producers_id_is_told(world: World) -> None:
    first = keyed(1)
    await world.store.queue.publish([first, keyed(9)])
    asked = [keyed(1), keyed(1, b"other"), keyed(2), envelope("ann"), keyed(1, source="shop")]
    assert list(await world.store.handover.standing(asked)) == [
        Published("duplicate", first.id),
        Published("conflict", first.id),
        None,
        None,
        None,
    ]
    assert list(await world.store.handover.standing([])) == []


async def test_what_was_taken_over_stands_for_its_producer(world: World) -> None:
    first = keyed(1)
    await world.store.handover.take_over([first])
    assert (await world.store.queue.publish([keyed(1)]))[0] == Published("duplicate", first.id)
