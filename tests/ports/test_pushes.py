"""Pushes are made with the items, come until they have ended, and never afterwards."""

from typing import Any

import pytest

from tests.ports.devices import browser, device
from tests.ports.world import World
from tocsin.model.push import Ending, PushJob, PushRecord, PutBack, why_not
from tocsin.model.receipt import Told


async def register(world: World, *names: str, **fields: Any) -> None:
    """Register devices, named user/id."""
    for name in names:
        user, device_id = name.split("/")
        await world.store.devices.put_device(device(user, device_id, **fields), 20)


async def lease(world: World, *, s: float = 60, limit: int = 100) -> list[PushJob]:
    now_us = world.clock.us
    until_us = now_us + round(s * 1_000_000)
    return list(await world.store.pushes.lease_pushes(now_us, until_us, limit))


async def end(world: World, job: PushJob, how: str = "accepted", reason: str = "") -> None:
    ending = Ending(how, reason, world.clock.us)  # type: ignore[arg-type]
    await world.store.pushes.end_push(job, ending, (), {})


def names(jobs: list[PushJob]) -> list[str]:
    return sorted(f"{job.user}/{job.device.id}" for job in jobs)


async def spread(world: World, limit: int = 100) -> None:
    while await world.store.pushes.spread_pushes(limit):
        pass


async def test_an_alert_makes_a_push_for_every_device_of_who_gets_it(world: World) -> None:
    await register(world, "ann/a", "ann/b", "ben/c", "cyd/d")
    alert_id = await world.alert("ann", "ben", "dan", severity="critical")
    jobs = await lease(world)
    assert names(jobs) == ["ann/a", "ann/b", "ben/c"]
    assert {(job.alert_id, job.severity, job.attempts) for job in jobs} == {
        (alert_id, "critical", 1)
    }
    assert len({job.delivery_id for job in jobs}) == 3


async def test_who_has_no_device_makes_no_push(world: World) -> None:
    await world.alert("ann")
    await world.alert()
    assert await world.store.pushes.next_push_us() is None
    await register(world, "ann/a")
    assert await lease(world) == []


async def test_a_redelivery_makes_no_second_push(world: World) -> None:
    await register(world, "ann/a")
    told = await world.alert("ann")
    await world.alert("ann", id=told)
    assert len(await lease(world)) == 1


async def test_what_nobody_settles_comes_again_under_the_same_delivery_id(world: World) -> None:
    await register(world, "ann/a")
    await world.alert("ann")
    [first] = await lease(world, s=60)
    assert await lease(world) == []
    world.clock.turn(s=61)
    [second] = await lease(world)
    assert (second.delivery_id, second.attempts) == (first.delivery_id, 2)


async def test_what_an_ended_process_had_leased_comes_at_once(world: World) -> None:
    await register(world, "ann/a")
    await world.alert("ann")
    await lease(world, s=600)
    await world.store.pushes.resume_pushes(world.clock.us)
    [job] = await lease(world)
    assert job.attempts == 2


async def test_what_has_ended_never_comes_again(world: World) -> None:
    await register(world, "ann/a")
    await world.alert("ann")
    [job] = await lease(world)
    await end(world, job)
    await world.store.pushes.put_back_pushes([PutBack(job.number, world.clock.us)])
    await world.store.pushes.resume_pushes(world.clock.us)
    world.clock.turn(days=1)
    assert await lease(world) == []
    assert await world.store.pushes.standings([job.number]) == {}
    assert await world.store.pushes.waiting_pushes() == 0
    found = await world.store.devices.device("h", "ann", "a")
    assert found is not None
    assert found.last_success_us == world.clock.us - 86_400_000_000


async def test_put_back_pushes_come_at_their_time_and_untried_ones_do_not_count(
    world: World,
) -> None:
    await register(world, "ann/a")
    await world.alert("ann")
    [job] = await lease(world)
    due_us = world.clock.us + 5_000_000
    await world.store.pushes.put_back_pushes([PutBack(job.number, due_us)])
    assert await lease(world) == []
    assert await world.store.pushes.next_push_us() == due_us
    world.clock.turn(s=5)
    [job] = await lease(world)
    assert job.attempts == 1
    await world.store.pushes.put_back_pushes([PutBack(job.number, due_us, "503", tried=True)])
    [job] = await lease(world)
    assert job.attempts == 2


