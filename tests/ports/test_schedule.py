"""Alerts with a time of their own: kept apart until it comes, then queued like any other."""

import asyncio
from typing import Any

import pytest

from tests.ports.opener import OpenStore
from tests.ports.world import World, envelope
from tocsin.model.alert import Envelope
from tocsin.ports.queue import QueueDepth
from tocsin.ports.store import AlertListing, AlertStatus


def later(world: World, s: float, *users: str, **fields: Any) -> Envelope:
    """Make an alert that is due in ``s`` seconds."""
    now_us = world.clock.now_us()
    due_us = now_us + round(s * 1e6)
    return envelope(*(users or ("ann",)), accepted_us=now_us, deliver_us=due_us, **fields)


async def work(world: World) -> list[str]:
    """Deliver what is due, as the worker does, and return the ids that were leased."""
    taken = await world.store.queue.lease(limit=500, lease_s=30)
    await world.store.deliver([row.envelope for row in taken])
    await world.store.queue.ack([row.receipt for row in taken])
    return [row.envelope.id for row in taken]


async def stands(world: World, alert_id: str) -> AlertStatus:
    status = await world.store.alert("h", alert_id)
    assert status is not None
    return status


async def test_a_scheduled_alert_arrives_at_its_time_and_once(world: World) -> None:
    told = later(world, 60)
    (answer,) = await world.store.queue.publish([told])
    assert answer.outcome == "accepted"
    status = await stands(world, told.id)
    assert (status.state, status.deliver_us) == ("scheduled", told.deliver_us)
    world.clock.turn(s=59)
    assert await work(world) == []
    world.clock.turn(s=1)
    assert await work(world) == [told.id]
    assert await work(world) == []
    assert await world.listed() == [told.id]
    status = await stands(world, told.id)
    assert (status.state, status.deliver_us) == ("processed", told.deliver_us)


async def test_what_arrives_at_its_time_is_newer_than_what_came_before(world: World) -> None:
    told = later(world, 60)
    await world.store.queue.publish([told])
    world.clock.turn(s=30)
    between = await world.alert("ann")
    world.clock.turn(s=30)
    await work(world)
    assert await world.listed() == [told.id, between]


async def test_those_due_at_the_same_time_come_in_order_and_behind_the_queue(world: World) -> None:
    told = [later(world, s) for s in (2, 1, 1)]
    await world.store.queue.publish(told)
    live = envelope("ann")
    await world.store.queue.publish([live])
    world.clock.turn(s=5)
    assert await work(world) == [live.id, told[1].id, told[2].id, told[0].id]


async def test_a_lease_takes_scheduled_alerts_up_to_its_limit(world: World) -> None:
    told = [later(world, 1) for _ in range(5)]
    await world.store.queue.publish(told)
    world.clock.turn(s=1)
    for expected in (2, 2, 1, 0):
        assert len(await world.store.queue.lease(limit=2, lease_s=30)) == expected


async def test_a_time_that_has_passed_is_at_once(world: World) -> None:
    told = later(world, -5)
    await world.store.queue.publish([told])
    assert await work(world) == [told.id]


async def test_scheduled_alerts_do_not_make_the_queue_look_stuck(world: World) -> None:
    await world.store.queue.publish([later(world, 10), later(world, 20)])
    world.clock.turn(s=9)
    assert await world.store.queue.depth() == QueueDepth(0, 0.0, scheduled=2)
    world.clock.turn(s=4)
    assert await world.store.queue.depth() == QueueDepth(1, 3.0, scheduled=1)
    await world.store.queue.lease(limit=500, lease_s=30)
    assert await world.store.queue.depth() == QueueDepth(1, 3.0, scheduled=1)


async def test_scheduled_alerts_have_a_bound_of_their_own(open_world: OpenStore) -> None:
    world = await open_world(queue_rows=1, scheduled_rows=2)
    told = [later(world, 10) for _ in range(3)]
    published = await world.store.queue.publish([*told, envelope("ann"), envelope("ann")])
    assert [row.outcome for row in published] == [
        "accepted",
        "accepted",
        "schedule_full",
        "accepted",
        "full",
    ]
    await world.store.withdraw("h", told[0].id)
    assert (await world.store.queue.publish([told[2]]))[0].outcome == "accepted"


async def test_what_is_due_joins_a_full_queue(open_world: OpenStore) -> None:
    world = await open_world(queue_rows=1)
    told = later(world, 1)
    await world.store.queue.publish([told, envelope("ann")])
    world.clock.turn(s=1)
    assert len(await world.store.queue.lease(limit=500, lease_s=30)) == 2
    assert (await world.store.queue.publish([envelope("ann")]))[0].outcome == "full"


