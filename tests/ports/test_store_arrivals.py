"""How alerts come into inboxes: own items, collapse, broadcasts, and the revisions they spend."""

from tests.ports.opener import OpenStore
from tests.ports.world import World, envelope
from tocsin.model.alert import Audience
from tocsin.model.commands import Done
from tocsin.model.inbox import Counts


async def test_first_contact_begins_after_the_broadcasts_there_were(world: World) -> None:
    old = await world.alert()
    await world.store.first_contact("h", "ann")
    new = await world.alert()
    page = await world.page("ann")
    assert [b.alert_id for b in page.broadcasts] == [new]
    assert page.watermarks.b_read_up_to == page.watermarks.b_seen_up_to == 1
    assert old not in await world.shown()


async def test_first_contact_again_changes_nothing(world: World) -> None:
    await world.store.first_contact("h", "ann")
    await world.alert()
    await world.store.first_contact("h", "ann")
    assert len((await world.page()).broadcasts) == 1


async def test_reading_is_a_first_contact(world: World) -> None:
    await world.alert()
    assert (await world.page()).broadcasts == ()
    assert "ann" in await world.store.positions("h", ["ann", "nobody"])
    assert "nobody" not in await world.store.positions("h", ["ann", "nobody"])


async def test_an_alert_is_one_unseen_unread_item_per_recipient(world: World) -> None:
    alert_id = await world.alert("ann", "bob", "ann")
    for user in ("ann", "bob"):
        assert await world.listed(user) == [alert_id]
        assert await world.counts(user) == (1, 1)
        assert (await world.at(user)).rev == 1


async def test_one_delivery_gives_a_user_one_change_set_in_the_order_of_the_batch(
    world: World,
) -> None:
    told = [envelope("ann"), envelope("bob"), envelope("ann", "bob")]
    delivered = (await world.store.deliver(told))["h"]
    ann, bob = delivered.changes
    assert (ann.user, bob.user) == ("ann", "bob")
    assert (ann.rev, bob.rev) == (1, 1)
    assert [item.id for item in ann.items] == [told[0].id, told[2].id]
    assert [item.id for item in bob.items] == [told[1].id, told[2].id]
    assert ann.counts == Counts(2, 2)
    assert await world.listed() == [told[2].id, told[0].id]


async def test_what_was_delivered_before_is_dropped_silently(world: World) -> None:
    first, second = envelope("ann"), envelope("ann")
    await world.store.deliver([first])
    delivered = await world.store.deliver([first, second, second])
    assert [item.id for change in delivered["h"].changes for item in change.items] == [second.id]
    assert await world.store.deliver([first, second]) == {}
    assert (await world.at()).rev == 2
    assert await world.counts() == (2, 2)


async def test_sorts_rise_even_when_the_clock_stands_or_runs_back(world: World) -> None:
    await world.alert("ann")
    await world.alert("ann")
    world.clock.turn(s=-60)
    await world.alert("ann")
    sorts = [item.sort for item in (await world.page()).items]
    assert sorts == sorted(set(sorts), reverse=True)


async def test_hubs_know_nothing_of_each_other(world: World) -> None:
    delivered = await world.store.deliver([envelope("ann"), envelope("ann", hub="other")])
    assert {hub: len(d.changes) for hub, d in delivered.items()} == {"h": 1, "other": 1}
    assert await world.counts() == (1, 1)
    one, other = await world.store.head("h", "ann"), await world.store.head("other", "ann")
    assert one[1].epoch != other[1].epoch


async def test_a_collapse_says_the_new_in_the_place_of_the_unread_old(world: World) -> None:
    first = await world.alert("ann", collapse_key="k")
    await world.patch(first, seen=True)
    between = await world.alert("ann")
    second = await world.alert("ann", collapse_key="k", category="news", severity="error")
    page = await world.page()
    assert [(item.id, item.alert_id) for item in page.items] == [
        (first, second),
        (between, between),
    ]
    assert (page.items[0].category, page.items[0].severity) == ("news", "error")
    assert await world.counts() == (2, 2)


