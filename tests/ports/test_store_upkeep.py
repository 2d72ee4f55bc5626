"""What time does: wake, expire, withdraw, retire, purge."""

import pytest

from tests.ports.opener import OpenStore
from tests.ports.world import World, envelope, refusal_of
from tocsin.model.inbox import ChangeSet
from tocsin.ports.store import Swept


def changes_of(rounds: list[Swept]) -> list[ChangeSet]:
    return [change for swept in rounds for _, change in swept.changes]


async def test_nothing_due_changes_nothing(world: World) -> None:
    await world.alert("ann")
    before = await world.at()
    assert await world.sweep() == [Swept()]
    assert await world.at() == before


async def test_what_wakes_returns_as_new(world: World) -> None:
    one = await world.alert("ann")
    await world.patch(one, read=True)
    two = await world.alert("ann")
    await world.mark("read")
    await world.patch(one, snoozed_until=world.clock.now_us() + 1_000_000)
    assert await world.sweep() == [Swept()]
    world.clock.turn(s=1)
    (change,) = changes_of(await world.sweep())
    assert [item.id for item in change.items] == [one]
    assert await world.listed() == [one, two]
    entry = await world.entry(one)
    assert (entry.seen, entry.read) == (False, False)
    assert await world.counts() == (1, 1)


async def test_a_woken_broadcast_gets_a_place_of_its_own_in_this_inbox(world: World) -> None:
    await world.page("ann")
    await world.page("bob")
    told = await world.alert()
    await world.alert("ann", "bob")
    await world.mark("read")
    await world.patch(told, snoozed_until=world.clock.now_us() + 1_000_000)
    world.clock.turn(s=2)
    (change,) = changes_of(await world.sweep())
    (state,) = change.states
    assert state.sort == (await world.store.head("h", "ann"))[0].last_sort
    assert (await world.shown())[0] == told
    assert not (await world.entry(told)).read
    assert (await world.shown("bob"))[-1] == told
    await world.mark("read", sort=state.sort - 1)
    assert not (await world.entry(told)).read
    await world.mark("read", sort=state.sort)
    assert (await world.entry(told)).read


async def test_a_deleted_item_does_not_wake_until_it_is_restored(world: World) -> None:
    one = await world.alert("ann")
    await world.patch(one, snoozed_until=world.clock.now_us() + 1, deleted=True)
    world.clock.turn(s=1)
    assert changes_of(await world.sweep()) == []
    await world.restore(one)
    assert await world.listed() == []
    assert len(changes_of(await world.sweep())) == 1
    assert await world.listed() == [one]


async def test_all_that_wakes_in_one_inbox_is_one_change_set(world: World) -> None:
    await world.page()
    ids = [await world.alert("ann"), await world.alert()]
    await world.patch(*ids, snoozed_until=world.clock.now_us() + 1)
    world.clock.turn(s=1)
    (change,) = changes_of(await world.sweep())
    assert (len(change.items), len(change.states)) == (1, 1)


async def test_an_expired_item_becomes_a_tombstone(world: World) -> None:
    one = await world.alert("ann", expires_us=world.clock.now_us() + 1_000_000)
    await world.sweep()
    assert await world.listed() == [one]
    world.clock.turn(s=1)
    ((hub, change),) = (await world.sweep())[0].changes
    assert (hub, change.user, change.removed) == ("h", "ann", (one,))
    assert await world.counts() == (0, 0)
    assert refusal_of(await world.restore(one)) == "not-restorable"


async def test_an_expired_broadcast_is_withdrawn_and_touches_no_user(world: World) -> None:
    await world.page()
    await world.alert(expires_us=world.clock.now_us() + 1)
    forever = await world.alert()
    before = await world.at()
    world.clock.turn(s=1)
    (swept,) = await world.sweep()
    assert [(e.hub, e.brev, e.withdraw) for e in swept.broadcasts] == [("h", 3, 1)]
    assert swept.changes == ()
    assert (await world.at()).rev == before.rev
    assert await world.shown() == [forever]


async def test_a_broadcast_without_expiry_gets_the_default(open_world: OpenStore) -> None:
    world = await open_world(broadcast_ttl_us=5_000_000)
    await world.page()
    await world.alert()
    world.clock.turn(s=4)
    await world.sweep()
    assert len(await world.shown()) == 1
    world.clock.turn(s=2)
    await world.sweep()
    assert await world.shown() == []