async def test_the_longest_due_come_first_and_no_more_than_asked(world: World) -> None:
    await register(world, "ann/a")
    alerts = []
    for _ in range(3):
        alerts.append(await world.alert("ann"))
        world.clock.turn(s=1)
    assert [job.alert_id for job in await lease(world, limit=2)] == alerts[:2]
    assert [job.alert_id for job in await lease(world, limit=2)] == alerts[2:]


async def test_a_broadcast_is_spread_in_chunks_over_the_devices_of_who_heard_it(
    world: World,
) -> None:
    await register(world, *(f"u{n}/d" for n in range(5)))
    await world.alert()
    await register(world, "late/d")
    assert await world.store.pushes.next_push_us() == 0
    await world.store.pushes.spread_pushes(2)
    assert len(first := await lease(world)) in (1, 2)
    await spread(world, 2)
    assert names([*first, *await lease(world)]) == [f"u{n}/d" for n in range(5)]
    assert await world.store.pushes.spread_pushes(2) == 0


async def test_a_broadcast_of_another_hub_reaches_nobody_here(world: World) -> None:
    await register(world, "ann/a")
    await register(world, "ann/a", hub="other")
    await world.alert()
    await spread(world)
    assert [job.hub for job in await lease(world)] == ["h"]


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ({"read": True}, "read"),
        ({"seen": True}, "seen"),
        ({"deleted": True}, "deleted"),
        ({"archived": True}, "archived"),
    ],
)
async def test_what_was_done_with_the_item_says_why_it_is_not_pushed(
    world: World, act: dict[str, Any], reason: str
) -> None:
    await register(world, "ann/a")
    alert_id = await world.alert("ann")
    [job] = await lease(world)
    standing = (await world.store.pushes.standings([job.number]))[job.number]
    assert standing is not None
    assert (why_not(standing, world.clock.us), standing.unread) == (None, 1)
    await world.patch(alert_id, **act)
    standing = (await world.store.pushes.standings([job.number]))[job.number]
    assert why_not(standing, world.clock.us) == reason


async def test_a_broadcast_that_was_read_is_not_pushed_to_that_person(world: World) -> None:
    await register(world, "ann/a", "ben/b")
    alert_id = await world.alert(expires_us=world.clock.us + 5)
    await spread(world)
    jobs = {job.user: job.number for job in await lease(world)}
    await world.patch(alert_id, read=True)
    standings = await world.store.pushes.standings(list(jobs.values()))
    reasons = {user: why_not(standings[number], world.clock.us) for user, number in jobs.items()}
    assert reasons == {"ann": "read", "ben": None}
    assert why_not(standings[jobs["ben"]], world.clock.us + 5) == "expired"


async def test_a_withdrawn_and_a_replaced_alert_are_not_pushed(world: World) -> None:
    await register(world, "ann/a")
    replaced = await world.alert("ann", collapse_key="k")
    kept = await world.alert("ann", collapse_key="k")
    withdrawn = await world.alert("ann")
    await world.store.withdraw("h", withdrawn)
    jobs = {job.alert_id: job.number for job in await lease(world)}
    standings = await world.store.pushes.standings(list(jobs.values()))
    reasons = {a: why_not(standings[n], world.clock.us) for a, n in jobs.items()}
    assert reasons == {replaced: "not-in-inbox", kept: None, withdrawn: "withdrawn"}


def shown(alert_id: str, user: str = "ann") -> Told:
    return Told("h", alert_id, user, "shown", 1, device="page")


async def test_what_was_shown_is_not_pushed(world: World) -> None:
    await register(world, "ann/a", "ann/b", "ben/c")
    alert_id = await world.alert("ann", "ben")
    other = await world.alert("ann")
    await world.store.pushes.cancel_shown([shown(alert_id)])
    jobs = await lease(world)
    assert sorted((job.alert_id, job.user) for job in jobs) == [
        (alert_id, "ben"),
        (other, "ann"),
        (other, "ann"),
    ]


async def test_a_broadcast_shown_before_it_is_spread_is_not_pushed(world: World) -> None:
    await register(world, "ann/a", "ben/b")
    alert_id = await world.alert()
    await world.store.pushes.cancel_shown([shown(alert_id)])
    await spread(world)
    assert names(await lease(world)) == ["ben/b"]


async def test_who_was_shown_nothing_of_it_changes_nothing(world: World) -> None:
    await register(world, "ann/a")
    alert_id = await world.alert("ann")
    told = [shown(alert_id, "ben"), shown("nothing"), Told("other", alert_id, "ann", "shown", 1)]
    await world.store.pushes.cancel_shown(told)
    assert len(await lease(world)) == 1