async def test_a_scheduled_alert_that_is_withdrawn_never_arrives(world: World) -> None:
    told = later(world, 10)
    await world.store.queue.publish([told])
    await world.store.withdraw("other", told.id)
    assert (await stands(world, told.id)).state == "scheduled"
    await world.store.withdraw("h", told.id)
    status = await stands(world, told.id)
    assert (status.state, status.recipients) == ("withdrawn", 0)
    world.clock.turn(s=10)
    assert await work(world) == []
    assert await world.listed() == []


@pytest.mark.parametrize("users", [("ann",), ()])
async def test_an_alert_that_expires_before_it_is_delivered_never_appears(
    world: World, users: tuple[str, ...]
) -> None:
    now_us = world.clock.now_us()
    told = envelope(*users, deliver_us=now_us + 10, expires_us=now_us + 20)
    in_time = envelope("ann")
    await world.at()
    await world.store.queue.publish([told, in_time])
    world.clock.turn(us=20)
    assert await work(world) == [in_time.id, told.id]
    assert await world.shown() == [in_time.id]
    status = await stands(world, told.id)
    assert (status.state, status.expired_us, status.recipients) == ("expired", now_us + 20, 0)
    page = await world.store.alerts("h", AlertListing())
    assert {alert.id: alert.expired_us for alert in page.alerts} == {
        told.id: now_us + 20,
        in_time.id: None,
    }


async def test_a_repeat_of_a_scheduled_alert_is_told_like_any_other(world: World) -> None:
    fields: dict[str, Any] = {"producer_id": "p", "fingerprint": b"same"}
    told = later(world, 10, "ann", **fields)
    await world.store.queue.publish([told])
    (repeat,) = await world.store.queue.publish([later(world, 10, "ann", **fields)])
    assert (repeat.outcome, repeat.id) == ("duplicate", told.id)


async def test_waiting_ends_when_a_scheduled_alert_is_due(world: World) -> None:
    await world.store.queue.publish([later(world, 0.01)])
    await asyncio.wait_for(world.store.queue.wait_ready(60), 30)


async def test_a_clock_that_is_set_back_keeps_no_live_alert_waiting(world: World) -> None:
    told = envelope("ann")
    await world.store.queue.publish([told])
    world.clock.turn(days=-1)
    assert await work(world) == [told.id]


async def test_what_was_put_off_comes_before_what_is_new(world: World) -> None:
    told = envelope("ann")
    await world.store.queue.publish([told])
    (taken,) = await world.store.queue.lease(limit=1, lease_s=30)
    await world.store.queue.retry_later(taken.receipt, delay_s=5, reason="busy")
    newer = envelope("ann")
    await world.store.queue.publish([newer])
    world.clock.turn(s=5)
    leased = await world.store.queue.lease(limit=1, lease_s=30)
    assert [row.envelope.id for row in leased] == [told.id]


async def test_what_is_not_processed_is_listed_by_hub_and_key_page_by_page(world: World) -> None:
    queue = world.store.queue
    told = []
    for number in range(5):
        world.clock.turn(s=1)
        key_id = ("k1", "k2")[number % 2]
        told.append(later(world, 600, key_id=key_id, category=f"c{number % 2}"))
    foreign = later(world, 600, hub="other", key_id="k1")
    await queue.publish([*told, foreign])

    async def listed(**listing: Any) -> list[str]:
        found: list[str] = []
        cursor = None
        while True:
            asked = AlertListing(limit=2, cursor=cursor, **listing)
            page = await world.store.alerts("h", asked)
            found += [alert.id for alert in page.alerts]
            cursor = page.next
            if cursor is None:
                return found

    newest = [one.id for one in reversed(told)]
    assert await listed(state="scheduled") == newest
    assert await listed(state="scheduled", key_id="k1") == newest[::2]
    assert await listed(state="scheduled", category="c1") == newest[1::2]
    assert await listed(state="scheduled", since_us=told[3].accepted_us) == newest[:2]
    assert await listed(state="dead") == []
    world.clock.turn(s=601)
    for row in await queue.lease(limit=10, lease_s=30):
        await queue.bury(row.receipt, reason="poison")
    assert await listed(state="scheduled") == []
    assert await listed(state="dead") == newest
    assert await listed(state="dead", key_id="k2") == newest[1::2]
    page = await world.store.alerts("h", AlertListing(state="dead", limit=1))
    assert (page.alerts[0].reason, page.alerts[0].processed_us) == ("poison", None)