async def test_a_withdrawn_alert_leaves_the_inboxes_where_it_is_unread(world: World) -> None:
    one = await world.alert("ann", "bob", "cyd")
    await world.patch(one, read=True)
    await world.mark("read", user="cyd")
    swept = await world.store.withdraw("h", one)
    assert [(hub, c.user, c.removed) for hub, c in swept.changes] == [("h", "bob", (one,))]
    assert await world.listed("ann") == await world.listed("cyd") == [one]
    assert await world.counts("bob") == (0, 0)
    assert await world.store.withdraw("h", one) == Swept()


async def test_a_withdrawn_alert_says_so_and_when_it_first_was(world: World) -> None:
    for told in (await world.alert("ann"), await world.alert()):
        first_us = world.clock.now_us()
        await world.store.withdraw("h", told)
        world.clock.turn(s=5)
        await world.store.withdraw("h", told)
        status = await world.store.alert("h", told)
        assert status is not None
        assert (status.state, status.withdrawn_us) == ("withdrawn", first_us)


async def test_withdrawing_what_was_replaced_leaves_what_replaced_it(world: World) -> None:
    old = await world.alert("ann", collapse_key="k")
    new = await world.alert("ann", collapse_key="k")
    assert await world.store.withdraw("h", old) == Swept()
    assert await world.listed() == [old]
    await world.store.withdraw("h", new)
    assert await world.listed() == []


async def test_a_large_withdrawal_goes_in_chunks(open_world: OpenStore) -> None:
    world = await open_world(chunk_rows=2)
    one = await world.alert("a", "b", "c", "d", "e")
    await world.patch(one, user="b", read=True)
    rounds = [await world.store.withdraw("h", one)]
    while rounds[-1].more:
        rounds.append(await world.store.withdraw("h", one))
        assert len(rounds) < 9
    assert {c.user for c in changes_of(rounds)} == {"a", "c", "d", "e"}
    assert all(len(swept.changes) <= 2 for swept in rounds)


async def test_a_withdrawal_that_was_cut_is_finished_by_the_sweep(open_world: OpenStore) -> None:
    world = await open_world(chunk_rows=2)
    users = ("a", "b", "c", "d", "e", "f", "g")
    one, other = await world.alert(*users), await world.alert(*users)
    begun = await world.store.withdraw("h", one)
    assert begun.more
    assert await world.store.withdraw("elsewhere", one) == Swept()
    await world.patch(one, user="g", read=True)
    rounds = await world.sweep(limit=3)
    assert all(len(swept.changes) <= 3 for swept in rounds)
    taken = [c.user for c in changes_of([begun, *rounds])]
    assert sorted(taken) == ["a", "b", "c", "d", "e", "f"]
    assert [await world.listed(user) for user in users] == [[other]] * 6 + [[other, one]]
    assert await world.store.withdraw("h", one) == Swept()
    assert changes_of(await world.sweep()) == []


async def test_a_withdrawn_broadcast_is_one_entry(world: World) -> None:
    await world.page()
    told = await world.alert()
    await world.patch(told, read=True)
    swept = await world.store.withdraw("h", told)
    assert [(e.brev, e.withdraw) for e in swept.broadcasts] == [(2, 1)]
    assert await world.shown() == []
    assert await world.store.withdraw("h", told) == Swept()


async def test_an_alert_withdrawn_while_it_waits_reaches_nobody(world: World) -> None:
    told = envelope("ann")
    await world.store.queue.publish([told])
    assert await world.store.withdraw("h", told.id) == Swept()
    assert await world.store.deliver([told]) == {}
    status = await world.store.alert("h", told.id)
    assert status is not None
    assert (status.state, status.recipients) == ("withdrawn", 0)


async def test_a_dead_alert_that_is_withdrawn_reaches_nobody_any_more(world: World) -> None:
    told = envelope("ann")
    await world.store.queue.publish([told])
    [leased] = await world.store.queue.lease(limit=1, lease_s=30)
    await world.store.queue.bury(leased.receipt, reason="poison")
    assert await world.store.withdraw("other", told.id) == Swept()
    await world.store.withdraw("h", told.id)
    assert await world.store.deliver([told]) == {}
    status = await world.store.alert("h", told.id)
    assert status is not None
    assert (status.state, status.recipients) == ("withdrawn", 0)


async def test_an_alert_of_another_hub_cannot_be_withdrawn(world: World) -> None:
    one, waiting = await world.alert("ann"), envelope("ann")
    await world.store.queue.publish([waiting])
    assert await world.store.withdraw("other", one) == Swept()
    await world.store.withdraw("other", waiting.id)
    await world.store.deliver([waiting])
    assert await world.listed() == [waiting.id, one]


