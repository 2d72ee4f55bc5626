"""What users do: patch, restore, mark, and the answers they get when they repeat themselves."""

import asyncio

import pytest

from tests.ports.opener import OpenStore
from tests.ports.world import World, change_of, refusal_of, unchanged
from tocsin.model.commands import Done, Patch, PatchItems


async def test_reading_implies_seen_and_lowers_both_counts(world: World) -> None:
    one, two = await world.alert("ann"), await world.alert("ann")
    change = change_of(await world.patch(one, read=True))
    assert change.rev == 3
    assert [item.rev for item in change.items] == [3]
    assert (change.counts.unseen, change.counts.unread) == (1, 1)
    assert (await world.entry(one)).seen
    assert await world.listed() == [two, one]
    assert await world.counts() == (1, 1)


async def test_seeing_is_not_reading(world: World) -> None:
    one = await world.alert("ann")
    await world.patch(one, seen=True)
    assert await world.counts() == (0, 1)


async def test_nothing_to_change_spends_no_revision(world: World) -> None:
    one = await world.alert("ann")
    await world.patch(one, read=True)
    before = await world.at()
    for fields in ({"read": True}, {"seen": True}, {"archived": False}, {"snoozed_until": None}):
        assert unchanged(await world.patch(one, **fields))
    assert unchanged(await world.store.act("h", "ann", PatchItems(()), None))
    assert await world.at() == before


async def test_unread_keeps_seen(world: World) -> None:
    one = await world.alert("ann")
    await world.patch(one, read=True)
    await world.patch(one, read=False)
    assert await world.counts() == (0, 1)
    marks = (await world.entry(one)).marks
    assert (marks.read_at, marks.unread_at) == (None, None)
    assert marks.seen_at is not None


async def test_unread_sets_its_time_only_where_a_watermark_covers(world: World) -> None:
    one = await world.alert("ann")
    await world.mark("read")
    await world.patch(one, read=False)
    assert (await world.entry(one)).marks.unread_at is not None
    assert await world.counts() == (0, 1)
    await world.patch(one, read=True)
    marks = (await world.entry(one)).marks
    assert marks.unread_at is None
    assert marks.read_at is not None


async def test_archiving_and_snoozing_leave_the_list_and_the_counts(world: World) -> None:
    for put, back in (
        ({"archived": True}, {"archived": False}),
        ({"snoozed_until": 2**52}, {"snoozed_until": None}),
    ):
        one = await world.alert("ann")
        rows = await world.counts()
        await world.patch(one, **put)
        assert one not in await world.listed()
        assert await world.counts() == (rows[0] - 1, rows[1] - 1)
        change = change_of(await world.patch(one, **back))
        assert [item.id for item in change.items] == [one]
        assert await world.counts() == rows


async def test_a_deleted_item_is_told_by_its_id(world: World) -> None:
    one = await world.alert("ann")
    change = change_of(await world.patch(one, deleted=True))
    assert (change.items, change.removed) == ((), (one,))
    assert await world.counts() == (0, 0)
    assert await world.store.entry("h", "ann", one) is None


async def test_a_restored_item_comes_back_to_its_place_as_it_was(world: World) -> None:
    one, two = await world.alert("ann"), await world.alert("ann")
    before = (await world.page()).items
    await world.patch(one, deleted=True)
    change = change_of(await world.restore(one))
    assert [item.id for item in change.items] == [one]
    assert await world.listed() == [two, one]
    assert [item.sort for item in (await world.page()).items] == [item.sort for item in before]
    assert await world.counts() == (2, 2)
    assert unchanged(await world.restore(one))


async def test_restoring_is_refused_with_its_reason(world: World) -> None:
    one, taken = await world.alert("ann"), await world.alert("ann")
    await world.store.withdraw("h", taken)
    assert refusal_of(await world.restore("nothing")) == "item-not-found"
    assert refusal_of(await world.restore(taken)) == "not-restorable"
    second = await world.alert("ann", collapse_key="k")
    await world.alert("ann", collapse_key="k")
    await world.patch(one, deleted=True)
    assert refusal_of(await world.restore(second)) == "item-changed"


async def test_a_patch_is_refused_whole_when_one_item_is_not_what_it_was(world: World) -> None:
    one, gone = await world.alert("ann"), await world.alert("ann")
    said = await world.alert("ann", collapse_key="k")
    await world.alert("ann", collapse_key="k")
    await world.patch(gone, deleted=True)
    before = await world.at()
    assert refusal_of(await world.patch(one, "nothing", read=True)) == "item-not-found"
    assert refusal_of(await world.patch(one, gone, read=True)) == "item-changed"
    assert refusal_of(await world.patch(one, said, read=True)) == "item-changed"
    assert await world.at() == before
    assert not (await world.entry(one)).read


