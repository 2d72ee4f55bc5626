"""Webhooks are kept, with how far each was told and what it did not take."""

from typing import Any

from msgspec.structs import replace

from tests.ports.world import World, envelope
from tocsin.model.receipt import Told
from tocsin.model.webhook import DeadBatch, Progress, Secrets, Webhook


def webhook(webhook_id: str = "w1", **fields: Any) -> Webhook:
    return Webhook(
        **{
            "id": webhook_id,
            "hub": "h",
            "url": "https://a.example/",
            "facts": ("read",),
            "key_id": None,
            "secrets": Secrets(b"sealed"),
            "created_us": 1,
            **fields,
        }
    )


def dead(batch_id: str = "b1", webhook_id: str = "w1", at_us: int = 1) -> DeadBatch:
    return DeadBatch(
        id=batch_id,
        webhook_id=webhook_id,
        body=b"[]",
        receipts=2,
        attempts=3,
        reason="answered 500",
        at_us=at_us,
    )


async def receipts(world: World, *devices: str, hub: str = "h") -> None:
    """Note that Ann was shown an alert on each of these devices."""
    told = envelope("ann", hub=hub)
    await world.store.deliver([told])
    await world.store.receipts.note(
        [Told(hub, told.id, "ann", "shown", 1, device=device) for device in devices]
    )


LONG_US = 1_000_000


async def hold(world: World, webhook_id: str = "w1") -> None:
    """Take a webhook in hand that is due."""
    now_us = world.clock.now_us()
    assert await world.store.webhooks.claim_webhook(webhook_id, now_us, now_us + LONG_US)


async def note(world: World, progress: Progress, webhook_id: str = "w1") -> bool:
    until_us = world.clock.now_us() + LONG_US
    return await world.store.webhooks.note_progress(webhook_id, progress, until_us)


async def bury(world: World, batch: DeadBatch, progress: Progress | None = None) -> bool:
    until_us = world.clock.now_us() + LONG_US
    return await world.store.webhooks.bury_batch(batch, progress or Progress(), until_us)


async def kept(world: World, webhook_id: str = "w1") -> Webhook:
    found = await world.store.webhooks.webhook("h", webhook_id)
    assert found is not None
    return found


async def test_a_webhook_is_kept_as_it_was_made(world: World) -> None:
    made = webhook(key_id="k", facts=("read", "acted"), secrets=Secrets(b"new", b"old", 7))
    await world.store.webhooks.add_webhook(made)
    assert await kept(world) == made


async def test_webhooks_are_listed_oldest_first_and_another_hub_has_none(world: World) -> None:
    for webhook_id, hub, created_us in (("a", "h", 2), ("b", "h", 1), ("c", "other", 1)):
        await world.store.webhooks.add_webhook(webhook(webhook_id, hub=hub, created_us=created_us))
    assert [one.id for one in await world.store.webhooks.webhooks("h")] == ["b", "a"]
    assert await world.store.webhooks.webhook("other", "a") is None
    assert await world.store.webhooks.remove_webhook("other", "a") is False
    assert (await kept(world, "a")).hub == "h"


async def test_a_webhook_is_told_what_comes_after_it(world: World) -> None:
    await receipts(world, "d1", "d2")
    await world.store.webhooks.add_webhook(webhook())
    cursor = (await kept(world)).progress.cursor
    assert await world.store.webhooks.due_webhooks(10, 10) == []
    await receipts(world, "d3")
    assert [one.id for one in await world.store.webhooks.due_webhooks(10, 10)] == ["w1"]
    [receipt] = await world.store.receipts.receipts_after("h", cursor, 10)
    assert receipt.device == "d3"


async def test_due_is_what_has_receipts_and_waits_for_nothing(world: World) -> None:
    for webhook_id, due_us in (("late", 20), ("second", 5), ("first", 3), ("off", 1)):
        await world.store.webhooks.add_webhook(
            webhook(webhook_id, progress=Progress(due_us=due_us))
        )
    await world.store.webhooks.add_webhook(webhook("elsewhere", hub="quiet"))
    await world.store.webhooks.disable_webhook("off", 1, "gone")
    await receipts(world, "d1")
    due = await world.store.webhooks.due_webhooks(10, 10)
    assert [one.id for one in due] == ["first", "second"]
    assert [one.id for one in await world.store.webhooks.due_webhooks(10, 1)] == ["first"]


async def test_progress_is_kept_whole(world: World) -> None:
    await world.store.webhooks.add_webhook(webhook())
    progress = Progress(
        cursor=4, up_to=9, attempts=2, began_us=5, due_us=6, failure="answered 500", given_up=1
    )
    await hold(world)
    assert await note(world, progress)
    assert (await kept(world)).progress == progress


