"""What follows from preferences for one alert: send, hold or skip, and why."""

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.clock import from_datetime, to_rfc3339
from tocsin.model.alert import Severity
from tocsin.model.preference import (
    AlertFacts,
    Decision,
    Hold,
    HubPreferences,
    Preferences,
    Rules,
    Send,
    Skip,
    decide,
)

SEVERITIES = get_args(Severity)
HOUR_US = 3_600_000_000
MIDNIGHT_US = 1_795_392_000_000_000  # 2026-11-23T00:00:00Z, a Monday
NIGHT = {"windows": [{"from": "22:00", "to": "07:00"}], "zone": "UTC"}
OFF = {"push": {"enabled": False}}
ON = {"push": {"enabled": True}}


def rules(mine: Any = None, hub: Any = None) -> Rules:
    return Rules(
        msgspec.convert(mine or {}, Preferences), msgspec.convert(hub or {}, HubPreferences)
    )


def alert(severity: Any = "info", category: str | None = "c", expires_us: Any = None) -> AlertFacts:
    return AlertFacts(severity, category, expires_us)


def decision(
    mine: Any = None, hub: Any = None, at_h: float = 12, zone: str | None = None, **facts: Any
) -> Decision:
    now_us = MIDNIGHT_US + int(at_h * HOUR_US)
    return decide(alert(**facts), rules(mine, hub), zone, now_us)


def test_who_said_nothing_gets_everything() -> None:
    for severity in SEVERITIES:
        for category in ("c", None):
            decided = decision(severity=severity, category=category)
            assert (type(decided), decided.reason) == (Send, "allowed")


@pytest.mark.parametrize(
    ("mine", "hub", "sent"),
    [
        ({"channels": OFF}, {}, False),
        ({}, {"channels": OFF}, False),
        ({"channels": ON}, {"channels": OFF}, True),
        ({"channels": OFF}, {"categories": {"c": ON}}, False),
        ({"channels": OFF, "categories": {"c": ON}}, {"categories": {"c": OFF}}, True),
        ({"categories": {"c": OFF}}, {"channels": ON}, False),
        ({"categories": {"other": OFF}}, {}, True),
        ({}, {"categories": {"c": OFF}, "channels": ON}, False),
        ({"categories": {"c": {"push": {}}}}, {"categories": {"c": OFF}}, False),
    ],
)
def test_the_person_goes_before_the_hub_and_the_category_before_the_rest(
    mine: Any, hub: Any, sent: bool
) -> None:
    decided = decision(mine, hub)
    assert isinstance(decided, Send) is sent
    if not sent:
        assert decided == Skip("switched-off", "push is switched off for the category 'c'")


def test_the_parts_of_a_choice_are_decided_one_by_one() -> None:
    mine = {"categories": {"c": {"push": {"enabled": True}}}}
    hub = {"channels": {"push": {"enabled": False, "min_severity": "error"}}}
    decided = decision(mine, hub, severity="warning")
    detail = "push begins at error for the category 'c', and this is warning"
    assert decided == Skip("below-severity", detail)
    assert isinstance(decision(mine, hub, severity="error"), Send)


@given(least=st.sampled_from(SEVERITIES), severity=st.sampled_from(SEVERITIES))
def test_a_least_severity_lets_it_and_all_above_pass(least: str, severity: str) -> None:
    decided = decision({"channels": {"push": {"min_severity": least}}}, severity=severity)
    assert isinstance(decided, Send) is (SEVERITIES.index(severity) >= SEVERITIES.index(least))


def test_a_mute_ends_at_its_time_and_is_of_its_category() -> None:
    noon = to_rfc3339(MIDNIGHT_US + 12 * HOUR_US)
    mine = {"mutes": [{"category": "c", "until": noon}]}
    assert decision(mine, at_h=11.9) == Skip("muted", f"the category 'c' is muted until {noon}")
    assert isinstance(decision(mine, at_h=12), Send)
    assert isinstance(decision(mine, at_h=11, category="d"), Send)
    assert isinstance(decision(mine, at_h=11, category=None), Send)
    everything = {"mutes": [{"category": "d"}, {}]}
    assert decision(everything, category=None) == Skip("muted", "everything is muted")