async def test_another_users_item_is_not_found(world: World) -> None:
    one = await world.alert("bob")
    assert refusal_of(await world.patch(one, read=True)) == "item-not-found"


async def test_two_patches_of_one_item_take_effect_in_order(world: World) -> None:
    one = await world.alert("ann")
    patches = (Patch(one, one, read=True), Patch(one, one, read=False))
    change = change_of(await world.store.act("h", "ann", PatchItems(patches), None))
    assert len(change.items) == 1
    assert await world.counts() == (0, 1)


async def test_a_broadcast_touched_gets_a_state_row(world: World) -> None:
    await world.page()
    told = await world.alert()
    change = change_of(await world.patch(told, read=True))
    assert [(s.brev, s.rev) for s in change.states] == [(1, 1)]
    assert change.items == ()
    assert (await world.page()).states == change.states
    assert (await world.entry(told)).read
    assert await world.counts() == (0, 0)


async def test_a_broadcast_can_be_deleted_and_restored_by_each_user_alone(world: World) -> None:
    await world.page("ann")
    await world.page("bob")
    told = await world.alert()
    await world.patch(told, deleted=True)
    assert refusal_of(await world.patch(told, read=True)) == "item-changed"
    assert await world.shown("ann") == []
    assert await world.shown("bob") == [told]
    change_of(await world.restore(told))
    assert await world.shown("ann") == [told]


async def test_a_broadcast_from_before_or_withdrawn_is_not_found(world: World) -> None:
    old = await world.alert()
    await world.page()
    gone = await world.alert()
    await world.store.withdraw("h", gone)
    for told in (old, gone):
        assert refusal_of(await world.patch(told, read=True)) == "item-not-found"
        assert refusal_of(await world.restore(told)) == "item-not-found"


@pytest.mark.parametrize("action", ["seen", "read"])
async def test_a_bulk_mark_touches_no_row(world: World, action: str) -> None:
    for _ in range(3):
        await world.alert("ann")
    await world.alert()
    change = change_of(await world.mark(action))
    assert (change.items, change.removed, change.states) == ((), (), ())
    assert await world.counts() == ((0, 0) if action == "read" else (0, 3))
    marks = change.watermarks
    assert (marks.b_seen_up_to, marks.b_read_up_to) == (1, 1 if action == "read" else 0)
    assert unchanged(await world.mark(action))


async def test_a_bulk_mark_reaches_only_what_the_user_had(world: World) -> None:
    one = await world.alert("ann")
    had = (await world.page()).items[0].sort
    two = await world.alert("ann")
    await world.mark("read", sort=had, brev=0)
    assert (await world.entry(one)).read
    assert not (await world.entry(two)).read
    assert await world.counts() == (1, 1)


async def test_a_bulk_mark_is_cut_to_what_there_is(world: World) -> None:
    await world.alert("ann")
    await world.mark("read", sort=2**53, brev=10**6)
    new, told = await world.alert("ann"), await world.alert()
    assert not (await world.entry(new)).read
    assert not (await world.entry(told)).read
    assert await world.counts() == (1, 1)


async def test_watermarks_only_rise(world: World) -> None:
    one = await world.alert("ann")
    sort = (await world.page()).items[0].sort
    await world.alert("ann")
    await world.mark("read")
    assert unchanged(await world.mark("read", sort=sort, brev=0))
    assert (await world.entry(one)).read


async def test_a_bulk_read_ends_what_was_marked_unread_at_or_below_it(world: World) -> None:
    low, high = await world.alert("ann"), await world.alert("ann")
    told = await world.alert()
    await world.mark("read")
    await world.patch(low, high, told, read=False)
    assert await world.counts() == (0, 2)
    sort = min(item.sort for item in (await world.page()).items)
    change = change_of(await world.mark("read", sort=sort, brev=0))
    assert [item.id for item in change.items] == [low]
    assert await world.counts() == (0, 1)
    change = change_of(await world.mark("read"))
    assert [item.id for item in change.items] == [high]
    assert [state.brev for state in change.states] == [1]
    assert (await world.entry(told)).read
    assert await world.counts() == (0, 0)


async def test_a_bulk_seen_leaves_what_was_marked_unread(world: World) -> None:
    one = await world.alert("ann")
    await world.mark("read")
    await world.patch(one, read=False)
    await world.alert("ann")
    await world.mark("seen")
    assert await world.counts() == (0, 2)


async def test_a_bulk_read_leaves_deleted_items_alone(world: World) -> None:
    one = await world.alert("ann")
    await world.mark("read")
    await world.patch(one, read=False)
    await world.patch(one, deleted=True)
    assert unchanged(await world.mark("read"))
    await world.restore(one)
    assert await world.counts() == (0, 1)


