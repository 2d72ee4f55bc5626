"""Topics: who subscribes to what, and how alerts to them reach each person once."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.ports.conftest import OpenStore
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
