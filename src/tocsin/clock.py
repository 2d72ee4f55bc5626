"""Time as an argument: whoever needs to know the time is given a ``Clock``.

Units:  ``now_us`` is microseconds since 1970-01-01 UTC (below 2**53 until the year 2255, so
        it survives JSON numbers in JavaScript); ``monotonic_s`` is seconds from an unknown start.
"""

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

US_PER_S = 1_000_000
_LAST_US = 2**53


class Clock(Protocol):
    """Tells wall time and elapsed time; tests pass one that they turn by hand."""

    def now_us(self) -> int:
        """Return the wall time in microseconds since 1970 (UTC)."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds that never run backwards; only differences mean something."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_us(self) -> int:
        """Return the wall time in microseconds since 1970 (UTC)."""
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()


def to_rfc3339(us: int) -> str:
    """Write microseconds since 1970 as RFC 3339 in UTC with milliseconds, ending in ``Z``."""
    seconds, rest = divmod(us, US_PER_S)
    return f"{_second(seconds)}.{rest // 1000:03d}Z"


@lru_cache(maxsize=8)
def _second(seconds: int) -> str:
    # Under load hundreds of alerts are of the same second.
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def from_datetime(stamp: datetime) -> int:
    """Turn an aware datetime into microseconds since 1970.

    Raises:
        ValueError: ``stamp`` has no time zone, or is a time that this program cannot write down again.
    """
    if stamp.tzinfo is None:
        msg = "the time has no zone; write it with one, e.g. 2026-11-22T18:46:00Z"
        raise ValueError(msg)
    us = round(stamp.timestamp() * US_PER_S)
    if not 0 <= us < _LAST_US:
        msg = f"the time {stamp} is not between the years 1970 and 2255"
        raise ValueError(msg)
    return us