async def test_a_mark_of_another_epoch_is_refused(world: World) -> None:
    await world.alert("ann")
    epoch = (await world.at()).epoch
    await world.store.renew_epoch("h")
    assert refusal_of(await world.mark("read", epoch=epoch)) == "epoch-changed"
    assert refusal_of(await world.mark("read", epoch=epoch, category="news")) == "epoch-changed"
    assert await world.counts() == (1, 1)


@pytest.mark.parametrize("action", ["seen", "read"])
async def test_a_category_mark_sets_times_and_moves_no_watermark(world: World, action: str) -> None:
    news = [await world.alert("ann", category="news") for _ in range(2)]
    other = await world.alert("ann", category="other")
    told = await world.alert(category="news")
    await world.alert(category="other")
    put_away = await world.alert("ann", category="news")
    await world.patch(put_away, archived=True)
    change = change_of(await world.mark(action, category="news"))
    assert {item.id for item in change.items} == set(news)
    assert [state.brev for state in change.states] == [1]
    assert change.watermarks.seen_up_to == change.watermarks.b_seen_up_to == 0
    entry = await world.entry(told)
    assert (entry.seen, entry.read) == (True, action == "read")
    assert not (await world.entry(other)).seen
    assert not (await world.entry(put_away)).seen
    assert await world.counts() == ((1, 1) if action == "read" else (1, 3))
    assert unchanged(await world.mark(action, category="news"))


async def test_a_category_mark_reaches_only_what_the_user_had(world: World) -> None:
    await world.alert("ann", category="news")
    sort = (await world.page()).items[0].sort
    new, told = await world.alert("ann", category="news"), await world.alert(category="news")
    await world.mark("read", category="news", sort=sort, brev=0)
    assert not (await world.entry(new)).read
    assert not (await world.entry(told)).read


async def test_a_large_category_mark_takes_several_change_sets(open_world: OpenStore) -> None:
    world = await open_world(chunk_rows=3)
    await world.page()
    for _ in range(7):
        await world.alert("ann", category="news")
    for _ in range(4):
        await world.alert(category="news")
    outcome = await world.mark("read", category="news", op="op")
    assert isinstance(outcome, Done)
    assert all(change.rows <= 3 for change in outcome.changes)
    assert sum(change.rows for change in outcome.changes) == 11
    assert [change.rev for change in outcome.changes] == list(range(8, 8 + len(outcome.changes)))
    assert outcome.rev == (await world.at()).rev
    assert await world.counts() == (0, 0)
    assert await world.mark("read", category="news", op="op") == outcome


async def test_repeats_of_a_large_category_mark_at_once_are_one_mark(
    open_world: OpenStore,
) -> None:
    world = await open_world(chunk_rows=2)
    for _ in range(7):
        await world.alert("ann", category="news")
    marks = [world.mark("read", category="news", op="op") for _ in range(3)]
    async with asyncio.TaskGroup() as group:
        answers = [group.create_task(mark) for mark in marks]
    told = [answer.result() for answer in answers]
    assert await world.counts() == (0, 0)
    assert (await world.at()).rev == 7 + 4
    assert await world.mark("read", category="news", op="op") in told


async def test_a_repeat_gets_the_same_answer_and_does_nothing(world: World) -> None:
    one = await world.alert("ann")
    first = await world.patch(one, read=True, op="op")
    await world.patch(one, read=False)
    assert await world.patch(one, read=True, op="op") == first
    assert await world.counts() == (0, 1)
    assert isinstance(await world.patch(one, read=True, op="other"), Done)
    assert await world.counts() == (0, 0)


async def test_a_repeat_of_nothing_changed_stays_so(world: World) -> None:
    one = await world.alert("ann")
    first = await world.patch(one, read=False, op="op")
    assert unchanged(first)
    await world.patch(one, read=True)
    assert await world.patch(one, read=False, op="op") == first
    assert (await world.entry(one)).read


async def test_a_repeat_of_a_refusal_stays_refused(world: World) -> None:
    one = await world.alert("ann")
    await world.patch(one, deleted=True)
    first = await world.patch(one, read=True, op="op")
    await world.restore(one)
    assert await world.patch(one, read=True, op="op") == first
    assert refusal_of(first) == "item-changed"


async def test_op_ids_belong_to_their_user(world: World) -> None:
    one = await world.alert("ann", "bob")
    await world.patch(one, read=True, op="op")
    await world.patch(one, read=True, op="op", user="bob")
    assert await world.counts("bob") == (0, 0)


async def test_the_stored_answer_of_a_large_change_tells_only_its_revision(world: World) -> None:
    ids = [await world.alert("ann") for _ in range(51)]
    first = await world.patch(*ids, read=True, op="op")
    assert len(change_of(first).items) == 51
    again = await world.patch(*ids, read=True, op="op")
    assert isinstance(again, Done)
    assert (again.rev, again.changes) == (first.rev, ())
