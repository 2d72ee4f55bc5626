"""What people prefer is asked right before a push is sent; what waits goes out in the end, alone or as one summary."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from tests.unit.push_stage import Stage, stage
from tocsin.model.preference import HubPreferences, Preferences
from tocsin.ports.push import Accepted, Later

HOUR_S = 3_600
# The clock of the stage stands at 11:06:40 UTC; quiet until noon.
QUIET = {"quiet_hours": {"zone": "UTC", "windows": [{"from": "10:00", "to": "12:00"}]}}
UNTIL_NOON_S = 3_200
OFF = {"push": {"enabled": False}}


@pytest.fixture
async def play() -> AsyncIterator[Stage]:
    async with stage() as play:
        await play.register()
        yield play


async def prefer(play: Stage, said: Any, user: str = "ann") -> None:
    preferences = msgspec.convert(said, Preferences)
    await play.store.preferences.keep_preferences("h", user, preferences)


def shown(play: Stage) -> list[str]:
    """Return the titles of what was sent."""
    return [
        msgspec.json.decode(push.payload)["notification"]["title"] for push in play.provider.sent
    ]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"channels": OFF}, "switched-off: push is switched off for the category 'c'"),
        ({"categories": {"c": OFF}}, "switched-off: push is switched off for the category 'c'"),
        ({"mutes": [{}]}, "muted: everything is muted"),
        (
            {"channels": {"push": {"min_severity": "error"}}},
            "below-severity: push begins at error for the category 'c', and this is info",
        ),
    ],
)
async def test_who_does_not_want_it_is_sent_nothing_and_the_push_says_why(
    play: Stage, said: Any, reason: str
) -> None:
    await prefer(play, said)
    alert_id = await play.alert("ann", category="c")
    await play.work()
    await play.turn(HOUR_S)
    assert play.provider.sent == []
    [record] = await play.pushes(alert_id)
    assert (record.end, record.reason) == ("cancelled", reason)
    assert play.counted("cancelled") == 1
    cancelled = {"reason": reason.partition(":")[0]}
    sample = play.metrics.registry.get_sample_value("tocsin_pushes_cancelled_total", cancelled)
    assert sample == 1


async def test_what_is_said_within_the_grace_counts(play: Stage) -> None:
    play.present.add("ann")
    alert_id = await play.alert("ann")
    await play.work()
    await prefer(play, {"mutes": [{}]})
    await play.turn(10)
    assert play.provider.sent == []
    [record] = await play.pushes(alert_id)
    assert record.reason == "muted: everything is muted"


async def test_a_push_waits_for_the_end_of_quiet_hours_and_says_until_when(play: Stage) -> None:
    await prefer(play, QUIET)
    alert_id = await play.alert("ann")
    await play.work()
    [record] = await play.pushes(alert_id)
    assert (record.end, record.attempts, record.held_us) == (None, 0, play.clock.us)
    assert record.due_us == play.clock.us + UNTIL_NOON_S * 1_000_000
    until = "quiet-hours: quiet hours in UTC until 2026-11-18T12:00:00.000Z"
    assert record.reason == until
    await play.turn(UNTIL_NOON_S - 1)
    assert play.provider.sent == []
    await play.turn(1)
    assert len(play.provider.sent) == 1
    [record] = await play.pushes(alert_id)
    assert (record.end, record.attempts) == ("accepted", 1)


async def test_quiet_hours_are_those_of_each_device_if_no_zone_is_named(play: Stage) -> None:
    await prefer(play, {"quiet_hours": {"windows": [{"from": "10:00", "to": "12:00"}]}})
    await play.register("ann", "tokyo", time_zone="Asia/Tokyo")  # 19:40 there
    await play.alert("ann")
    await play.work()
    assert [push.channel.handle for push in play.provider.sent] == ["ann/tokyo"]


async def test_what_is_read_in_quiet_hours_is_not_sent_at_their_end(play: Stage) -> None:
    await prefer(play, QUIET)
    read, unread = await play.alert("ann"), await play.alert("ann")
    await play.work()
    await play.world.patch(read, read=True)
    await play.turn(UNTIL_NOON_S)
    assert [push.alert_id for push in play.provider.sent] == [unread]
    assert [record.reason for record in await play.pushes(read)] == ["read"]


async def test_what_expires_in_quiet_hours_ends_at_once(play: Stage) -> None:
    await prefer(play, QUIET)
    alert_id = await play.alert("ann", expires_us=play.clock.us + UNTIL_NOON_S * 1_000_000)
    await play.work()
    [record] = await play.pushes(alert_id)
    assert record.end == "cancelled"
    assert str(record.reason).startswith("expires-in-quiet-hours: ")


async def test_critical_passes_where_the_hub_says_so(play: Stage) -> None:
    await prefer(play, QUIET)
    exempt = HubPreferences(critical_exempt=True)
    await play.store.preferences.keep_hub_preferences("h", exempt)
    await play.alert("ann", severity="error")
    urgent = await play.alert("ann", severity="critical")
    await play.work()
    assert [push.alert_id for push in play.provider.sent] == [urgent]


async def test_few_held_pushes_go_one_by_one_and_many_as_one_summary(play: Stage) -> None:
    await play.register("ben", "d2")
    for user in ("ann", "ben"):
        await prefer(play, QUIET, user)
    few = [await play.alert("ben") for _ in range(3)]
    many = [await play.alert("ann") for _ in range(4)]
    await play.work()
    for _ in range(8):
        await play.turn(UNTIL_NOON_S / 8)
    await play.turn(5)
    of_ben = [push for push in play.provider.sent if push.channel.handle == "ben/d2"]
    assert sorted(push.alert_id for push in of_ben) == sorted(few)
    [summary] = [push for push in play.provider.sent if push.channel.handle == "ann/d1"]
    assert "4 new alerts" in shown(play)
    assert (summary.alert_id, summary.collapse) == (many[-1], f"summary-{summary.delivery_id}")
    assert msgspec.json.decode(summary.payload)["data"]["summary"] == "4"
    ends = [(await play.pushes(alert_id))[0] for alert_id in many]
    assert sorted(str(record.end) for record in ends) == ["accepted", *["summed"] * 3]
    assert {record.reason for record in ends} == {
        "as a summary of 4 alerts",
        "in a summary of 4 alerts",
    }
    for alert_id in many:
        receipts = await play.store.receipts.receipts_of("h", alert_id, "ann")
        assert [receipt.fact for receipt in receipts] == ["pushed"]
    await play.turn(HOUR_S)
    assert len(play.provider.sent) == 4


async def test_a_summary_counts_only_what_is_still_of_use(play: Stage) -> None:
    await prefer(play, QUIET)
    alerts = [await play.alert("ann", category=f"c{n}") for n in range(6)]
    await play.work()
    await play.world.patch(alerts[0], read=True)
    await prefer(play, {**QUIET, "mutes": [{"category": "c1"}]})
    await play.turn(UNTIL_NOON_S)
    await play.turn(5)
    assert shown(play) == ["4 new alerts"]
    ends = [(await play.pushes(alert_id))[0] for alert_id in alerts]
    assert [str(record.reason).partition(":")[0] for record in ends[:2]] == ["read", "muted"]
    assert all(record.end is not None for record in ends)


async def test_a_summary_that_is_put_off_takes_the_others_along_at_the_next_try(
    play: Stage,
) -> None:
    await prefer(play, QUIET)
    alerts = [await play.alert("ann") for _ in range(5)]
    await play.work()
    play.provider.outcomes = [Later("503", after_s=60), *[Accepted()] * 9]
    await play.turn(UNTIL_NOON_S)
    for _ in range(5):
        await play.turn(60)
    assert set(shown(play)) == {"5 new alerts"}
    ends = [(await play.pushes(alert_id))[0].end for alert_id in alerts]
    assert sorted(map(str, ends)) == ["accepted", *["summed"] * 4]


async def test_a_storm_is_summed_up_when_it_is_over_and_critical_passes() -> None:
    async with stage(storm_pushes=2, storm_s=60) as play:
        await play.register()
        await play.register("ben", "d2")
        for _ in range(7):
            await play.alert("ann")
        urgent = await play.alert("ann", severity="critical")
        await play.alert("ben")
        await play.work()
        to_ann = [p.alert_id for p in play.provider.sent if p.channel.handle == "ann/d1"]
        assert len(to_ann) == 3
        assert urgent in to_ann
        assert len(play.provider.sent) == 4
        await play.turn(59)
        assert len(play.provider.sent) == 4
        await play.turn(1)
        await play.turn(5)
        assert shown(play)[4:] == ["5 new alerts"]
        await play.alert("ann")  # the summary was one push, so there is room for another
        await play.work()
        assert len(play.provider.sent) == 6


async def test_a_push_that_is_tried_again_is_no_storm() -> None:
    async with stage(storm_pushes=1, storm_s=600) as play:
        await play.register()
        play.provider.outcomes = [Later("503", after_s=1)] * 3
        alert_id = await play.alert("ann")
        await play.work()
        for _ in range(8):
            await play.turn(10)
        [record] = await play.pushes(alert_id)
        assert (record.end, record.attempts) == ("accepted", 4)
