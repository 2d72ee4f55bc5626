"""API keys and access keys."""

from tests.ports.world import World
from tocsin.ports.store import AccessKeys, ApiKey


def key(key_id: str, hub: str = "h", created_us: int = 1) -> ApiKey:
    return ApiKey(
        key_id, hub, "producer", f"name of {key_id}", b"digest-" + key_id.encode(), created_us
    )


async def test_keys_are_listed_oldest_first_of_one_hub_or_all(world: World) -> None:
    new, old, other = key("a", created_us=2), key("b", created_us=1), key("c", "other", 3)
    for made in (new, old, other):
        await world.store.add_key(made)
    assert list(await world.store.keys("h")) == [old, new]
    assert list(await world.store.keys()) == [old, new, other]
    assert list(await world.store.keys("nothing")) == []


async def test_a_revoked_key_stays_listed_with_the_first_time(world: World) -> None:
    await world.store.add_key(key("a"))
    assert await world.store.revoke_key("a", 7)
    assert await world.store.revoke_key("a", 9)
    (kept,) = await world.store.keys()
    assert kept.revoked_us == 7


async def test_revoking_what_is_not_there_is_told(world: World) -> None:
    assert not await world.store.revoke_key("a", 7)


async def test_a_hub_keeps_its_first_access_keys(world: World) -> None:
    assert await world.store.access_keys("h") is None
    first = AccessKeys(b"one", b"two")
    assert await world.store.open_hub("h", first) == first
    assert await world.store.open_hub("h", AccessKeys(b"three", b"four")) == first
    assert await world.store.access_keys("h") == first
    assert await world.store.access_keys("other") is None


async def test_one_access_key_is_replaced_and_the_other_stays(world: World) -> None:
    assert not await world.store.replace_access_key("h", "primary", b"new")
    assert await world.store.access_keys("h") is None
    await world.store.open_hub("h", AccessKeys(b"one", b"two"))
    await world.store.open_hub("other", AccessKeys(b"one", b"two"))
    assert await world.store.replace_access_key("h", "primary", b"three")
    assert await world.store.access_keys("h") == AccessKeys(b"three", b"two")
    assert await world.store.replace_access_key("h", "secondary", b"four")
    assert await world.store.access_keys("h") == AccessKeys(b"three", b"four")
    assert await world.store.access_keys("other") == AccessKeys(b"one", b"two")


async def test_a_store_that_works_is_writable(world: World) -> None:
    await world.store.check_writable()
    await world.store.check_writable()
