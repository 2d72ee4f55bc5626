"""Devices are kept per user, and a handle belongs to whoever registered it last."""

from tests.ports.devices import browser, device, fcm
from tests.ports.world import World
from tocsin.model.push import Ending

MOST = 3


async def ids(world: World, user: str = "ann", hub: str = "h") -> list[str]:
    return [one.id for one in await world.store.devices.devices(hub, user)]


async def test_a_device_is_kept_as_it_was_registered(world: World) -> None:
    made = device(
        channel=browser("https://push.example/1"),
        tags=("a", "b"),
        locale="de-CH",
        time_zone="Europe/Zurich",
        app_version="1.2",
    )
    await world.store.devices.put_device(made, MOST)
    assert await world.store.devices.device("h", "ann", "d1") == made
    assert await world.store.devices.devices("h", "ann") == [made]


async def test_ids_are_each_users_own(world: World) -> None:
    for user in ("ann", "ben"):
        await world.store.devices.put_device(device(user), MOST)
    assert await world.store.devices.remove_device("h", "ann", "d1") is True
    assert await world.store.devices.remove_device("h", "ann", "d1") is False
    assert await world.store.devices.remove_device("other", "ben", "d1") is False
    assert await ids(world) == []
    assert await ids(world, "ben") == ["d1"]
    assert await ids(world, "ben", "other") == []


async def test_a_handle_moves_to_who_registers_it_last_within_its_hub(world: World) -> None:
    shared = fcm("shared")
    await world.store.devices.put_device(device("ann", channel=shared), MOST)
    await world.store.devices.put_device(device("ann", hub="other", channel=shared), MOST)
    await world.store.devices.put_device(device("ben", "b", channel=shared), MOST)
    assert (await ids(world), await ids(world, "ben")) == ([], ["b"])
    assert await ids(world, hub="other") == ["d1"]


async def test_registering_again_keeps_what_became_of_it_and_revives_it(world: World) -> None:
    await world.store.devices.put_device(device(), MOST)
    await world.alert("ann")
    [job] = await world.store.pushes.lease_pushes(world.clock.us, world.clock.us + 9, 10)
    await world.store.pushes.end_push(job, Ending("gone", "410", world.clock.us), (), {})
    gone = await world.store.devices.device("h", "ann", "d1")
    assert gone is not None
    assert (gone.gone_us, gone.gone_reason) == (world.clock.us, "410")
    await world.store.devices.put_device(device(created_us=7, registered_us=7), MOST)
    again = await world.store.devices.device("h", "ann", "d1")
    assert again is not None
    assert (again.gone_us, again.gone_reason, again.created_us) == (None, None, 1)
    assert (again.last_failure_us, again.last_failure) == (world.clock.us, "410")


async def test_of_too_many_the_gone_and_then_those_not_seen_for_longest_give_way(
    world: World,
) -> None:
    for number, device_id in enumerate("abc"):
        one = device(device_id=device_id, seen_us=10 - number, created_us=number)
        await world.store.devices.put_device(one, MOST)
    await world.store.devices.put_device(device(device_id="d", seen_us=20, created_us=9), MOST)
    assert await ids(world) == ["a", "b", "d"]
    gone = device(device_id="d", seen_us=20, gone_us=5, gone_reason="410")
    await world.store.devices.put_device(gone, MOST)
    await world.store.devices.put_device(device(device_id="e", seen_us=1, created_us=10), MOST)
    assert await ids(world) == ["a", "b", "e"]


async def test_retiring_a_key_ends_the_devices_that_subscribed_with_it(world: World) -> None:
    for number, key in enumerate(("k1", "k2", "k1", "k1")):
        channel = browser(f"https://push.example/{number}", key)
        await world.store.devices.put_device(device(device_id=f"d{number}", channel=channel), 9)
    retire = world.store.devices.retire_vapid_devices
    assert [await retire("k1", 5, 2) for _ in range(3)] == [2, 1, 0]
    found = await world.store.devices.devices("h", "ann")
    assert {one.id: one.gone_reason for one in found} == {
        "d0": "vapid-key-retired",
        "d1": None,
        "d2": "vapid-key-retired",
        "d3": "vapid-key-retired",
    }
