"""A fact about a copy is kept once, with its first time, per device; about a broadcast it is counted."""

from typing import Any

import msgspec
import pytest

from tests.ports.opener import OpenStore
from tests.ports.world import World
from tocsin.clock import US_PER_S
from tocsin.model.receipt import Receipt, Tally, Told

OFFER = msgspec.Raw(b'{"source":"s","title":"t","actions":[{"id":"ok","label":"OK"}]}')


def told(world: World, alert_id: str, fact: Any = "shown", user: str = "ann", **more: Any) -> Told:
    at_us = world.clock.now_us()
    return Told(
        **{"hub": "h", "alert_id": alert_id, "user": user, "fact": fact, "at_us": at_us, **more}
    )


async def note(world: World, alert_id: str, fact: Any = "shown", **more: Any) -> None:
    await world.store.receipts.note([told(world, alert_id, fact, **more)])


async def all_receipts(world: World) -> list[Receipt]:
    return list(await world.store.receipts.receipts_after("h", 0, 1000))


async def test_the_first_report_wins_and_repeats_change_nothing(world: World) -> None:
    alert = await world.alert("ann")
    first_us = world.clock.now_us()
    await note(world, alert, device="d1")
    world.clock.turn(s=5)
    await world.store.receipts.note([told(world, alert, device="d1")] * 2)
    [receipt] = await all_receipts(world)
    assert (receipt.hub, receipt.alert_id, receipt.user) == ("h", alert, "ann")
    assert (receipt.device, receipt.fact, receipt.action) == ("d1", "shown", None)
    assert receipt.at_us == first_us


async def test_each_device_has_its_own_receipt_and_counts_as_one_person(world: World) -> None:
    alert = await world.alert("ann", "bob")
    for user, device in (("ann", "d1"), ("ann", "d2"), ("bob", "d1")):
        await note(world, alert, user=user, device=device)
    await note(world, alert, "seen", device="d1")
    own = await world.store.receipts.receipts_of("h", alert, "ann")
    assert [(r.fact, r.device) for r in own] == [("shown", "d1"), ("shown", "d2"), ("seen", "d1")]
    assert await world.store.receipts.tally("h", alert) == Tally({"shown": 2, "seen": 1})


async def test_numbers_grow_in_order_and_a_reader_goes_on_where_it_stopped(world: World) -> None:
    alert = await world.alert("ann")
    for device in "abcde":
        await note(world, alert, device=device)
    first = await world.store.receipts.receipts_after("h", 0, 3)
    rest = await world.store.receipts.receipts_after("h", first[-1].number, 100)
    assert [r.device for r in (*first, *rest)] == list("abcde")
    numbers = [r.number for r in (*first, *rest)]
    assert numbers == sorted(set(numbers))
    assert await world.store.receipts.receipts_after("other", 0, 10) in ([], ())


@pytest.mark.parametrize(
    "wrong",
    [
        {"alert_id": "unknown"},
        {"hub": "other"},
        {"user": "bob"},
        {"user": "nobody"},
        {"fact": "acted", "action": "not-offered"},
    ],
)
async def test_what_does_not_hold_is_dropped_without_a_word(
    world: World, wrong: dict[str, str]
) -> None:
    alert = await world.alert("ann", content=OFFER)
    await world.alert("bob")
    await world.alert("ann", hub="other")
    good = told(world, alert, device="d")
    await world.store.receipts.note([told(world, **{"alert_id": alert, **wrong}), good])
    assert [r.fact for r in await all_receipts(world)] == ["shown"]
    assert await world.store.receipts.tally("other", alert) == Tally()
    assert not await world.store.receipts.receipts_of("other", alert, "ann")


async def test_a_pressed_action_is_told_and_counted_by_its_id(world: World) -> None:
    alert = await world.alert("ann", "bob", content=OFFER)
    for user, device in (("ann", "d1"), ("ann", "d2"), ("bob", "d3")):
        await note(world, alert, "acted", user=user, device=device, action="ok")
    assert {r.action for r in await all_receipts(world)} == {"ok"}
    assert await world.store.receipts.tally("h", alert) == Tally({"acted": 2}, {"ok": 2})


async def test_a_wrong_clock_is_cut_to_what_is_possible(world: World) -> None:
    now_us = world.clock.now_us()
    alert = await world.alert("ann", accepted_us=now_us)
    world.clock.turn(s=10)
    await note(world, alert, device="early", at_us=now_us - US_PER_S)
    await note(world, alert, device="late", at_us=world.clock.now_us() + US_PER_S)
    assert [r.at_us for r in await all_receipts(world)] == [now_us, now_us + 10 * US_PER_S]


async def test_the_receipts_of_one_copy_are_bounded(open_world: OpenStore) -> None:
    world = await open_world(receipts_per_copy=3)
    alert = await world.alert("ann", "bob")
    for number in range(5):
        await note(world, alert, device=f"d{number}")
    await world.store.receipts.note(
        [told(world, alert, user="bob", device=str(n)) for n in range(5)]
    )
    assert [r.device for r in await all_receipts(world)] == ["d0", "d1", "d2", "0", "1", "2"]


async def test_a_broadcast_is_counted_per_person_and_not_listed(world: World) -> None:
    for user in ("ann", "bob"):
        await world.store.first_contact("h", user)
    alert = await world.alert(content=OFFER)
    await world.store.first_contact("h", "late")
    for user in ("ann", "bob", "late", "nobody"):
        for device in ("d1", "d2"):
            await note(world, alert, user=user, device=device)
    await note(world, alert, "acted", action="ok")
    await note(world, alert, "acted", action="not-offered")
    tally = await world.store.receipts.tally("h", alert)
    assert tally == Tally({"shown": 2, "acted": 1}, {"ok": 1})
    assert await all_receipts(world) == []


async def test_what_was_said_before_another_took_its_place_can_still_be_told(world: World) -> None:
    old = await world.alert("ann", collapse_key="k")
    new = await world.alert("ann", collapse_key="k")
    assert [item.alert_id for item in (await world.page()).items] == [new]
    await note(world, old, device="d")
    await note(world, new, device="d")
    assert [r.alert_id for r in await all_receipts(world)] == [old, new]


async def test_receipts_go_with_the_tombstone_and_numbers_go_on(open_world: OpenStore) -> None:
    world = await open_world(tombstone_us=10 * US_PER_S)
    gone, kept = await world.alert("ann"), await world.alert("ann")
    await note(world, kept, device="d")
    await note(world, gone, device="d")
    await world.patch(gone, deleted=True)
    world.clock.turn(s=11)
    await world.sweep()
    assert [r.alert_id for r in await all_receipts(world)] == [kept]
    await note(world, kept, "seen", device="d")
    assert [r.number for r in await all_receipts(world)] == [1, 3]


async def test_what_became_of_an_alert_goes_with_the_alert(open_world: OpenStore) -> None:
    world = await open_world(
        tombstone_us=10 * US_PER_S, read_retention_us=20 * US_PER_S, broadcast_ttl_us=US_PER_S
    )
    await world.store.first_contact("h", "ann")
    said = await world.alert()
    old = await world.alert("ann", collapse_key="k")
    new = await world.alert("ann", collapse_key="k")
    for alert in (said, old, new):
        await note(world, alert, device="d")
    world.clock.turn(s=30)
    await world.sweep(limit=2)
    world.clock.turn(s=3601)
    await world.sweep(limit=2)
    assert [r.alert_id for r in await all_receipts(world)] == [new]
    for alert in (said, old):
        assert await world.store.alert("h", alert) is None
        assert await world.store.receipts.tally("h", alert) == Tally()