def test_quiet_hours_hold_until_they_end() -> None:
    decided = decision({"quiet_hours": NIGHT}, at_h=3)
    assert decided == Hold(
        "quiet-hours",
        "quiet hours in UTC until 2026-11-23T07:00:00.000Z",
        MIDNIGHT_US + 7 * HOUR_US,
    )
    assert isinstance(decision({"quiet_hours": NIGHT}, at_h=7), Send)


def test_what_expires_in_quiet_hours_is_not_kept_for_their_end() -> None:
    morning_us = MIDNIGHT_US + 7 * HOUR_US
    decided = decision({"quiet_hours": NIGHT}, at_h=3, expires_us=morning_us)
    assert (type(decided), decided.reason) == (Skip, "expires-in-quiet-hours")
    decided = decision({"quiet_hours": NIGHT}, at_h=3, expires_us=morning_us + 1)
    assert isinstance(decided, Hold)


def test_the_persons_quiet_hours_replace_those_of_the_hub() -> None:
    hub = {"quiet_hours": NIGHT}
    assert isinstance(decision({}, hub, at_h=3), Hold)
    assert isinstance(decision({"quiet_hours": {}}, hub, at_h=3), Send)
    noon = {"quiet_hours": {"windows": [{"from": "12:00", "to": "13:00"}]}}
    assert isinstance(decision(noon, hub, at_h=3), Send)
    assert isinstance(decision(noon, hub, at_h=12), Hold)


def test_quiet_hours_without_a_zone_are_in_that_of_the_device() -> None:
    mine = {"quiet_hours": {"windows": NIGHT["windows"]}}
    assert isinstance(decision(mine, at_h=12), Send)
    assert isinstance(decision(mine, at_h=12, zone="Pacific/Auckland"), Hold)  # 01:00 there
    assert isinstance(decision({"quiet_hours": NIGHT}, at_h=12, zone="Pacific/Auckland"), Send)


@given(
    severity=st.sampled_from(SEVERITIES),
    exempt=st.booleans(),
    muted=st.booleans(),
    off=st.booleans(),
    at_h=st.floats(0, 24, exclude_max=True),
)
def test_critical_passes_quiet_hours_and_mutes_where_the_hub_says_so_and_nothing_else_does(
    severity: str, exempt: bool, muted: bool, off: bool, at_h: float
) -> None:
    mine = {
        "quiet_hours": NIGHT,
        "mutes": [{}] if muted else [],
        "channels": OFF if off else {},
    }
    decided = decision(mine, {"critical_exempt": exempt}, severity=severity, at_h=at_h)
    night = at_h < 7 or at_h >= 22
    if off:
        assert decided.reason == "switched-off"
    elif not (muted or night):
        assert decided.reason == "allowed"
    elif severity == "critical" and exempt:
        assert (type(decided), decided.reason) == (Send, "critical-exempt")
    else:
        assert decided.reason == ("muted" if muted else "quiet-hours")


@pytest.mark.parametrize(
    "said",
    [
        {"channels": {"pigeon": {}}},
        {"channels": {"push": {"min_severity": "huge"}}},
        {"channels": {"push": {"on": True}}},
        {"categories": {"": {}}},
        {"categories": {"c" * 257: {}}},
        {"categories": {str(n): {} for n in range(201)}},
        {"mutes": [{}] * 201},
        {"mutes": [{"until": "2026-11-23T00:00:00"}]},
        {"mutes": [{"until": "1969-11-23T00:00:00Z"}]},
        {"quiet_hours": {"windows": [{"from": "01:00", "to": "02:00"}] * 15}},
        {"critical_exempt": True},
    ],
)
def test_preferences_have_limits(said: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(said, Preferences)


def test_a_hub_mutes_nobody() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"mutes": [{}]}, HubPreferences)


def test_what_is_written_is_read_again_the_same() -> None:
    said = {
        "channels": {"push": {"min_severity": "warning"}},
        "categories": {"c": ON, "d": OFF},
        "quiet_hours": NIGHT,
        "mutes": [{"category": "c", "until": "2026-11-23T01:02:03.456789+05:30"}],
    }
    mine = msgspec.convert(said, Preferences)
    again = msgspec.json.decode(msgspec.json.encode(mine), type=Preferences)
    assert again == mine
    assert again.mutes[0].until is not None
    assert from_datetime(again.mutes[0].until) % 1_000_000 == 456_789
