"""What readers are answered: pages, changes, merged views, positions, and when they must reload."""

from tests.ports.opener import OpenStore
from tests.ports.world import World, envelope
from tocsin.model.inbox import Changes, Counts, OlderPage, Reload
from tocsin.model.position import Position, parse_position
from tocsin.ports.store import Listing


async def test_pages_go_down_to_the_end_without_hole_or_double(world: World) -> None:
    ids = [await world.alert("ann") for _ in range(7)]
    page = await world.page(limit=3)
    found, end = [item.id for item in page.items], page.end
    while end is not None:
        older = await world.store.older("h", "ann", limit=3, before=end)
        assert isinstance(older, OlderPage)
        found += [item.id for item in older.items]
        assert all(item.sort < end for item in older.items)
        end = older.end
    assert found == ids[::-1]


async def test_end_is_the_last_sort_or_none_when_nothing_is_older(world: World) -> None:
    for _ in range(3):
        await world.alert("ann")
    page = await world.page(limit=2)
    assert page.end == page.items[-1].sort
    assert (await world.page(limit=3)).end is None
    assert (await world.page("bob", limit=3)).end is None


async def test_an_item_carries_its_content_word_for_word(world: World) -> None:
    told = envelope("ann", category="news", severity="error", expires_us=2**52)
    await world.store.deliver([told])
    (item,) = (await world.page()).items
    assert bytes(item.content) == bytes(told.content)
    assert (item.category, item.severity, item.expires_us) == ("news", "error", 2**52)


async def test_changes_since_a_position_are_the_latest_state_of_each_row(world: World) -> None:
    one, two, three = [await world.alert("ann") for _ in range(3)]
    told = await world.alert()
    since = await world.at()
    await world.patch(one, seen=True)
    await world.patch(one, told, read=True)
    await world.patch(two, deleted=True)
    changes = await world.since(since)
    assert [item.id for item in changes.items] == [one]
    assert changes.items[0].marks.read_at is not None
    assert changes.removed == (two,)
    assert [state.brev for state in changes.states] == [1]
    assert changes.position == await world.at()
    assert (changes.live, changes.broadcasts) == (None, ())
    assert three in await world.listed()


async def test_a_position_is_what_clients_send_back_as_text(world: World) -> None:
    await world.alert("ann")
    assert parse_position(str(await world.at())) == await world.at()


async def test_changes_since_now_are_none(world: World) -> None:
    await world.alert("ann")
    changes = await world.since(await world.at())
    assert (changes.items, changes.removed, changes.states) == ((), (), ())
    assert changes.counts == Counts(1, 1)


async def test_changes_reach_a_revision_that_left_no_row(world: World) -> None:
    await world.alert("ann")
    since = await world.at()
    await world.mark("read")
    changes = await world.since(since)
    assert changes.items == ()
    assert changes.position.rev == since.rev + 1
    assert changes.watermarks.read_up_to > 0


async def test_a_moved_stream_is_told_by_what_is_new_and_what_lives(world: World) -> None:
    await world.page()
    one, two = await world.alert(), await world.alert()
    since = await world.at()
    three = await world.alert()
    await world.store.withdraw("h", one)
    changes = await world.since(since)
    assert [b.alert_id for b in changes.broadcasts] == [three]
    assert changes.live == (2, 3)
    assert two in await world.shown()


async def test_live_never_names_what_is_older_than_the_user(world: World) -> None:
    await world.alert()
    since = await world.at()
    await world.alert()
    changes = await world.since(since)
    assert changes.live == (2,)


async def test_more_rows_than_the_bound_are_answered_with_reload(open_world: OpenStore) -> None:
    world = await open_world(change_rows=3)
    await world.page()
    start = await world.at()
    await world.alert("ann")
    told = await world.alert()
    await world.patch(told, seen=True)
    await world.alert("ann")
    assert isinstance(await world.since(start), Changes)
    await world.alert("ann")
    answer = await world.store.changes("h", "ann", start)
    assert answer == Reload(await world.at())


async def test_a_position_that_cannot_be_served_from_is_answered_with_reload(world: World) -> None:
    await world.alert("ann")
    at = await world.at()
    store = world.store
    for asked in (
        Position("other", at.rev, at.brev),
        Position(at.epoch, at.rev + 1, at.brev),
        Position(at.epoch, at.rev, at.brev + 1),
    ):
        assert await store.changes("h", "ann", asked) == Reload(at)
        assert await store.inbox("h", "ann", limit=5, position=asked) == Reload(at)
        assert await store.older("h", "ann", limit=5, before=9, position=asked) == Reload(at)
    assert not isinstance(await store.inbox("h", "ann", limit=5, position=at), Reload)


async def test_a_renewed_epoch_voids_every_position(world: World) -> None:
    await world.alert("ann")
    await world.store.first_contact("other", "ann")
    before, other = await world.at(), (await world.store.head("other", "ann"))[1]
    await world.store.renew_epoch("h")
    assert await world.must_reload(before)
    assert (await world.at()).rev == before.rev
    assert (await world.store.head("other", "ann"))[1] == other
    await world.store.renew_epoch()
    assert (await world.store.head("other", "ann"))[1].epoch != other.epoch


async def test_positions_tell_many_users_at_once(world: World) -> None:
    await world.alert("ann", "bob")
    await world.alert("bob")
    await world.alert()
    found = await world.store.positions("h", ["ann", "bob", "nobody"])
    assert {user: (p.rev, p.brev) for user, p in found.items()} == {"ann": (1, 1), "bob": (2, 1)}
    assert await world.store.positions("unknown", ["ann"]) == {}