async def test_a_push_that_was_cancelled_on_its_way_counts_as_accepted(world: World) -> None:
    await register(world, "ann/a")
    alert_id = await world.alert("ann")
    [job] = await lease(world)
    await world.store.pushes.cancel_shown([shown(alert_id)])
    assert await world.store.pushes.standings([job.number]) == {}
    await end(world, job)
    copy = await world.store.traces.copy("h", alert_id, "ann")
    assert copy is not None
    assert [push.end for push in copy.pushes] == ["accepted"]


async def test_pushes_to_a_removed_device_end(world: World) -> None:
    await register(world, "ann/a")
    alert_id = await world.alert("ann")
    await world.store.devices.remove_device("h", "ann", "a")
    assert await lease(world) == []
    copy = await world.store.traces.copy("h", alert_id, "ann")
    assert copy is not None
    assert [(push.device, push.end, push.reason) for push in copy.pushes] == [
        ("a", "cancelled", "device-removed")
    ]


async def test_a_gone_device_takes_its_other_pushes_with_it_and_gets_no_more(world: World) -> None:
    await register(world, "ann/a")
    await world.alert("ann")
    await world.alert("ann")
    first, second = await lease(world)
    await end(world, first, "gone", "410")
    assert await world.store.pushes.standings([second.number]) == {}
    await world.alert("ann")
    assert await lease(world) == []


async def test_a_device_that_registered_again_meanwhile_is_not_gone(world: World) -> None:
    await register(world, "ann/a")
    await world.alert("ann")
    [job] = await lease(world)
    await register(world, "ann/a", registered_us=2)
    await end(world, job, "gone", "410")
    found = await world.store.devices.device("h", "ann", "a")
    assert found is not None
    assert found.gone_us is None


async def test_the_outcome_is_a_receipt_in_the_same_transaction(world: World) -> None:
    await register(world, "ann/a")
    alert_id = await world.alert("ann")
    [job] = await lease(world)
    told = [Told("h", alert_id, "ann", "pushed", world.clock.us, "a")]
    await world.store.pushes.end_push(job, Ending("accepted", "", world.clock.us), told, {})
    [receipt] = await world.store.receipts.receipts_of("h", alert_id, "ann")
    assert (receipt.fact, receipt.device) == ("pushed", "a")


async def test_ended_pushes_are_forgotten_after_a_while(world: World) -> None:
    await register(world, "ann/a")
    alert_id = await world.alert("ann")
    [job] = await lease(world)
    await end(world, job)
    for days, left in ((6, 1), (2, 0)):
        world.clock.turn(days=days)
        await world.sweep()
        copy = await world.store.traces.copy("h", alert_id, "ann")
        assert copy is not None
        assert len(copy.pushes) == left


async def test_held_pushes_of_a_device_are_found_by_each_other_until_they_end(world: World) -> None:
    await register(world, "ann/a", "ann/b", "ben/c")
    for _ in range(3):
        await world.alert("ann", "ben")
    jobs = [job for job in await lease(world) if job.user == "ann" and job.device.id == "a"]
    assert not any(job.held for job in jobs)
    store, due_us = world.store.pushes, world.clock.us + 5_000_000
    first, second, third = (job.number for job in jobs)
    assert await store.held_beside(first, 9) == []
    held_us = world.clock.us
    await store.put_back_pushes([PutBack(n, due_us, "quiet", held=True) for n in (first, second)])
    assert list(await store.held_beside(first, 9)) == [second]
    assert list(await store.held_beside(third, 9)) == [second, first]
    assert list(await store.held_beside(third, 1)) == [second]
    world.clock.turn(s=5)
    again = {job.number: job for job in await lease(world)}
    assert (again[first].held, again[first].attempts) == (True, 1)
    # Once held it stays so, whatever it waits for, and since the first time.
    await store.put_back_pushes([PutBack(first, world.clock.us, "503", tried=True)])
    [job] = await lease(world)
    assert (job.number, job.held) == (first, True)
    record = await record_of(world, job)
    assert (record.held_us, record.reason) == (held_us, "503")


async def test_those_that_go_out_with_a_push_end_with_it(world: World) -> None:
    await register(world, "ann/a")
    alerts = [await world.alert("ann") for _ in range(3)]
    first, second, third = await lease(world)
    now_us = world.clock.us
    said = Ending("accepted", "as a summary of 2 alerts", now_us)
    await world.store.pushes.end_push(first, said, (), {second.number: "in a summary of 2 alerts"})
    summed = await record_of(world, second)
    assert (summed.end, summed.reason, summed.ended_us) == (
        "summed",
        "in a summary of 2 alerts",
        now_us,
    )
    assert (await record_of(world, first)).end == "accepted"
    assert (await record_of(world, third)).end is None
    assert [job.alert_id for job in (first, second, third)] == alerts
    found = await world.store.pushes.standings([first.number, second.number, third.number])
    assert list(found) == [third.number]


