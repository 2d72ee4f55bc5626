"""Pushes that were given up are listed, and one is sent again if its device is still there."""

from tests.ports.devices import device
from tests.ports.world import World
from tocsin.model.push import Ending, PushEnd, PushJob
from tocsin.ports.dead_pushes import DeadPush


async def ended(world: World, how: PushEnd = "rejected", user: str = "ann") -> PushJob:
    """Make a push to the user's device, and end it."""
    await world.store.devices.put_device(device(user, "d1"), 20)
    await world.alert(user)
    [job] = await lease(world)
    await world.store.pushes.end_push(job, Ending(how, "too large", world.clock.us), (), {})
    return job


async def lease(world: World) -> list[PushJob]:
    now_us = world.clock.us
    return list(await world.store.pushes.lease_pushes(now_us, now_us + 60_000_000, 100))


async def test_a_dead_push_tells_whose_it_was_and_why_it_was_given_up(world: World) -> None:
    job = await ended(world)
    dead = DeadPush(
        id=job.delivery_id,
        hub="h",
        user="ann",
        alert_id=job.alert_id,
        device="d1",
        platform="fcm",
        end="rejected",
        reason="too large",
        attempts=1,
        made_us=job.made_us,
        ended_us=world.clock.us,
    )
    assert list(await world.store.dead_pushes.dead_pushes(limit=10)) == [dead]
    assert await world.store.dead_pushes.dead_push(dead.id) == dead
    assert await world.store.dead_pushes.dead_push("other") is None


async def test_only_what_somebody_may_have_to_decide_is_listed_newest_first(world: World) -> None:
    ids = []
    for number, how in enumerate(("accepted", "expired", "gone", "cancelled", "rejected")):
        world.clock.turn(s=1)
        job = await ended(world, how, f"user-{number}")  # type: ignore[arg-type]
        ids.append(job.delivery_id)
    first = await world.store.dead_pushes.dead_pushes(limit=1)
    place = (first[0].ended_us, first[0].id)
    rest = await world.store.dead_pushes.dead_pushes(limit=9, below=place)
    assert [one.id for one in (*first, *rest)] == [ids[4], ids[1]]


async def test_a_retried_push_comes_at_once_as_if_it_were_new(world: World) -> None:
    job = await ended(world, "expired")
    world.clock.turn(s=100_000)
    dead = world.store.dead_pushes
    assert await dead.retry_push(job.delivery_id, world.clock.us) is True
    assert await dead.retry_push(job.delivery_id, world.clock.us) is False
    assert list(await dead.dead_pushes(limit=10)) == []
    [again] = await lease(world)
    assert (again.delivery_id, again.attempts) == (job.delivery_id, 1)
    assert again.made_us == world.clock.us


async def test_what_went_to_a_device_that_is_gone_stays_dead(world: World) -> None:
    job = await ended(world)
    dead, devices = world.store.dead_pushes, world.store.devices
    await devices.put_device(device("ann", "d1", gone_us=1, gone_reason="410"), 20)
    assert await dead.retry_push(job.delivery_id, world.clock.us) is False
    await devices.remove_device("h", "ann", "d1")
    assert await dead.retry_push(job.delivery_id, world.clock.us) is False
    assert await dead.dead_push(job.delivery_id) is not None
    assert await lease(world) == []
