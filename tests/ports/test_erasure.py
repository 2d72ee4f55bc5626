"""What is held of a person can be read, and goes when it is erased, and nothing of anybody else does."""

import itertools
from typing import Any

import msgspec

from tests.ports.opener import OpenStore
from tests.ports.world import World, envelope
from tocsin.model.alert import Audience
from tocsin.model.position import Position
from tocsin.model.receipt import Told
from tocsin.model.webhook import DeadBatch, Progress, Secrets, Webhook
from tocsin.ports.erasure import Erasure, ErasureRequest, Place

_ids = itertools.count(1)


async def begin(world: World, user: str = "ann", hub: str = "h") -> Erasure:
    request = ErasureRequest(f"e{next(_ids):04}", hub, user, f"pseudonym of {hub}", "key")
    return await world.store.erasures.begin_erasure(request)


async def erase(world: World, user: str = "ann", hub: str = "h") -> Erasure:
    return await world.store.erasures.finish_erasure((await begin(world, user, hub)).id)


async def held(world: World, user: str = "ann", hub: str = "h", limit: int = 2) -> list[Any]:
    """Read all of it, in small pages."""
    rows, place = [], Place()
    while True:
        page = await world.store.holdings.held(hub, user, place, limit=limit)
        rows += [{"kind": row.kind, **row.fields} for row in page.rows]
        if page.next is None:
            return msgspec.json.decode(msgspec.json.encode(rows))  # type: ignore[no-any-return]
        place = page.next


async def fill(world: World) -> str:
    """Give Ann and Bob a bit of everything; returns the id of the alert that only Ann has."""
    alone = await world.alert("ann")
    await world.alert("ann", "bob")
    await world.alert("ann", collapse_key="k")
    await world.alert("ann", collapse_key="k")
    heard = await world.alert()
    await world.patch(alone, read=True, op="op-1")
    await world.patch(heard, archived=True, op="op-2")
    await world.store.topics.subscribe("h", "news", ["ann", "bob"])
    await world.store.receipts.note([Told("h", alone, "ann", "shown", world.clock.now_us(), "d")])
    return alone


async def test_everything_that_is_held_can_be_read(world: World) -> None:
    alone = await fill(world)
    rows = await held(world)
    kinds = [row["kind"] for row in rows]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "item": 3,
        "collapse": 1,
        "state": 1,
        "operation": 2,
        "inbox": 1,
        "subscription": 1,
    }
    item = next(row for row in rows if row.get("id") == alone)
    assert item["alert"]["source"] == "s"
    assert item["read_at"] is not None
    assert [said["fact"] for said in item["receipts"]] == ["shown"]
    assert all(row["alert"]["title"] for row in rows if "alert" in row)


async def test_nothing_is_held_of_somebody_unknown_and_asking_makes_nobody(world: World) -> None:
    await fill(world)
    assert await held(world, "nobody") == []
    assert await held(world, "ann", hub="other") == []
    assert await world.store.positions("h", ["nobody"]) == {}


async def test_an_erased_person_has_nothing_and_others_keep_all(world: World) -> None:
    alone = await fill(world)
    bobs, shared = await held(world, "bob"), await world.listed("bob")
    record = await erase(world)
    assert await held(world) == []
    assert await held(world, "bob") == bobs
    assert await world.listed("bob") == shared
    assert await world.store.alert("h", alone) is None
    assert await world.store.alert("h", shared[0]) is not None
    assert [
        row.user for row in await world.store.topics.subscribers("h", "news", after="", limit=9)
    ] == ["bob"]
    assert record.finished_us == world.clock.now_us()
    # Three items, of which one has taken the place of another; the alert shared with Bob stays.
    assert record.counts == {
        "item": 3,
        "collapse": 1,
        "state": 1,
        "operation": 2,
        "inbox": 1,
        "subscription": 1,
        "receipts": 1,
        "alerts": 3,
    }


async def test_a_record_remains_that_does_not_name_the_person(world: World) -> None:
    await fill(world)
    first, other = await erase(world, "ann"), await erase(world, "bob")
    assert list(await world.store.erasures.erasures("h", limit=9)) == [other, first]
    assert list(await world.store.erasures.erasures(None, limit=1)) == [other]
    assert list(await world.store.erasures.erasures("h", limit=9, below=other.id)) == [first]
    assert list(await world.store.erasures.erasures("other", limit=9)) == []
    assert first.pseudonym == "pseudonym of h"
    assert b"ann" not in msgspec.json.encode(first)


async def test_it_goes_in_chunks_and_a_repeat_goes_on_where_one_stopped(
    open_world: OpenStore,
) -> None:
    world = await open_world(chunk_rows=2)
    for _ in range(7):
        await world.alert("ann")
    begun = await begin(world)
    assert await world.store.erasures.unfinished_erasures() == [begun.id]
    assert await held(world) == []  # the name is nobody's from the first moment
    done = await world.store.erasures.finish_erasure(begun.id)
    assert (done.counts["item"], done.counts["alerts"]) == (7, 7)
    assert await world.store.erasures.finish_erasure(begun.id) == done
    assert await world.store.erasures.unfinished_erasures() == []


async def test_while_it_goes_on_nobody_is_told_of_the_person(world: World) -> None:
    alert = await world.alert("ann", "bob")
    now_us = world.clock.now_us()
    await world.store.receipts.note([Told("h", alert, u, "shown", now_us) for u in ("ann", "bob")])
    await begin(world)
    told = await world.store.receipts.receipts_after("h", 0, 9)
    assert [receipt.user for receipt in told] == ["bob"]
    assert await world.store.topics.audience_size("h", Audience(all=True)) == 1


