"""Editions: every change of what processes keep in memory is counted, and nothing else is."""

import pytest

from tests.ports.world import World
from tocsin.model.event_handler import EventHandler
from tocsin.ports.erasure import ErasureRequest
from tocsin.ports.store import AccessKeys, ApiKey
from tocsin.ports.vapid import SealedVapidKey


async def test_nothing_is_counted_before_anything_changed(world: World) -> None:
    await world.alert("ann")
    await world.store.open_hub("h", AccessKeys(b"one", b"two"))
    assert await world.store.editions.editions() == {}


async def test_every_change_of_what_is_kept_in_memory_is_counted(world: World) -> None:
    store = world.store
    await store.open_hub("h", AccessKeys(b"one", b"two"))
    await store.add_key(ApiKey("k", "h", "server", "", b"digest", 1))
    await store.revoke_key("k", 2)
    await store.replace_access_key("h", "primary", b"three")
    await store.people.revoke_tokens("p", 3)
    handler = EventHandler(id="e", hub="h", url="https://x", user_events="*", system_events=())
    await store.event_handlers.add_event_handler(handler)
    await store.event_handlers.remove_event_handler("h", "e")
    await store.vapid_keys.add_vapid_key(SealedVapidKey("v", b"private", "public", 4))
    await store.vapid_keys.retire_vapid_key("v", 5)
    erasure = await store.erasures.begin_erasure(ErasureRequest("1", "h", "ann", "p", "local"))
    await store.erasures.finish_erasure(erasure.id)
    assert await store.editions.editions() == {
        "keys": 2,
        "access-keys": 1,
        "revocations": 1,
        "event-handlers": 2,
        "vapid-keys": 2,
        "erasures": 1,
    }


@pytest.mark.parametrize("times", [1, 2])
async def test_what_changes_nothing_is_not_counted(world: World, times: int) -> None:
    for _ in range(times):
        assert not await world.store.revoke_key("nobody's", 1)
        assert not await world.store.replace_access_key("nowhere", "primary", b"key")
        assert not await world.store.event_handlers.remove_event_handler("h", "none")
    assert await world.store.editions.editions() == {}
