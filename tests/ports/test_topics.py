"""Topics: who subscribes to what, and how alerts to them reach each person once."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from tests.ports.opener import OpenStore
from tests.ports.world import World, envelope
from tocsin.errors import ConflictError
from tocsin.model.alert import Audience, Envelope
from tocsin.ports.store import AlertListing, AlertStatus, Delivered
from tocsin.ports.topics import Subscription, Topic


def to(*topics: str, users: Sequence[str] = (), **fields: Any) -> Envelope:
    """Make an alert to topics, and perhaps to users as well."""
    return envelope(audience=Audience(tuple(users), topics), **fields)


async def deliver(world: World, told: Envelope) -> Delivered:
    """Deliver the next chunk."""
    return (await world.store.deliver([told])).get("h", Delivered())


async def deliver_all(world: World, told: Envelope) -> list[list[str]]:
    """Deliver chunk by chunk, and return who got each."""
    chunks = []
    while True:
        delivered = await deliver(world, told)
        chunks.append([change.user for change in delivered.changes])
        if not delivered.unfinished:
            return chunks


async def status(world: World, told: Envelope) -> AlertStatus:
    found = await world.store.alert("h", told.id)
    assert found is not None
    return found


async def test_subscribing_and_leaving_can_be_repeated(world: World) -> None:
    topics = world.store.topics
    assert await topics.subscribe("h", "t", ["ann", "bob", "ann"]) == 2
    assert await topics.subscribe("h", "t", ["ann", "cyd"]) == 1
    assert await topics.unsubscribe("h", "t", ["ann", "dan", "ann"]) == 1
    assert await topics.unsubscribe("h", "t", ["ann"]) == 0
    assert await topics.unsubscribe("h", "other", ["ann"]) == 0
    assert await topics.unsubscribe("nowhere", "t", ["ann"]) == 0
    assert [row.user for row in await topics.subscribers("h", "t", after="", limit=9)] == [
        "bob",
        "cyd",
    ]


async def test_a_subscription_again_keeps_its_time(world: World) -> None:
    topics, since_us = world.store.topics, world.clock.now_us()
    await topics.subscribe("h", "t", ["ann"])
    world.clock.turn(s=5)
    await topics.subscribe("h", "t", ["ann"])
    assert await topics.topics_of("h", "ann", after="", limit=9) == [
        Subscription("t", "ann", since_us)
    ]


async def test_a_subscription_is_a_first_contact(world: World) -> None:
    await world.store.topics.subscribe("h", "t", ["ann"])
    told = await world.alert()
    assert [b.alert_id for b in (await world.page("ann")).broadcasts] == [told]


async def test_lists_go_page_by_page_in_the_order_of_names(world: World) -> None:
    topics = world.store.topics
    names = ["ü", "a", "B", "a/b", "😀", "ann"]
    for name in names:
        await topics.subscribe("h", name, names)
    ordered = sorted(names, key=str.encode)
    for start, after in enumerate(["", *ordered]):
        page = ordered[start : start + 2]
        found = await topics.topics("h", after=after, limit=2)
        assert found == [Topic(name, 6) for name in page]
        subscribers = await topics.subscribers("h", "ü", after=after, limit=2)
        assert [row.user for row in subscribers] == page
        mine = await topics.topics_of("h", "ü", after=after, limit=2)
        assert [row.topic for row in mine] == page


async def test_hubs_do_not_share_topics(world: World) -> None:
    topics = world.store.topics
    await topics.subscribe("other", "t", ["ann"])
    assert await topics.topics("h", after="", limit=9) == []
    assert await topics.subscribers("h", "t", after="", limit=9) == []
    assert await topics.topics_of("h", "ann", after="", limit=9) == []
    assert await deliver_all(world, to("t")) == [[]]


async def test_a_topic_goes_with_its_last_subscriber(open_world: OpenStore) -> None:
    world = await open_world(topics_per_hub=2)
    topics = world.store.topics
    await topics.subscribe("h", "one", ["ann", "bob"])
    await topics.subscribe("h", "two", ["ann"])
    with pytest.raises(ConflictError, match=r"limits\.topics_per_hub") as refused:
        await topics.subscribe("h", "three", ["ann"])
    assert refused.value.code == "too-many-topics"
    assert [row.topic for row in await topics.topics("h", after="", limit=9)] == ["one", "two"]
    await topics.subscribe("h", "two", ["bob"])
    await topics.subscribe("other", "three", ["ann"])
    await topics.unsubscribe("h", "one", ["ann", "bob"])
    await topics.subscribe("h", "three", ["ann"])
    assert await topics.topics("h", after="", limit=9) == [Topic("three", 1), Topic("two", 2)]


async def test_one_topic_too_many_for_a_user_changes_nothing(world: World) -> None:
    topics = world.store.topics
    for name in ("one", "two", "two"):
        await topics.subscribe("h", name, ["ann"], most=2)
    with pytest.raises(ConflictError) as refused:
        await topics.subscribe("h", "three", ["ann"], most=2)
    assert refused.value.code == "too-many-subscriptions"
    assert [row.topic for row in await topics.topics("h", after="", limit=9)] == ["one", "two"]
    assert await topics.subscribe("h", "three", ["ann"]) == 1


async def test_who_is_in_several_topics_or_named_as_well_gets_it_once(world: World) -> None:
    await world.store.topics.subscribe("h", "one", ["ann", "bob"])
    await world.store.topics.subscribe("h", "two", ["bob", "cyd"])
    told = to("one", "two", "one", users=["cyd", "dan", "dan"])
    assert await deliver_all(world, told) == [["ann", "bob", "cyd", "dan"]]
    for user in ("ann", "bob", "cyd", "dan"):
        assert await world.listed(user) == [told.id]
    found = await status(world, told)
    assert (found.state, found.recipients) == ("processed", 4)


async def test_a_large_topic_is_expanded_chunk_by_chunk(open_world: OpenStore) -> None:
    world = await open_world(expand_users=2)
    await world.store.topics.subscribe("h", "t", ["a", "b", "c", "d", "e"])
    told = to("t", users=["bb"])
    accepted = (await deliver(world, told)).unfinished
    assert accepted == (told.id,)
    found = await status(world, told)
    assert (found.state, found.recipients, found.processed_us) == ("accepted", 2, None)
    assert (await world.store.alerts("h", AlertListing())).alerts == ()
    assert await deliver_all(world, told) == [["bb", "c"], ["d", "e"]]
    found = await status(world, told)
    assert (found.state, found.recipients) == ("processed", 6)
    assert await world.store.deliver([told]) == {}


async def test_an_empty_audience_is_processed_and_reaches_nobody(world: World) -> None:
    told = to("nobody")
    assert await deliver_all(world, told) == [[]]
    found = await status(world, told)
    assert (found.state, found.recipients) == ("processed", 0)


async def test_who_comes_or_goes_meanwhile_counts_as_when_their_turn_came(
    open_world: OpenStore,
) -> None:
    world = await open_world(expand_users=2)
    topics = world.store.topics
    await topics.subscribe("h", "t", ["b", "c", "d", "e"])
    told = to("t")
    await deliver(world, told)
    await topics.subscribe("h", "t", ["a", "f"])
    await topics.unsubscribe("h", "t", ["b", "d"])
    assert await deliver_all(world, told) == [["e", "f"]]
    assert await world.listed("a") == []
    assert await world.listed("b") == [told.id]


async def test_the_topics_may_be_gone_before_the_next_chunk(open_world: OpenStore) -> None:
    world = await open_world(expand_users=1)
    await world.store.topics.subscribe("h", "t", ["a", "b"])
    told = to("t")
    await deliver(world, told)
    await world.store.topics.unsubscribe("h", "t", ["a", "b"])
    assert await deliver_all(world, told) == [[]]
    found = await status(world, told)
    assert (found.state, found.recipients) == ("processed", 1)


async def test_a_withdrawal_between_two_chunks_ends_it(open_world: OpenStore) -> None:
    world = await open_world(expand_users=2, chunk_rows=1)
    await world.store.topics.subscribe("h", "t", ["a", "b", "c", "d", "e"])
    told = to("t")
    await deliver(world, told)
    await world.patch(told.id, user="b", read=True)
    await deliver(world, told)
    more = True
    while more:
        more = (await world.store.withdraw("h", told.id)).more
        assert await deliver(world, told) == Delivered()
    assert [await world.listed(user) for user in "abcde"] == [[], [told.id], [], [], []]
    found = await status(world, told)
    assert (found.state, found.recipients) == ("withdrawn", 4)


async def test_an_alert_that_expires_between_two_chunks_reaches_nobody_else(
    open_world: OpenStore,
) -> None:
    world = await open_world(expand_users=1)
    await world.store.topics.subscribe("h", "t", ["a", "b"])
    told = to("t", expires_us=world.clock.now_us() + 1_000_000)
    await deliver(world, told)
    world.clock.turn(s=2)
    assert await deliver_all(world, told) == [[]]
    await world.sweep()
    assert [await world.listed(user) for user in "ab"] == [[], []]
    found = await status(world, told)
    assert (found.state, found.recipients) == ("processed", 1)


async def test_a_collapse_reaches_every_chunk(open_world: OpenStore) -> None:
    world = await open_world(expand_users=1)
    await world.store.topics.subscribe("h", "t", ["a", "b"])
    old, new = to("t", collapse_key="k"), to("t", collapse_key="k")
    await deliver_all(world, old)
    await deliver_all(world, new)
    for user in "ab":
        assert [(i.id, i.alert_id) for i in (await world.page(user)).items] == [(old.id, new.id)]


async def test_a_collapse_into_an_item_of_an_alert_that_is_still_expanded(
    open_world: OpenStore,
) -> None:
    world = await open_world(expand_users=1)
    await world.store.topics.subscribe("h", "t", ["a", "b"])
    told, newer = to("t", collapse_key="k"), envelope("a", collapse_key="k")
    await deliver(world, told)
    await world.store.deliver([told, newer])
    assert [(i.id, i.alert_id) for i in (await world.page("a")).items] == [(told.id, newer.id)]
    assert await world.listed("b") == [told.id]


async def test_one_that_was_given_up_half_way_says_so_and_can_go_on(open_world: OpenStore) -> None:
    world = await open_world(expand_users=1)
    queue = world.store.queue
    await world.store.topics.subscribe("h", "t", ["a", "b"])
    told = to("t")
    await queue.publish([told])
    (leased,) = await queue.lease(limit=9, lease_s=30)
    await deliver(world, told)
    await queue.bury(leased.receipt, reason="broken")
    found = await status(world, told)
    assert (found.state, found.recipients, found.reason) == ("dead", 1, "broken")
    assert await queue.revive(told.id)
    assert (await status(world, told)).state == "accepted"
    (leased,) = await queue.lease(limit=9, lease_s=30)
    assert await deliver_all(world, leased.envelope) == [["b"]]
    assert (await status(world, told)).state == "processed"


async def test_one_that_was_given_up_half_way_and_dropped_leaves_no_place(
    open_world: OpenStore,
) -> None:
    world = await open_world(expand_users=1)
    queue = world.store.queue
    await world.store.topics.subscribe("h", "t", ["a", "b"])
    told = to("t")
    await queue.publish([told])
    (leased,) = await queue.lease(limit=9, lease_s=30)
    await deliver(world, told)
    await queue.bury(leased.receipt, reason="broken")
    assert await queue.drop_dead(told.id)
    found = await status(world, told)
    assert (found.state, found.recipients) == ("processed", 1)
    assert await deliver(world, told) == Delivered()


async def test_the_queue_gives_out_one_that_expands_at_a_time_and_in_turns(world: World) -> None:
    queue = world.store.queue
    one, two, three = to("t"), to("t"), to("t")
    plain = [envelope("ann") for _ in range(3)]
    await queue.publish([one, plain[0], two, plain[1], three, plain[2]])
    leased = await queue.lease(limit=3, lease_s=30)
    assert [x.envelope.id for x in leased] == [plain[0].id, plain[1].id, one.id]
    await queue.put_back(leased[-1].receipt)
    leased = await queue.lease(limit=3, lease_s=30)
    assert [x.envelope.id for x in leased] == [plain[2].id, two.id]
    for expected in (three, one):
        (leased_one,) = await queue.lease(limit=3, lease_s=30)
        assert leased_one.envelope.id == expected.id
    assert await queue.lease(limit=3, lease_s=30) == []


async def test_progress_begins_the_attempts_anew(world: World) -> None:
    queue = world.store.queue
    await queue.publish([to("t")])
    for attempts in (2, 3):
        for attempt in range(1, attempts):
            (leased,) = await queue.lease(limit=1, lease_s=30)
            assert leased.attempt == attempt
            await queue.retry_later(leased.receipt, delay_s=0, reason="x")
        (leased,) = await queue.lease(limit=1, lease_s=30)
        assert leased.attempt == attempts
        await queue.put_back(leased.receipt)


async def test_waiting_ends_when_one_that_expands_is_put_back(world: World) -> None:
    queue = world.store.queue
    await queue.publish([to("t")])
    (leased,) = await queue.lease(limit=1, lease_s=3000)
    waiting = asyncio.ensure_future(queue.wait_ready(60))
    await asyncio.sleep(0)
    await queue.put_back(leased.receipt)
    await asyncio.wait_for(waiting, 30)
    await asyncio.wait_for(queue.wait_ready(60), 30)


async def test_a_scheduled_alert_to_topics_expands_when_its_time_comes(
    open_world: OpenStore,
) -> None:
    world = await open_world(expand_users=1)
    told = to("t", deliver_us=world.clock.now_us() + 1_000_000)
    await world.store.queue.publish([told, envelope("ann")])
    world.clock.turn(s=2)
    await world.store.topics.subscribe("h", "t", ["a", "b"])
    leased = await world.store.queue.lease(limit=9, lease_s=30)
    assert [len(leased), leased[-1].envelope] == [2, told]
    assert await deliver_all(world, told) == [["a"], ["b"]]


async def test_the_audience_is_counted_by_person(world: World) -> None:
    topics = world.store.topics
    await topics.subscribe("h", "one", ["ann", "bob"])
    await topics.subscribe("h", "two", ["bob", "cyd"])
    await world.store.first_contact("h", "dan")
    for audience, size in (
        (Audience(("ann", "eve", "eve")), 2),
        (Audience((), ("one",)), 2),
        (Audience((), ("one", "two", "three")), 3),
        (Audience(("ann", "eve"), ("one", "two")), 4),
        (Audience(all=True), 4),
    ):
        assert await topics.audience_size("h", audience) == size
    assert await topics.audience_size("nowhere", Audience(("ann",), ("one",))) == 1
    assert await topics.audience_size("nowhere", Audience(all=True)) == 0