async def test_erasing_somebody_unknown_leaves_a_record_of_nothing(world: World) -> None:
    record = await erase(world, "nobody")
    assert (record.counts, record.finished_us is None) == ({}, False)


async def test_a_hub_is_not_touched_by_an_erasure_in_another(world: World) -> None:
    await fill(world)
    before = await held(world)
    await erase(world, "ann", hub="other")
    assert await held(world) == before


async def test_no_position_of_the_erased_person_is_served_to_who_has_the_name_next(
    world: World,
) -> None:
    for _ in range(3):
        await world.alert("ann")
    old = await world.at()
    await erase(world)
    # Even when the new inbox has as many changes, and more, the old client is told to reload.
    for _ in range(5):
        for rev in range(old.rev + 1):
            assert await world.must_reload(Position(old.epoch, rev, old.brev))
        await world.alert("ann", accepted_us=world.clock.now_us() + 1)
    new = await world.at()
    assert new.rev > old.rev
    assert len(await world.listed()) == 5
    assert not await world.must_reload(new)
    assert await world.counts() == (5, 5)


async def test_a_second_life_is_erased_like_the_first(world: World) -> None:
    for _ in range(3):
        await world.alert("ann", accepted_us=world.clock.now_us())
        at = await world.at()
        assert len(await world.listed()) == 1
        await erase(world)
        world.clock.turn(us=1)
        assert await world.must_reload(at)


async def test_alerts_on_their_way_lose_the_name_and_go_if_it_was_the_only_one(
    world: World,
) -> None:
    now_us = world.clock.now_us()
    alone, both = envelope("ann", accepted_us=now_us), envelope("ann", "bob", accepted_us=now_us)
    word = envelope("bob", accepted_us=now_us, content=msgspec.Raw(b'{"source":"s","title":"ann"}'))
    elsewhere = envelope("ann", hub="other", accepted_us=now_us)
    later = envelope("ann", "bob", accepted_us=now_us, deliver_us=now_us + 9)
    queue = world.store.queue
    await queue.publish([alone, both, word, elsewhere, later])
    assert [row["kind"] for row in await held(world)].count("waiting") == 2
    record = await erase(world)
    assert {kind: record.counts[kind] for kind in ("waiting", "scheduled")} == {
        "waiting": 2,
        "scheduled": 1,
    }
    assert await held(world) == []
    world.clock.us += 10
    leased = {row.envelope.id: row.envelope for row in await queue.lease(limit=9, lease_s=9)}
    assert set(leased) == {both.id, word.id, elsewhere.id, later.id}
    assert leased[both.id].audience.users == leased[later.id].audience.users == ("bob",)
    assert leased[elsewhere.id].audience.users == ("ann",)


async def test_dead_letters_lose_the_name_too(world: World) -> None:
    queue, now_us = world.store.queue, world.clock.now_us()
    told = [envelope(*users, accepted_us=now_us) for users in (("ann",), ("ann", "bob"))]
    await queue.publish(told)
    for row in await queue.lease(limit=9, lease_s=9):
        await queue.bury(row.receipt, reason="x")
    record = await erase(world)
    assert record.counts == {"dead": 2}
    (letter,) = await queue.dead_letters(limit=9)
    assert letter.envelope.audience.users == ("bob",)


async def test_what_a_worker_holds_is_not_delivered_to_the_erased_person(world: World) -> None:
    now_us = world.clock.now_us()
    alone, both = envelope("ann", accepted_us=now_us), envelope("ann", "bob", accepted_us=now_us)
    begun = await begin(world)
    await world.store.deliver([alone, both])
    assert await world.store.positions("h", ["ann"]) == {}
    assert await world.listed("bob") == [both.id]
    await world.store.erasures.finish_erasure(begun.id)
    await world.store.deliver([alone])
    later = envelope("ann", accepted_us=now_us + 1)
    await world.store.deliver([later])
    assert await world.listed("ann") == [later.id]


def event(user: str, hub: str = "h") -> dict[str, Any]:
    return {"source": f"/hubs/{hub}", "subject": "a1", "data": {"alert_id": "a1", "user": user}}


async def test_messages_that_a_webhook_never_took_lose_the_person(world: World) -> None:
    webhooks = world.store.webhooks
    made = Webhook(
        id="w",
        hub="h",
        url="https://x.example",
        facts=(),
        key_id=None,
        secrets=Secrets(b"s"),
        created_us=1,
    )
    await webhooks.add_webhook(made)
    await webhooks.claim_webhook("w", 1, 2)
    for name, events in {
        "alone": [event("ann")],
        "both": [event("ann"), event("bob")],
        "elsewhere": [event("ann", "other")],
        "ping": [{"source": "/hubs/h", "data": {"webhook_id": "ann"}}],
    }.items():
        body = msgspec.json.encode(events)
        batch = DeadBatch(
            id=name,
            webhook_id="w",
            body=body,
            receipts=len(events),
            attempts=1,
            reason="x",
            at_us=1,
        )
        await webhooks.bury_batch(batch, Progress(), 2)
    assert [row for row in await held(world) if row["kind"] == "webhook"] == [
        {"kind": "webhook", "events": [event("ann")]}
    ] * 2
    assert (await erase(world)).counts == {"webhook": 2}
    left = {batch.id: batch for batch in await webhooks.dead_batches("w", limit=9)}
    assert set(left) == {"both", "elsewhere", "ping"}
    assert msgspec.json.decode(left["both"].body) == [event("bob")]
    assert left["both"].receipts == 1
