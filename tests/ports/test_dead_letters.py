"""What was given up is kept, until somebody retries or drops it."""

from tests.ports.opener import OpenStore
from tests.ports.world import World, envelope
from tocsin.model.alert import Envelope
from tocsin.ports.queue import DeadLetter, QueueDepth


async def buried(world: World, reason: str = "poison", attempts: int = 1) -> Envelope:
    """Give up an alert for Ann after some attempts."""
    told = envelope("ann", accepted_us=world.clock.now_us())
    queue = world.store.queue
    await queue.publish([told])
    for _ in range(attempts - 1):
        [leased] = await queue.lease(limit=1, lease_s=30)
        await queue.retry_later(leased.receipt, delay_s=0, reason="again")
    [leased] = await queue.lease(limit=1, lease_s=30)
    await queue.bury(leased.receipt, reason=reason)
    return told


async def test_a_dead_letter_tells_what_was_given_up_why_and_when(world: World) -> None:
    told = await buried(world, "KeyError: 'x'", attempts=3)
    letter = DeadLetter(told, 3, "KeyError: 'x'", world.clock.now_us())
    world.clock.turn(s=5)
    assert await world.store.queue.dead_letter(told.id) == letter
    assert list(await world.store.queue.dead_letters(limit=10)) == [letter]
    assert await world.store.queue.dead_letter("other") is None


async def test_dead_letters_are_listed_newest_first_page_by_page(world: World) -> None:
    ids = []
    for step_s in (0, 1, 0, 1):
        world.clock.turn(s=step_s)
        ids.append((await buried(world)).id)
    first = await world.store.queue.dead_letters(limit=3)
    last = first[-1]
    rest = await world.store.queue.dead_letters(limit=3, below=(last.at_us, last.envelope.id))
    assert [letter.envelope.id for letter in (*first, *rest)] == ids[::-1]


async def test_a_retried_letter_is_delivered_as_if_it_had_never_been_tried(world: World) -> None:
    told = await buried(world, attempts=3)
    assert await world.store.queue.revive(told.id) is True
    assert await world.store.queue.revive(told.id) is False
    assert await world.store.queue.dead_letter(told.id) is None
    status = await world.store.alert("h", told.id)
    assert status is not None
    assert (status.state, status.reason) == ("accepted", None)
    assert (await world.store.queue.depth()).waiting == 1
    [leased] = await world.store.queue.lease(limit=10, lease_s=30)
    assert (leased.envelope, leased.attempt) == (told, 1)
    await world.store.deliver([leased.envelope])
    await world.store.queue.ack([leased.receipt])
    assert await world.listed() == [told.id]
    assert await world.store.queue.depth() == QueueDepth(0, 0)


async def test_a_retry_does_not_wait_for_room_on_a_full_queue(open_world: OpenStore) -> None:
    world = await open_world(queue_rows=1)
    told = await buried(world)
    await world.store.queue.publish([envelope("ann")])
    assert await world.store.queue.revive(told.id) is True
    assert [p.outcome for p in await world.store.queue.publish([envelope("ann")])] == ["full"]
    assert len(await world.store.queue.lease(limit=10, lease_s=30)) == 2


async def test_retrying_what_was_withdrawn_delivers_nothing(world: World) -> None:
    told = await buried(world)
    await world.store.withdraw("h", told.id)
    await world.store.queue.revive(told.id)
    [leased] = await world.store.queue.lease(limit=10, lease_s=30)
    assert await world.store.deliver([leased.envelope]) == {}
    assert await world.listed() == []


async def test_a_dropped_letter_is_gone_for_good(world: World) -> None:
    told, other = await buried(world), await buried(world)
    assert await world.store.queue.drop_dead(told.id) is True
    assert await world.store.queue.drop_dead(told.id) is False
    assert await world.store.queue.revive(told.id) is False
    assert await world.store.alert("h", told.id) is None
    [left] = await world.store.queue.dead_letters(limit=10)
    assert left.envelope == other


async def test_what_never_was_on_the_queue_is_kept_once(world: World) -> None:
    told = envelope("ann", accepted_us=world.clock.now_us())
    letter = DeadLetter(told, 2, "it says nothing", world.clock.now_us())
    await world.store.queue.keep_dead(letter)
    await world.store.queue.keep_dead(DeadLetter(told, 3, "again", world.clock.now_us()))
    assert list(await world.store.queue.dead_letters(limit=10)) == [letter]
    status = await world.store.alert("h", told.id)
    assert status is not None
    assert (status.state, status.reason) == ("dead", "it says nothing")
    assert await world.store.queue.drop_dead(told.id) is True