async def test_a_collapse_leaves_what_was_read_deleted_or_put_away(world: World) -> None:
    for fields in ({"read": True}, {"deleted": True}, {"archived": True}, {"snoozed_until": 2**52}):
        user = f"user-{next(iter(fields))}"
        old = await world.alert(user, collapse_key="k")
        await world.patch(old, user=user, **fields)
        new = await world.alert(user, collapse_key="k")
        assert (await world.page(user)).items[0].id == new
        third = await world.alert(user, collapse_key="k")
        assert (await world.page(user)).items[0].alert_id == third
        assert (await world.page(user)).items[0].id == new
        assert (await world.counts(user))[1] == 1


async def test_an_item_under_the_read_watermark_is_not_collapsed_into(world: World) -> None:
    old = await world.alert("ann", collapse_key="k")
    await world.mark("read")
    new = await world.alert("ann", collapse_key="k")
    assert await world.listed() == [new, old]


async def test_a_collapse_within_one_delivery_leaves_the_last(world: World) -> None:
    old = await world.alert("ann", collapse_key="k")
    one, two = envelope("ann", collapse_key="k"), envelope("ann", collapse_key="k")
    (change,) = (await world.store.deliver([one, two]))["h"].changes
    assert [(item.id, item.alert_id) for item in change.items] == [(old, two.id)]
    fresh = [envelope("bob", collapse_key="k"), envelope("bob", collapse_key="k")]
    await world.store.deliver(fresh)
    (item,) = (await world.page("bob")).items
    assert (item.id, item.alert_id) == (fresh[0].id, fresh[1].id)
    assert await world.counts("bob") == (1, 1)


async def test_a_collapse_key_belongs_to_the_producer_key(world: World) -> None:
    await world.alert("ann", collapse_key="k", key_id="one")
    await world.alert("ann", collapse_key="k", key_id="two")
    assert await world.counts() == (2, 2)


async def test_a_broadcast_is_one_entry_and_spends_no_revision(world: World) -> None:
    await world.alert("ann")
    told = envelope(category="news", severity="warning")
    delivered = (await world.store.deliver([told]))["h"]
    (entry,) = delivered.broadcasts
    assert delivered.changes == ()
    assert entry.brev == 1
    assert entry.add is not None
    assert (entry.add.alert_id, entry.add.category) == (told.id, "news")
    position = await world.at()
    assert (position.rev, position.brev) == (1, 1)
    assert await world.counts() == (1, 1)


async def test_a_broadcast_too_many_withdraws_the_oldest(open_world: OpenStore) -> None:
    world = await open_world(broadcasts_per_hub=2)
    await world.page()
    first, second, third = envelope(), envelope(), envelope()
    await world.store.deliver([first, second])
    entries = (await world.store.deliver([third]))["h"].broadcasts
    assert [(e.brev, e.withdraw) for e in entries] == [(3, None), (4, 1)]
    page = await world.page()
    assert [b.alert_id for b in page.broadcasts] == [second.id, third.id]
    assert page.position.brev == 4


async def test_own_items_of_a_delivery_come_before_its_broadcasts(world: World) -> None:
    everybody, ann = envelope(), envelope("ann")
    await world.store.deliver([everybody, ann])
    assert [b.alert_id for b in (await world.page()).broadcasts] == [everybody.id]


async def test_ids_may_have_any_characters(world: World) -> None:
    users = ["O'Hara", 'say "hi"', "a\\b", "{}[],:", "ü€😀", " ann ", "ANN", "ann", "%_", "1"]
    alert_id = await world.alert(*users)
    found = await world.store.positions("h", users)
    assert set(found) == set(users)
    for user in users:
        assert await world.listed(user) == [alert_id]
        assert isinstance(await world.patch(alert_id, user=user, read=True, op="ü'\""), Done)
        assert await world.counts(user) == (0, 0)


async def test_an_empty_audience_reaches_nobody_and_is_processed(world: World) -> None:
    told = envelope(audience=Audience())
    await world.store.deliver([told])
    status = await world.store.alert("h", told.id)
    assert status is not None
    assert (status.state, status.recipients) == ("processed", 0)
