"""Which accepted alerts are still on their way."""

from collections.abc import Collection

from tests.ports.opener import OpenStore
from tests.ports.world import World, envelope
from tocsin.model.alert import Audience


async def on_their_way(world: World, *alert_ids: str, hub: str = "h") -> Collection[str]:
    return await world.store.arrivals.on_their_way(hub, alert_ids)


async def test_an_alert_is_on_its_way_until_it_is_in_the_inbox(world: World) -> None:
    told, other = envelope("ann"), envelope("ann")
    await world.store.queue.publish([told, other])
    assert set(await on_their_way(world, told.id, other.id)) == {told.id, other.id}
    leased = await world.store.queue.lease(limit=1, lease_s=30)
    assert set(await on_their_way(world, told.id, other.id)) == {told.id, other.id}
    await world.store.deliver([each.envelope for each in leased])
    assert list(await on_their_way(world, told.id, other.id)) == [other.id]


async def test_an_alert_to_a_topic_is_on_its_way_until_its_last_chunk(
    open_world: OpenStore,
) -> None:
    world = await open_world(chunk_rows=1)
    await world.store.topics.subscribe("h", "news", ["ann", "bob"])
    told = envelope(audience=Audience(topics=("news",)))
    await world.store.queue.publish([told])
    unfinished = True
    while unfinished:
        assert list(await on_their_way(world, told.id)) == [told.id]
        [leased] = await world.store.queue.lease(limit=1, lease_s=30)
        delivered = await world.store.deliver([leased.envelope])
        unfinished = any(each.unfinished for each in delivered.values())
        if unfinished:
            await world.store.queue.put_back(leased.receipt)
    assert await world.listed("ann") == await world.listed("bob") == [told.id]
    assert not await on_their_way(world, told.id)


async def test_what_nobody_is_to_get_now_is_not_on_its_way(world: World) -> None:
    later = envelope("ann", deliver_us=world.clock.now_us() + 10_000_000)
    dead, withdrawn = envelope("ann"), envelope("ann")
    await world.store.queue.publish([later, dead])
    [leased] = await world.store.queue.lease(limit=1, lease_s=30)
    await world.store.queue.bury(leased.receipt, reason="poison")
    await world.store.queue.publish([withdrawn])
    await world.store.withdraw("h", withdrawn.id)
    assert not await on_their_way(world, later.id, dead.id, withdrawn.id, "unknown")


async def test_alerts_of_another_hub_are_unknown(world: World) -> None:
    told = envelope("ann", hub="other")
    await world.store.queue.publish([told])
    assert not await on_their_way(world, told.id)
    assert list(await on_their_way(world, told.id, hub="other")) == [told.id]