async def test_the_merged_view_joins_own_items_and_broadcasts_newest_first(world: World) -> None:
    one = await world.alert("ann")
    world.clock.turn(us=10)
    told = await world.alert()
    world.clock.turn(us=10)
    two = await world.alert("ann")
    assert await world.shown() == [two, told, one]
    await world.patch(told, read=True)
    entries = [await world.entry(i) for i in (one, told, two)]
    assert [(e.seen, e.read) for e in entries] == [(False, False), (True, True), (False, False)]
    assert [e.brev for e in entries] == [None, 1, None]


async def test_totals_count_own_items_and_broadcasts(world: World) -> None:
    await world.alert("ann")
    told = await world.alert()
    put_away = await world.alert()
    await world.patch(put_away, archived=True)
    await world.patch(told, seen=True)
    page = await world.store.entries("h", "ann", Listing())
    assert page.totals == Counts(1, 2)


async def test_merged_pages_follow_the_cursor_to_the_end(world: World) -> None:
    ids = []
    for number in range(9):
        world.clock.turn(us=3)
        ids.append(await (world.alert() if number % 3 == 2 else world.alert("ann")))
    page = await world.store.entries("h", "ann", Listing(limit=2))
    found = [e.id for e in page.entries]
    while page.next is not None:
        page = await world.store.entries("h", "ann", Listing(limit=2, cursor=page.next))
        found += [e.id for e in page.entries]
    expected = [e.id for e in (await world.store.entries("h", "ann", Listing())).entries]
    assert found == expected
    assert sorted(found) == sorted(ids)


async def test_views_show_what_belongs_to_them(world: World) -> None:
    listed, read, archived, deleted = [await world.alert("ann") for _ in range(4)]
    heard, put_away = await world.alert(), await world.alert()
    await world.patch(read, read=True)
    await world.patch(archived, put_away, archived=True)
    await world.patch(deleted, deleted=True)
    assert set(await world.shown()) == {listed, read, heard}
    assert set(await world.shown(status="unread")) == {listed, heard}
    assert set(await world.shown(status="archived")) == {archived, put_away}


async def test_what_sleeps_is_listed_until_it_wakes_or_is_put_away(world: World) -> None:
    own, archived, deleted, other = [await world.alert("ann") for _ in range(4)]
    heard = await world.alert()
    until = world.clock.now_us() + 1_000
    await world.patch(own, archived, deleted, heard, snoozed_until=until)
    await world.patch(archived, archived=True)
    await world.patch(deleted, deleted=True)
    assert set(await world.shown(status="snoozed")) == {own, heard}
    assert (await world.entry(own)).marks.snoozed_until == until
    assert await world.shown() == [other]
    assert await world.shown(status="archived") == [archived]
    world.clock.turn(us=1_000)
    await world.sweep()
    assert await world.shown(status="snoozed") == []
    assert set(await world.shown()) == {own, heard, other}


async def test_the_unread_view_has_what_was_marked_unread_below_the_watermark(
    world: World,
) -> None:
    low, _, high = [await world.alert("ann") for _ in range(3)]
    await world.mark("read")
    await world.patch(low, high, read=False)
    new = await world.alert("ann")
    assert await world.shown(status="unread") == [new, high, low]
    assert await world.shown(status="unread", limit=2) == [new, high]


async def test_views_can_be_of_one_category_or_severity(world: World) -> None:
    news = await world.alert("ann", category="news", severity="error")
    other = await world.alert("ann", category="other")
    heard = await world.alert(category="news")
    assert set(await world.shown(category="news")) == {news, heard}
    assert set(await world.shown(severity="info")) == {other, heard}
    assert await world.shown(category="news", severity="error") == [news]


async def test_one_entry_can_be_read_wherever_it_is(world: World) -> None:
    one = await world.alert("ann")
    await world.patch(one, archived=True)
    assert (await world.entry(one)).marks.archived_at is not None
    assert await world.store.entry("h", "ann", "nothing") is None
    assert await world.store.entry("h", "bob", one) is None


async def test_an_alert_is_known_from_its_acceptance_on(world: World) -> None:
    told = envelope("ann", "bob", accepted_us=7)
    await world.store.queue.publish([told])
    status = await world.store.alert("h", told.id)
    assert status is not None
    assert (status.state, status.accepted_us, status.key_id) == ("accepted", 7, "key")
    await world.store.deliver([told])
    await world.patch(told.id, read=True)
    await world.patch(told.id, user="bob", seen=True)
    status = await world.store.alert("h", told.id)
    assert status is not None
    assert (status.state, status.recipients, status.seen, status.read) == ("processed", 2, 2, 1)
    assert status.processed_us == world.clock.now_us()


async def test_an_alert_is_known_in_its_own_hub_only(world: World) -> None:
    waiting, done, dead = envelope("ann"), envelope("ann"), envelope("ann")
    await world.store.queue.publish([waiting, dead])
    await world.store.deliver([done])
    leased = await world.store.queue.lease(limit=2, lease_s=1)
    await world.store.queue.bury(leased[1].receipt, reason="poison")
    for told in (waiting, done, dead):
        assert await world.store.alert("h", told.id) is not None
        assert await world.store.alert("other", told.id) is None
    status = await world.store.alert("h", dead.id)
    assert status is not None
    assert (status.state, status.reason) == ("dead", "poison")
    assert await world.store.alert("h", "nothing") is None


async def test_a_broadcast_has_no_number_of_recipients(world: World) -> None:
    told = await world.alert()
    status = await world.store.alert("h", told)
    assert status is not None
    assert status.recipients is None