async def test_a_change_makes_what_is_due_due_at_once_and_keeps_the_cursor(world: World) -> None:
    await world.store.webhooks.add_webhook(webhook(facts=()))
    await hold(world)
    await note(world, Progress(cursor=4, up_to=9, attempts=2, due_us=99, failure="x", given_up=2))
    await world.store.webhooks.disable_webhook("w1", 3, "answered 410")
    changed = replace(await kept(world), url="https://b.example/", facts=("acted",), key_id="k")
    await world.store.webhooks.change_webhook(
        replace(changed, disabled_us=None, disabled_reason=None)
    )
    found = await kept(world)
    assert (found.url, found.facts, found.key_id) == ("https://b.example/", ("acted",), "k")
    assert (found.disabled_us, found.disabled_reason) == (None, None)
    assert found.progress == Progress(cursor=4, up_to=9, failure="x")


async def test_the_first_reason_for_being_disabled_stays(world: World) -> None:
    await world.store.webhooks.add_webhook(webhook())
    await world.store.webhooks.disable_webhook("w1", 3, "first")
    await world.store.webhooks.disable_webhook("w1", 4, "second")
    found = await kept(world)
    assert (found.disabled_us, found.disabled_reason) == (3, "first")


async def test_secrets_are_rotated(world: World) -> None:
    await world.store.webhooks.add_webhook(webhook())
    await world.store.webhooks.rotate_secret("w1", Secrets(b"new", b"sealed", 9))
    assert (await kept(world)).secrets == Secrets(b"new", b"sealed", 9)


async def test_who_does_not_hold_a_webhook_changes_nothing_of_it(world: World) -> None:
    await world.store.webhooks.add_webhook(webhook())
    assert not await note(world, Progress(cursor=9))
    await hold(world)
    await hold(world)  # again, since nobody else has it
    assert await note(world, Progress(cursor=4))
    await world.store.webhooks.release_webhook("w1")
    assert not await note(world, Progress(cursor=9))
    assert not await bury(world, dead(), Progress(cursor=9))
    assert (await kept(world)).progress == Progress(cursor=4)
    assert await world.store.webhooks.dead_batches("w1", limit=9) == []


async def test_only_what_is_due_and_enabled_is_taken_in_hand(world: World) -> None:
    for webhook_id, due_us in (("now", 5), ("later", 6), ("off", 5)):
        made = webhook(webhook_id, progress=Progress(due_us=due_us))
        await world.store.webhooks.add_webhook(made)
    await world.store.webhooks.disable_webhook("off", 1, "gone")
    claims = [
        await world.store.webhooks.claim_webhook(name, 5, LONG_US)
        for name in ("now", "later", "off", "unknown")
    ]
    assert claims == [True, False, False, False]


async def test_what_was_given_up_is_kept_with_the_progress_that_passed_it(world: World) -> None:
    await world.store.webhooks.add_webhook(webhook())
    await hold(world)
    assert await bury(world, dead(), Progress(cursor=9, given_up=1))
    assert (await kept(world)).progress == Progress(cursor=9, given_up=1)
    assert await world.store.webhooks.dead_batch("w1", "b1") == dead()
    assert await world.store.webhooks.dead_batch("other", "b1") is None
    assert await world.store.webhooks.drop_dead_batch("other", "b1") is False
    assert await world.store.webhooks.drop_dead_batch("w1", "b1") is True
    assert await world.store.webhooks.drop_dead_batch("w1", "b1") is False


async def test_dead_batches_are_listed_newest_first_page_by_page(world: World) -> None:
    await world.store.webhooks.add_webhook(webhook())
    await hold(world)
    for batch_id, at_us in (("a", 1), ("c", 2), ("b", 2), ("d", 3)):
        await bury(world, dead(batch_id, at_us=at_us))
    first = await world.store.webhooks.dead_batches("w1", limit=2)
    rest = await world.store.webhooks.dead_batches(
        "w1", limit=9, below=(first[-1].at_us, first[-1].id)
    )
    assert [one.id for one in (*first, *rest)] == ["d", "c", "b", "a"]


async def test_a_removed_webhook_takes_its_dead_batches_along(world: World) -> None:
    await world.store.webhooks.add_webhook(webhook())
    await hold(world)
    await bury(world, dead())
    assert await world.store.webhooks.remove_webhook("h", "w1") is True
    assert await world.store.webhooks.remove_webhook("h", "w1") is False
    assert await world.store.webhooks.dead_batch("w1", "b1") is None


async def test_nothing_is_kept_for_a_webhook_that_is_gone(world: World) -> None:
    await world.store.webhooks.change_webhook(webhook())
    assert not await world.store.webhooks.claim_webhook("w1", 1, LONG_US)
    assert not await note(world, Progress(cursor=9))
    assert not await bury(world, dead())
    assert await world.store.webhooks.webhook("h", "w1") is None
    assert await world.store.webhooks.dead_batches("w1", limit=9) == []


async def test_owners_are_the_keys_of_the_hubs_own_alerts(world: World) -> None:
    mine, other = envelope("ann", key_id="k1"), envelope("ann", hub="other")
    await world.store.deliver([mine, other])
    asked = [mine.id, other.id, "unknown"]
    assert await world.store.webhooks.owners("h", asked) == {mine.id: "k1"}