async def test_old_read_items_are_retired_and_unread_ones_stay(world: World) -> None:
    read, unread, snoozed, archived = [await world.alert("ann") for _ in range(4)]
    await world.patch(read, snoozed, archived, read=True)
    await world.patch(snoozed, snoozed_until=2**52)
    await world.patch(archived, archived=True)
    world.clock.turn(days=89)
    await world.sweep()
    assert read in await world.listed()
    world.clock.turn(days=2)
    (change,) = changes_of(await world.sweep())
    assert set(change.removed) == {read, archived}
    assert await world.listed() == [unread]
    assert refusal_of(await world.restore(read)) == "not-restorable"


async def test_what_became_old_after_a_whole_walk_is_retired_by_the_next(world: World) -> None:
    ids = []
    for _ in range(3):
        ids.append(await world.alert("ann"))
        await world.mark("read")
        world.clock.turn(days=50)
        await world.sweep()
    assert await world.listed() == ids[2:]


async def test_old_tombstones_are_purged_without_a_revision_and_raise_the_floor(
    world: World,
) -> None:
    one = await world.alert("ann")
    start = await world.at()
    await world.patch(one, deleted=True)
    await world.alert("ann")
    before = await world.at()
    world.clock.turn(days=29)
    await world.sweep()
    assert (await world.since(start)).removed == (one,)
    world.clock.turn(days=2)
    await world.sweep()
    assert await world.at() == before
    assert (await world.store.head("h", "ann"))[0].floor == 2
    assert await world.must_reload(start)
    assert (await world.since(before)).removed == ()
    assert refusal_of(await world.restore(one)) == "item-not-found"


async def test_a_position_that_saw_the_purged_tombstone_is_still_served(world: World) -> None:
    one = await world.alert("ann")
    await world.patch(one, deleted=True)
    saw = await world.at()
    await world.alert("ann")
    world.clock.turn(days=31)
    await world.sweep()
    assert len((await world.since(saw)).items) == 1


async def test_states_of_dead_broadcasts_are_dropped_silently(world: World) -> None:
    await world.page()
    told = await world.alert()
    start = await world.at()
    await world.patch(told, seen=True)
    await world.store.withdraw("h", told)
    before = await world.at()
    await world.sweep()
    assert (await world.since(start)).states == ()
    assert await world.at() == before


async def test_answers_are_remembered_as_long_as_tombstones_live(world: World) -> None:
    one = await world.alert("ann")
    first = await world.patch(one, read=True, op="op")
    await world.patch(one, read=False)
    world.clock.turn(days=29)
    await world.sweep()
    assert await world.patch(one, read=True, op="op") == first
    world.clock.turn(days=2)
    await world.sweep()
    assert await world.patch(one, read=True, op="op") != first


@pytest.mark.parametrize("limit", [1, 2, 7])
async def test_a_bounded_sweep_does_the_same_in_more_rounds(world: World, limit: int) -> None:
    soon = world.clock.now_us() + 1
    users = [f"user-{number}" for number in range(3)]
    for user in users:
        await world.store.first_contact("h", user)
    for _ in range(3):
        await world.alert(*users, expires_us=soon)
        sleeping, old = await world.alert(*users), await world.alert(*users)
        told, kept = await world.alert(expires_us=soon), await world.alert()
        for user in users:
            await world.patch(sleeping, kept, user=user, snoozed_until=soon)
            await world.patch(old, user=user, read=True, op=f"op-{old}")
            await world.patch(told, user=user, seen=True)
    world.clock.turn(days=20)
    rounds = await world.sweep(limit)
    assert all(change.rows <= limit for change in changes_of(rounds))
    assert sum(len(swept.broadcasts) for swept in rounds) == 3
    for user in users:
        assert await world.counts(user) == (3, 3)
        assert len(await world.shown(user)) == 9
    world.clock.turn(days=100)
    rounds = await world.sweep(limit)
    for user in users:
        assert await world.counts(user) == (3, 3)
        assert len(await world.listed(user)) == 3


async def test_two_hubs_are_swept_each_under_its_own_name(world: World) -> None:
    soon = world.clock.now_us() + 1
    for hub in ("h", "other"):
        await world.alert("ann", hub=hub, expires_us=soon)
        await world.alert(hub=hub, expires_us=soon)
    world.clock.turn(s=1)
    (swept,) = await world.sweep()
    assert sorted(hub for hub, _ in swept.changes) == ["h", "other"]
    assert sorted(entry.hub for entry in swept.broadcasts) == ["h", "other"]
