"""Quiet hours on every day, those on which clocks are changed too: compared with a walk minute by minute."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.model.quiet_hours import Day, QuietHours, Window

DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTE_US = 60_000_000
# Zones of every kind: clocks that change at night or at midnight, by half an hour, for Ramadan, by a whole day, never.
ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Antarctica/Troll",
    "UTC",
]
# Around every change of these zones in some years; Samoa had no 30 December 2011.
CHANGES = [
    datetime(*day, tzinfo=UTC)
    for day in (
        (2011, 12, 30),
        (2024, 3, 30),
        (2024, 10, 27),
        (2025, 3, 9),
        (2025, 4, 5),
        (2025, 9, 6),
        (2025, 11, 2),
        (2026, 2, 14),
        (2026, 3, 22),
        (2026, 3, 28),
        (2026, 10, 3),
        (2026, 10, 25),
    )
]
times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
windows = st.builds(
    Window,
    begins=times,
    ends=times,
    days=st.lists(st.sampled_from(DAYS), min_size=1, max_size=7, unique=True).map(tuple),
)
instants = st.one_of(
    st.builds(
        lambda change, s: change + timedelta(seconds=s),
        st.sampled_from(CHANGES),
        st.integers(-129_600, 129_600),
    ),
    st.integers(1_577_836_800, 2_082_758_400).map(lambda s: datetime.fromtimestamp(s, UTC)),
)


def is_quiet(hours: QuietHours, local: datetime) -> bool:
    """Tell whether clocks show a time within a window, by words instead of numbers."""
    time = f"{local:%H:%M}"
    today, yesterday = DAYS[local.weekday()], DAYS[local.weekday() - 1]
    for window in hours.windows:
        if window.begins < window.ends:
            if today in window.days and window.begins <= time < window.ends:
                return True
        elif (today in window.days and time >= window.begins) or (
            yesterday in window.days and time < window.ends
        ):
            return True
    return False


def walked(hours: QuietHours, at_us: int, zone: ZoneInfo) -> int | None:
    """Find the first minute that is not quiet by looking at each."""
    minute = at_us // MINUTE_US
    while is_quiet(hours, datetime.fromtimestamp(minute * 60, zone)):
        minute += 1
        if minute - at_us // MINUTE_US > 15 * 24 * 60:
            return None
    return None if minute == at_us // MINUTE_US else minute * MINUTE_US


@given(
    chosen=st.lists(windows, min_size=1, max_size=3).map(tuple),
    at=instants,
    zone=st.sampled_from(ZONES),
)
def test_quiet_hours_end_at_the_first_instant_that_is_not_in_a_window(
    chosen: tuple[Window, ...], at: datetime, zone: str
) -> None:
    try:
        hours = QuietHours(chosen, zone)
    except ValueError:  # they leave no minute of the week
        return
    at_us = int(at.timestamp()) * 1_000_000
    ends_us = hours.end_us(at_us, ZoneInfo(zone))
    assert ends_us == walked(hours, at_us, ZoneInfo(zone))


def changes_of(zone: ZoneInfo) -> list[int]:
    """Find the minutes since 1970, within a day of those above, at which a zone changes its clocks."""
    found = []
    for change in CHANGES:
        middle = int(change.timestamp()) // 60
        minutes = range(middle - 1_440, middle + 1_440)
        offsets = [datetime.fromtimestamp(minute * 60, zone).utcoffset() for minute in minutes]
        found += [minutes[n] for n in range(1, len(offsets)) if offsets[n] != offsets[n - 1]]
    return found


NIGHT = Window("22:00", "07:00")
AROUND = [
    NIGHT,
    Window("01:30", "02:30"),
    Window("02:00", "03:00"),
    Window("23:30", "00:00"),
    Window("00:00", "01:00"),
]


@pytest.mark.parametrize("name", ZONES)
def test_quiet_hours_end_rightly_around_every_change_of_clocks(name: str) -> None:
    zone = ZoneInfo(name)
    for window in AROUND:
        hours = QuietHours((window,))
        for change in changes_of(zone):
            ends = None
            for minute in range(change + 1_000, change - 1_000, -1):  # the next awake minute
                if not is_quiet(hours, datetime.fromtimestamp(minute * 60, zone)):
                    ends = minute
                elif ends is not None and minute % 7 == 0:
                    assert hours.end_us(minute * MINUTE_US, zone) == ends * MINUTE_US


@pytest.mark.parametrize(
    ("zone", "at", "ends"),
    [
        # An ordinary night; both nights on which Berlin changes its clocks.
        ("Europe/Berlin", "2026-06-01T21:30:00Z", "2026-06-02T05:00:00Z"),
        ("Europe/Berlin", "2026-03-28T22:00:00Z", "2026-03-29T05:00:00Z"),
        ("Europe/Berlin", "2026-10-24T20:30:00Z", "2026-10-25T06:00:00Z"),
        # 21:59:59 and 07:00:00 are awake.
        ("Europe/Berlin", "2026-06-01T19:59:59Z", None),
        ("Europe/Berlin", "2026-06-01T20:00:00Z", "2026-06-02T05:00:00Z"),
        ("Europe/Berlin", "2026-06-02T05:00:00Z", None),
        ("UTC", "2026-06-01T06:59:59Z", "2026-06-01T07:00:00Z"),
    ],
)
def test_a_night_ends_in_the_morning_whatever_the_clocks_did(
    zone: str, at: str, ends: str | None
) -> None:
    at_us = int(datetime.fromisoformat(at).timestamp()) * 1_000_000
    found = QuietHours((NIGHT,)).end_us(at_us, ZoneInfo(zone))
    wanted = None if ends is None else int(datetime.fromisoformat(ends).timestamp()) * 1_000_000
    assert found == wanted


def test_an_hour_that_comes_twice_is_quiet_twice() -> None:
    hours, berlin = QuietHours((Window("02:00", "03:00"),)), ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30, and again an hour later
    ends = datetime(2026, 10, 25, 2, 0, tzinfo=UTC)
    for at in (first, first + timedelta(hours=1)):
        found = hours.end_us(int(at.timestamp()) * 1_000_000, berlin)
        assert found == int(ends.timestamp()) * 1_000_000


def test_a_whole_day_is_from_a_time_to_the_same_time() -> None:
    hours = QuietHours((Window("00:00", "00:00", ("sat", "sun")),), "UTC")
    saturday = datetime(2026, 11, 21, 12, tzinfo=UTC)
    found = hours.end_us(int(saturday.timestamp()) * 1_000_000, ZoneInfo("UTC"))
    assert found == int(datetime(2026, 11, 23, tzinfo=UTC).timestamp()) * 1_000_000


def test_no_window_is_never_quiet() -> None:
    assert QuietHours().end_us(0, ZoneInfo("UTC")) is None


@pytest.mark.parametrize(
    "hours",
    [
        '{"zone": "Europe/Nowhere"}',
        '{"zone": "../../etc/passwd"}',
        '{"zone": "America"}',
        '{"zone": ""}',
        '{"windows": [{"from": "00:00", "to": "00:00"}]}',
        '{"windows": [{"from": "08:00", "to": "20:00"}, {"from": "19:00", "to": "09:00"}]}',
        '{"windows": [{"from": "24:00", "to": "07:00"}]}',
        '{"windows": [{"from": "7:00", "to": "08:00"}]}',
        '{"windows": [{"from": "07:00\\n", "to": "08:00"}]}',
        '{"windows": [{"from": "07:00", "to": "08:00", "days": []}]}',
        '{"windows": [{"from": "07:00", "to": "08:00", "days": ["mo"]}]}',
        '{"windows": [{"from": "07:00"}]}',
    ],
)
def test_what_are_no_quiet_hours_is_refused(hours: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(hours, type=QuietHours)


def test_one_minute_of_a_week_is_enough() -> None:
    QuietHours(
        (Window("00:01", "00:01", DAYS[:6]), Window("00:01", "00:00", ("sun",))), "Europe/Berlin"
    )
