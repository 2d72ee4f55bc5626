"""The dispatcher sends each push once, unless it has a reason not to, or to try again."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from tests.ports.world import change_of, envelope
from tests.unit.push_stage import Stage, stage
from tocsin.model.device import FcmChannel
from tocsin.ports.fanout import announce_changes
from tocsin.ports.push import Gone, Later, Misconfigured, Rejected
from tocsin.push import lane
from tocsin.push.recaller import Recaller


@pytest.fixture
async def play() -> AsyncIterator[Stage]:
    async with stage() as play:
        await play.register()
        yield play


async def test_who_is_not_there_is_pushed_at_once_and_once(play: Stage) -> None:
    alert_id = await play.alert("ann")
    await play.work()
    await play.turn(3_600)
    [push] = play.provider.sent
    assert (push.alert_id, push.collapse, push.urgency) == (alert_id, alert_id, "normal")
    [record] = await play.pushes(alert_id)
    assert (record.end, record.attempts, record.device) == ("accepted", 1, "d1")
    [receipt] = await play.store.receipts.receipts_of("h", alert_id, "ann")
    assert (receipt.fact, receipt.device) == ("pushed", "d1")
    assert play.counted("accepted") == 1


@pytest.mark.parametrize(
    ("severity", "grace_s"),
    [("critical", 2), ("error", 3), ("warning", 5), ("success", 10), ("info", 10)],
)
async def test_who_is_there_gets_time_to_be_shown_it(
    play: Stage, severity: str, grace_s: float
) -> None:
    play.present.add("ann")
    await play.alert("ann", severity=severity)
    await play.work()
    await play.turn(grace_s - 0.1)
    assert play.provider.sent == []
    await play.turn(0.1)
    assert len(play.provider.sent) == 1


@pytest.mark.parametrize(
    ("severity", "urgency"),
    [
        ("critical", "high"),
        ("error", "high"),
        ("warning", "normal"),
        ("success", "normal"),
        ("info", "normal"),
    ],
)
async def test_what_is_severe_is_urgent(play: Stage, severity: str, urgency: str) -> None:
    said = {"source": "s", "title": "Fire", "severity": severity, "created_at": ""}
    content = msgspec.Raw(msgspec.json.encode(said))
    await play.store.deliver([envelope("ann", content=content, severity=severity)])
    await play.work()
    assert [push.urgency for push in play.provider.sent] == [urgency]


@pytest.mark.parametrize("act", ["shown", "seen", "read", "deleted"])
async def test_what_was_dealt_with_within_its_grace_is_not_pushed(play: Stage, act: str) -> None:
    play.present.add("ann")
    alert_id = await play.alert("ann")
    await play.work()
    await play.turn(5)
    if act == "shown":
        await play.shown(alert_id)
    else:
        change: dict[str, Any] = {act: True}
        await play.world.patch(alert_id, **change)
    await play.turn(3_600)
    assert play.provider.sent == []
    [record] = await play.pushes(alert_id)
    assert (record.end, record.reason) == ("cancelled", act)


async def test_a_withdrawn_alert_is_not_pushed(play: Stage) -> None:
    play.present.add("ann")
    alert_id = await play.alert("ann")
    await play.work()
    await play.store.withdraw("h", alert_id)
    await play.turn(10)
    assert play.provider.sent == []
    assert [record.reason for record in await play.pushes(alert_id)] == ["withdrawn"]


async def test_a_broadcast_is_pushed_to_every_device_once() -> None:
    async with stage() as play:
        for number in range(1_200):
            await play.register(f"u{number}")
        await play.alert()
        await play.work()
        await play.until(lambda: play.waits(0))
        assert len(play.provider.sent) == 1_200
        assert len({push.delivery_id for push in play.provider.sent}) == 1_200


@pytest.mark.parametrize("key", [None, "door-7"])
async def test_only_an_alert_with_a_collapse_key_is_told_to_the_service_as_one(
    play: Stage, key: str | None
) -> None:
    await play.alert("ann", collapse_key=key)
    await play.work()
    [push] = play.provider.sent
    assert push.collapses is (key is not None)


async def test_what_the_provider_puts_off_is_tried_again_under_the_same_id(play: Stage) -> None:
    play.provider.outcomes = [Later("503"), Later("429", after_s=120)]
    alert_id = await play.alert("ann")
    await play.work()
    await play.turn(2)
    assert len(play.provider.sent) == 2
    await play.turn(119)
    assert len(play.provider.sent) == 2
    [record] = await play.pushes(alert_id)
    assert (record.end, record.reason, record.attempts) == (None, "429", 2)
    await play.turn(10)
    assert len({push.delivery_id for push in play.provider.sent}) == 1
    assert len(play.provider.sent) == 3
    assert play.counted("later") == 2


async def test_a_push_is_given_up_when_it_is_of_no_use_any_more() -> None:
    async with stage(ttl_s=60) as play:
        await play.register()
        play.provider.outcomes = [Later("503", after_s=59), Later("503")] * 9
        alert_id = await play.alert("ann")
        await play.work()
        await play.turn(59.5)
        await play.turn(3_600)
        [record] = await play.pushes(alert_id)
        assert record.end == "expired"
        receipts = await play.store.receipts.receipts_of("h", alert_id, "ann")
        assert [receipt.fact for receipt in receipts] == ["push_failed"]


async def test_the_time_to_live_shrinks_with_every_try_to_a_minute_at_least(play: Stage) -> None:
    expires_us = play.clock.us + 100_000_000
    play.provider.outcomes = [Later("503", after_s=30), Later("503", after_s=30), Later("503", 20)]
    alert_id = await play.alert("ann", expires_us=expires_us)
    await play.work()
    for _ in range(4):
        await play.turn(31)
    assert [push.ttl_s for push in play.provider.sent] == [100, 69, 60, 60]
    assert [record.end for record in await play.pushes(alert_id)] == ["accepted"]


async def test_a_gone_device_is_kept_with_its_reason_and_gets_no_more(play: Stage) -> None:
    play.provider.outcomes = [Gone("410")]
    alert_id = await play.alert("ann")
    await play.work()
    await play.alert("ann")
    await play.turn(3_600)
    assert len(play.provider.sent) == 1
    found = await play.store.devices.device("h", "ann", "d1")
    assert found is not None
    assert (found.gone_reason, found.last_failure) == ("410", "410")
    assert [record.end for record in await play.pushes(alert_id)] == ["gone"]


async def test_a_rejected_push_ends_with_its_reason_and_the_device_gets_the_next(
    play: Stage,
) -> None:
    play.provider.outcomes = [Rejected("too large")]
    alert_id = await play.alert("ann")
    await play.work()
    await play.alert("ann")
    await play.work()
    [record] = await play.pushes(alert_id)
    assert (record.end, record.reason) == ("rejected", "too large")
    assert len(play.provider.sent) == 2


async def test_settings_at_fault_pause_that_host_and_no_other(play: Stage) -> None:
    await play.register("ben", "b", channel=FcmChannel("elsewhere|1"))
    play.provider.outcomes = [Misconfigured("bad credentials", certain=True)]
    first = await play.alert("ann")
    await play.work()
    await play.alert("ann", "ben")
    await play.turn(200)
    assert [push.channel.handle for push in play.provider.sent] == ["ann/d1", "elsewhere|1"]
    assert play.dispatcher.paused() == {"host": "bad credentials"}
    await play.turn(300)
    assert len(play.provider.sent) == 4
    assert play.dispatcher.paused() == {}
    assert [record.end for record in await play.pushes(first)] == ["accepted"]


async def test_a_fault_that_five_people_meet_is_ours_and_one_person_stops_nobody(
    play: Stage,
) -> None:
    refused = Misconfigured("403")
    for number in range(10):
        await play.register("eve", f"e{number}")
    play.provider.outcomes = [refused] * 10
    await play.alert("eve")
    await play.work()
    assert play.dispatcher.paused() == {}
    assert play.dispatcher.doubted() == {"host": "403 (people in a row: 1)"}

    people = [f"p{number}" for number in range(4)]
    for user in people:
        await play.register(user, "d")
    play.provider.outcomes = [refused] * 100
    await play.alert(*people)
    await play.work()
    assert play.dispatcher.paused() == {"host": "403"}
    play.provider.outcomes = []
    await play.until(lambda: play.waits(0))
    assert play.dispatcher.doubted() == {}


async def test_a_device_that_refuses_us_is_left_alone_ever_longer_and_no_other() -> None:
    async with stage(storm_pushes=10_000) as play:
        for device_id in ("d1", "d2"):
            await play.register("ann", device_id)
        play.provider.refuses = lambda channel: channel.handle == "ann/d1"
        for _ in range(600):
            await play.alert("ann", collapse_key="door-7")
            await play.turn(1)
        assert 5 <= tried(play, "ann/d1") < 20
        assert tried(play, "ann/d2") == 600
        play.provider.refuses = lambda _: False
        await play.until(lambda: play.waits(0))
        assert play.provider.sent[-1].channel.handle == "ann/d1"
        assert play.dispatcher.doubted() == {}


def tried(play: Stage, handle: str) -> int:
    return sum(one.channel.handle == handle for one in play.provider.sent)


async def test_a_provider_that_raises_is_a_fault_of_one_try(play: Stage) -> None:
    play.provider.outcomes = [RuntimeError("broken")]
    alert_id = await play.alert("ann")
    await play.work()
    await play.turn(10)
    assert [record.end for record in await play.pushes(alert_id)] == ["accepted"]


async def test_a_platform_without_a_provider_gets_nothing(play: Stage) -> None:
    play.dispatcher = play.dispatch({})
    alert_id = await play.alert("ann")
    await play.work()
    assert [record.reason for record in await play.pushes(alert_id)] == ["platform-off"]


async def test_ten_thousand_devices_are_served_though_one_in_a_hundred_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What hangs keeps its place for so long, and a dozen of them one after the other.
    monkeypatch.setattr(lane, "LINGERS_AFTER_S", 0.1)
    async with stage(calls_per_host=8, lingering_per_host=128) as play:
        for number in range(10_000):
            handle = f"host|{'bad' if number % 100 == 0 else 'good'}{number}"
            await play.register(f"u{number}", channel=FcmChannel(handle))
        play.provider.hangs = lambda channel: "bad" in channel.handle
        await play.alert()
        await play.work()
        await play.until(lambda: play.waits(100))
        play.provider.released.set()
        await play.until(lambda: play.waits(0))
        assert len({push.delivery_id for push in play.provider.sent}) == 10_000


async def test_what_was_read_elsewhere_is_taken_back_from_the_device_that_shows_it(
    play: Stage,
) -> None:
    recaller = Recaller(play.store.pushes, play.clock)
    alert_id = await play.alert("ann")
    await play.work()
    await recaller.step()
    done = await play.world.patch(alert_id, read=True)
    recaller.heard(announce_changes("h", [change_of(done)]))
    await recaller.step()
    await play.work()
    shown, taken = play.provider.sent
    assert (shown.withdraws, taken.withdraws) == (False, True)
    assert (taken.alert_id, taken.collapse) == (alert_id, shown.collapse)
    assert [(one.kind, one.end) for one in await play.pushes(alert_id)] == [
        ("show", "accepted"),
        ("withdraw", "accepted"),
    ]
    receipts = await play.store.receipts.receipts_of("h", alert_id, "ann")
    assert [receipt.fact for receipt in receipts] == ["pushed"]


async def test_a_summary_is_taken_back_under_its_own_name_when_all_of_it_was_read() -> None:
    async with stage(storm_pushes=1, storm_s=60, summary_over=1) as play:
        await play.register()
        recaller = Recaller(play.store.pushes, play.clock)
        await play.alert("ann")
        await play.work()
        in_storm = [await play.alert("ann", collapse_key=f"k{number}") for number in range(2)]
        await play.work()
        await play.turn(61)
        _, summary = play.provider.sent
        assert summary.collapse is not None
        assert summary.collapse.startswith("summary-")
        for number, alert_id in enumerate(in_storm):
            assert len(play.provider.sent) == 2 + number // 2
            await play.world.patch(alert_id, read=True)
            recaller.look_at_all()
            await recaller.step()
            await play.work()
        taken_back = play.provider.sent[-1]
        assert (taken_back.withdraws, taken_back.collapse) == (True, summary.collapse)
        assert not summary.collapses
        assert not taken_back.collapses


async def test_a_lost_announcement_is_made_good_by_a_round(play: Stage) -> None:
    recaller = Recaller(play.store.pushes, play.clock)
    alert_id = await play.alert("ann")
    await play.work()
    await recaller.step()
    await play.world.patch(alert_id, read=True)
    await recaller.step()
    await play.work()
    assert len(play.provider.sent) == 1
    play.clock.turn(s=61)
    await recaller.step()
    await play.work()
    assert [push.withdraws for push in play.provider.sent] == [False, True]


async def test_what_is_unread_again_is_not_taken_back(play: Stage) -> None:
    recaller = Recaller(play.store.pushes, play.clock)
    alert_id = await play.alert("ann")
    await play.work()
    await play.world.patch(alert_id, read=True)
    recaller.look_at_all()
    await recaller.step()
    await play.world.patch(alert_id, read=False)
    await play.work()
    assert len(play.provider.sent) == 1
    assert [one.reason for one in await play.pushes(alert_id)] == ["", "of-use-again"]
