"""Preferences are kept per user and per hub, are exported, and go with the person."""

from typing import Any

import msgspec
import pytest

from tests.ports.test_erasure import begin, erase, held
from tests.ports.world import World
from tocsin.errors import OutdatedError
from tocsin.model.preference import HubPreferences, Preferences
from tocsin.ports.preferences import tag_of

OFF = {"channels": {"push": {"enabled": False}}}
MUTED = {"mutes": [{"category": "c", "until": "2026-11-23T00:00:00Z"}]}


def mine(said: Any) -> Preferences:
    return msgspec.convert(said, Preferences)


def of_hub(said: Any) -> HubPreferences:
    return msgspec.convert(said, HubPreferences)


async def test_who_said_nothing_prefers_nothing_and_looking_makes_nobody(world: World) -> None:
    preferred = await world.store.preferences.preferences("h", ["ann"])
    assert preferred.people == {}
    assert preferred.rules("ann") == (Preferences(), HubPreferences())
    assert await world.store.positions("h", ["ann"]) == {}
    await world.alert("ann")
    assert (await world.store.preferences.preferences("h", ["ann"])).people == {}


async def test_what_was_said_last_stands_for_each_user_and_hub_alone(world: World) -> None:
    store = world.store.preferences
    await store.keep_preferences("h", "ann", mine(OFF))
    await store.keep_preferences("h", "ann", mine(MUTED))
    await store.keep_preferences("h", "bob", mine(OFF))
    await store.keep_preferences("other", "ann", mine({}))
    await store.keep_hub_preferences("h", of_hub({"critical_exempt": True}))
    preferred = await store.preferences("h", ["ann", "bob", "cyd"])
    assert preferred.people == {"ann": mine(MUTED), "bob": mine(OFF)}
    assert preferred.rules("cyd") == (Preferences(), of_hub({"critical_exempt": True}))
    assert await store.preferences("other", ["ann", "bob"]) == (
        HubPreferences(),
        {"ann": Preferences()},
    )
    assert (await store.preferences("h", [])).people == {}


async def test_only_the_version_that_the_caller_knows_is_replaced(world: World) -> None:
    store = world.store.preferences
    nothing = tag_of(Preferences())
    await store.keep_preferences("h", "ann", mine(OFF), instead_of=nothing)
    for outdated in (nothing, "", "else"):
        with pytest.raises(OutdatedError):
            await store.keep_preferences("h", "ann", mine(MUTED), instead_of=outdated)
    assert (await store.preferences("h", ["ann"])).people == {"ann": mine(OFF)}
    await store.keep_preferences("h", "ann", mine(MUTED), instead_of=tag_of(mine(OFF)))
    assert (await store.preferences("h", ["ann"])).people == {"ann": mine(MUTED)}


async def test_only_the_known_version_of_a_hub_is_replaced(world: World) -> None:
    store = world.store.preferences
    first, second = of_hub(OFF), of_hub({"critical_exempt": True})
    await store.keep_hub_preferences("h", first, instead_of=tag_of(HubPreferences()))
    with pytest.raises(OutdatedError):
        await store.keep_hub_preferences("h", second, instead_of=tag_of(HubPreferences()))
    assert (await store.preferences("h", [])).hub == first
    await store.keep_hub_preferences("h", second, instead_of=tag_of(first))
    assert (await store.preferences("h", [])).hub == second


async def test_a_refused_change_makes_nobody(world: World) -> None:
    with pytest.raises(OutdatedError):
        await world.store.preferences.keep_preferences("h", "ann", mine(OFF), instead_of="else")
    assert await world.store.positions("h", ["ann"]) == {}


async def test_they_are_exported_and_erased_with_the_person_alone(world: World) -> None:
    store = world.store.preferences
    for user in ("ann", "bob"):
        await store.keep_preferences("h", user, mine(MUTED))
    rows = [row for row in await held(world) if row["kind"] == "preferences"]
    assert rows == [
        {"kind": "preferences", "settings": MUTED, "changed_us": world.clock.now_us()},
    ]
    record = await erase(world)
    assert record.counts == {"preferences": 1, "inbox": 1}
    assert await held(world) == []
    assert (await store.preferences("h", ["ann", "bob"])).people == {"bob": mine(MUTED)}


async def test_whoever_has_an_erased_name_next_prefers_nothing(world: World) -> None:
    await world.store.preferences.keep_preferences("h", "ann", mine(OFF))
    await begin(world)
    assert (await world.store.preferences.preferences("h", ["ann"])).people == {}
    await world.alert("ann", accepted_us=world.clock.now_us() + 1)
    assert (await world.store.preferences.preferences("h", ["ann"])).people == {}
