"""Quiet hours: windows of local time, right also on the days on which clocks are changed.

Local time is only ever computed from an instant, which has one answer: an hour that a zone has twice is quiet twice, and one
that it skips is never asked about.
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Final, Literal, get_args
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from tocsin.clock import US_PER_S

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
TimeOfDay = Annotated[str, Meta(max_length=5, pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
MAX_WINDOWS = 14

_DAYS: Final[tuple[Day, ...]] = get_args(Day)
_MINUTE_S, _DAY_S, _WEEK_S = 60, 86_400, 604_800
_FIRST_MONDAY_S = 4 * _DAY_S  # 1970-01-05
# No zone changes its clocks twice in so short a time.
_STEP_S = 6 * 3_600
# A zone may skip the one minute of a week that is not quiet; it does not do so twice.
_HORIZON_S = 15 * _DAY_S


@lru_cache(maxsize=1_024)
def zone_named(name: str) -> ZoneInfo:
    """Return the IANA time zone of that name; those that were found are remembered.

    Raises:
        ValueError: There is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        msg = f"{name[:80]!r} is no IANA time zone; write it like Europe/Berlin"
        raise ValueError(msg) from error


class Window(
    msgspec.Struct,
    frozen=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    rename={"begins": "from", "ends": "to"},
):
    """From one time of day up to another, on the days on which it begins.

    One that does not end later than it begins ends on the next day; the same time twice is a whole day.
    """

    begins: TimeOfDay
    ends: TimeOfDay
    days: Annotated[tuple[Day, ...], Meta(min_length=1, max_length=7)] = _DAYS

    def spans(self) -> Iterator[tuple[int, int]]:
        """Yield beginning and length in seconds of local time, from Monday 00:00."""
        begins_s = _second_of_day(self.begins)
        length_s = (_second_of_day(self.ends) - begins_s) % _DAY_S or _DAY_S
        for day in self.days:
            yield _DAYS.index(day) * _DAY_S + begins_s, length_s


class QuietHours(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Windows in one time zone; without ``zone`` it is the one that a device is in.  No windows: nothing is quiet.

    Raises ValueError when it is made with an unknown zone, or with windows that leave no minute of the week.
    """

    windows: Annotated[tuple[Window, ...], Meta(max_length=MAX_WINDOWS)] = ()
    zone: Annotated[str, Meta(max_length=64)] | None = None

    def __post_init__(self) -> None:
        if self.zone is not None:
            zone_named(self.zone)
        at_s = 0
        while left_s := self._left_s(at_s):
            at_s += left_s
            if at_s >= _WEEK_S:
                msg = "the quiet hours leave no minute of the week; switch the channel off instead"
                raise ValueError(msg)

    def end_us(self, at_us: int, zone: ZoneInfo) -> int | None:
        """Return when it is no longer quiet; None if it is not quiet at ``at_us``.

        That is the first such instant to the second.  If there is none within 15 days it is then that to look again.
        """
        start_s = at_s = at_us // US_PER_S
        while at_s - start_s < _HORIZON_S and (left_s := self._left_s(_local_s(at_s, zone))):
            at_s = _go_on(at_s, min(left_s, _STEP_S), zone)
        return at_s * US_PER_S if at_s > start_s else None

    def _left_s(self, local_s: int) -> int:
        """Return how long the window at a local time still lasts; 0 outside of all."""
        return max(
            (
                length_s - since_s
                for window in self.windows
                for begins_s, length_s in window.spans()
                if (since_s := (local_s - begins_s) % _WEEK_S) < length_s
            ),
            default=0,
        )


def _second_of_day(time: str) -> int:
    return (int(time[:2]) * 60 + int(time[3:])) * _MINUTE_S


def _offset_s(at_s: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(at_s, zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _local_s(at_s: int, zone: ZoneInfo) -> int:
    """Return what clocks show, in seconds since a Monday 00:00."""
    return at_s + _offset_s(at_s, zone) - _FIRST_MONDAY_S


def _go_on(at_s: int, step_s: int, zone: ZoneInfo) -> int:
    """Return the end of a step, or the first second within it at which clocks were changed."""
    offset_s, end_s = _offset_s(at_s, zone), at_s + step_s
    if _offset_s(end_s, zone) == offset_s:
        return end_s
    changed = bisect_left(
        range(at_s, end_s), True, key=lambda second: _offset_s(second, zone) != offset_s
    )
    return at_s + changed