async def record_of(world: World, job: PushJob) -> PushRecord:
    copy = await world.store.traces.copy("h", job.alert_id, job.user)
    assert copy is not None
    [record] = [one for one in copy.pushes if one.device == job.device.id]
    return record


async def show(world: World, *users: str, **fields: Any) -> str:
    """Deliver an alert, and have its pushes accepted."""
    alert_id = await world.alert(*users, **fields)
    await spread(world)
    for job in await lease(world):
        await end(world, job)
    return alert_id


async def withdrawals(world: World, *users: str) -> list[str]:
    """Look at these users, and return to which devices withdrawals go."""
    at = [("h", user) for user in users or ("ann", "ben")]
    await world.store.pushes.withdraw_pushes(at, world.clock.us)
    jobs = await lease(world)
    assert {job.kind for job in jobs} <= {"withdraw"}
    return names(jobs)


@pytest.mark.parametrize("act", ["read", "deleted", "archived"])
async def test_what_was_dealt_with_is_taken_back_once_from_every_device(
    world: World, act: str
) -> None:
    await register(world, "ann/a", "ann/b", "ben/c")
    alert_id = await show(world, "ann", "ben")
    assert await withdrawals(world) == []
    change: dict[str, Any] = {act: True}
    await world.patch(alert_id, **change)
    assert await withdrawals(world, "ben") == []
    assert await withdrawals(world) == ["ann/a", "ann/b"]
    assert await withdrawals(world) == []


async def test_opening_the_bell_alone_takes_nothing_back(world: World) -> None:
    await register(world, "ann/a")
    await world.patch(await show(world, "ann"), seen=True)
    assert await withdrawals(world) == []


async def test_a_withdrawn_alert_and_broadcast_are_taken_back(world: World) -> None:
    await register(world, "ann/a", "ben/b")
    own, heard = await show(world, "ann"), await show(world)
    await world.store.withdraw("h", own)
    await world.store.withdraw("h", heard)
    place: int | None = 0
    while place is not None:
        place = await world.store.pushes.withdraw_after(place, world.clock.us, 1)
    found = sorted((job.alert_id, job.user) for job in await lease(world))
    assert found == sorted([(own, "ann"), (heard, "ann"), (heard, "ben")])


async def test_what_another_alert_took_the_place_of_is_not_taken_back(world: World) -> None:
    await register(world, "ann/a")
    await show(world, "ann", collapse_key="k")
    newest = await show(world, "ann", collapse_key="k")
    assert await withdrawals(world) == []
    assert (await world.listed())[0] != newest  # both say it under the first one's item


async def test_a_summary_is_taken_back_once_all_its_alerts_were_dealt_with(world: World) -> None:
    await register(world, "ann/a")
    alerts = [await world.alert("ann") for _ in range(3)]
    first, *others = await lease(world)
    summed = {job.number: "in a summary" for job in others}
    ending = Ending("accepted", "a summary", world.clock.us)
    await world.store.pushes.end_push(first, ending, (), summed)
    alone = await show(world, "ann")
    for alert_id in (alerts[0], alerts[2]):
        await world.patch(alert_id, read=True)
        assert await withdrawals(world) == []
    await world.patch(alerts[1], read=True)
    await world.store.pushes.withdraw_pushes([("h", "ann")], world.clock.us)
    [taken_back] = await lease(world)
    assert (taken_back.kind, taken_back.tag) == ("withdraw", first.summary_tag)
    assert await withdrawals(world) == []
    await world.patch(alone, read=True)
    await world.store.pushes.withdraw_pushes([("h", "ann")], world.clock.us)
    [other] = await lease(world)
    assert (other.alert_id, other.tag) == (alone, None)


async def test_browsers_and_devices_that_are_gone_are_told_nothing(world: World) -> None:
    await register(world, "ann/a", channel=browser("https://push.example/1"))
    await register(world, "ben/b")
    alert_id = await show(world, "ann", "ben")
    await register(world, "ben/b", gone_us=1, gone_reason="410")
    for user in ("ann", "ben"):
        await world.patch(alert_id, user=user, read=True)
    assert await withdrawals(world) == []
