"""What a store knows of one person's copy, wherever the alert is."""

from tests.ports.world import World, envelope
from tocsin.model.receipt import Told
from tocsin.ports.traces import Copy, Replacement


async def trace(world: World, alert_id: str, user: str = "ann") -> Copy:
    copy = await world.store.traces.copy("h", alert_id, user)
    assert copy is not None
    return copy


async def test_unknown_alerts_and_those_of_another_hub_have_no_trace(world: World) -> None:
    other = await world.alert("ann", hub="other")
    for alert_id in (other, "unknown"):
        assert await world.store.traces.copy("h", alert_id, "ann") is None


async def test_an_alert_that_waits_tells_for_whom_and_how_often_it_failed(world: World) -> None:
    told = envelope("ann")
    await world.store.queue.publish([told])
    [leased] = await world.store.queue.lease(limit=1, lease_s=30)
    await world.store.queue.retry_later(leased.receipt, delay_s=9, reason="ValueError: no")
    copy = await trace(world, told.id)
    assert (copy.status.state, copy.source, copy.addressed) == ("accepted", "s", True)
    assert (copy.attempts, copy.failure) == (1, "ValueError: no")
    assert (await trace(world, told.id, "bob")).addressed is False


async def test_a_dead_alert_tells_when_and_why(world: World) -> None:
    told = envelope("ann")
    await world.store.queue.publish([told])
    [leased] = await world.store.queue.lease(limit=1, lease_s=30)
    await world.store.queue.bury(leased.receipt, reason="poison")
    copy = await trace(world, told.id)
    assert (copy.status.state, copy.status.reason) == ("dead", "poison")
    assert (copy.attempts, copy.dead_us) == (1, world.clock.now_us())


async def test_a_copy_is_told_with_its_marks_and_receipts(world: World) -> None:
    alert = await world.alert("ann")
    now_us = world.clock.now_us()
    await world.patch(alert, read=True)
    await world.store.receipts.note([Told("h", alert, "ann", "read", now_us, "phone")])
    copy = await trace(world, alert)
    assert copy.entry is not None
    assert (copy.entry.read, copy.entry.marks.read_at, copy.rev) == (True, now_us, 2)
    assert [(r.fact, r.device) for r in copy.receipts] == [("read", "phone")]
    bob = await trace(world, alert, "bob")
    assert (bob.entry, bob.receipts) == (None, ())


async def test_a_deleted_copy_tells_by_whom(world: World) -> None:
    withdrawn, deleted = await world.alert("ann"), await world.alert("ann")
    await world.store.withdraw("h", withdrawn)
    await world.patch(deleted, deleted=True)
    assert (await trace(world, withdrawn)).deleted_by == "withdrawn"
    assert (await trace(world, deleted)).deleted_by == "user"


async def test_collapsed_alerts_name_each_other(world: World) -> None:
    old = await world.alert("ann", collapse_key="k")
    world.clock.turn(s=1)
    new = await world.alert("ann", collapse_key="k")
    at_us = world.clock.now_us()
    first, second = await trace(world, old), await trace(world, new)
    assert (first.entry, first.taken_by) == (None, Replacement(new, at_us))
    assert second.entry is not None
    assert second.took == (Replacement(old, at_us),)


async def test_a_broadcast_is_live_gone_or_before_the_inbox(world: World) -> None:
    before = await world.alert()
    await world.store.first_contact("h", "ann")
    live, gone = await world.alert(), await world.alert()
    await world.store.withdraw("h", gone)
    await world.patch(live, read=True)
    assert (await trace(world, before)).heard == "before"
    assert (await trace(world, gone)).heard == "gone"
    copy = await trace(world, live)
    assert copy.heard == "live"
    assert copy.entry is not None
    assert copy.entry.read


async def test_a_broadcast_is_gone_also_when_its_row_is_purged(world: World) -> None:
    await world.store.first_contact("h", "ann")
    heard = await world.alert(expires_us=world.clock.now_us() + 1)
    world.clock.turn(s=1)
    await world.sweep()
    await world.sweep()
    assert (await trace(world, heard)).heard == "gone"


async def test_a_broadcast_is_before_an_inbox_that_is_not_there(world: World) -> None:
    heard, named = await world.alert(), await world.alert("ann")
    assert (await trace(world, heard, "nobody")).heard == "before"
    assert (await trace(world, named, "nobody")).heard is None
