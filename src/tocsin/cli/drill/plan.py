"""What a drill does, and when: pure."""

import itertools
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from tocsin.client.alert import Alert

CATEGORY = "tocsin-drill"
CLIENTS_EACH = 2
BATCH = 5
# An alert is for one, two or three people.
MOST_PEOPLE = 3
# What a drill that was cut leaves behind goes away by itself.
EXPIRES_S = 3600.0


class Drill(msgspec.Struct, frozen=True):
    """What was asked for; times in seconds, ``break_at_s`` from the beginning, 0 where nothing is to be done.

    ``settle_s`` is how long a request is repeated, and how long everything may take to arrive at the end; ``timeout_s`` how
    long one answer is waited for.
    """

    duration_s: float
    rate: float
    clients: int
    drop_every_s: float
    settle_s: float
    timeout_s: float
    break_command: str = ""
    break_at_s: float = 0.0
    break_every_s: float = 0.0

    @property
    def alerts(self) -> int:
        """How many are published."""
        return max(1, round(self.duration_s * self.rate))

    @property
    def longest_s(self) -> float:
        """How long it can take until everything is judged, breaks apart."""
        return self.duration_s + 3 * self.settle_s


class Call(NamedTuple):
    """One publish: alerts with these numbers for these people, ``due_s`` after the beginning."""

    due_s: float
    numbers: range
    people: tuple[str, ...]


def people_of(run: str, clients: int) -> list[str]:
    """Make up people: each has two clients, the last one perhaps a single one."""
    return [f"{CATEGORY}-{run}-{number}" for number in range((clients + 1) // CLIENTS_EACH)]


def calls(drill: Drill, people: Sequence[str]) -> Iterator[Call]:
    """Yield all publishes in order of time: single alerts and batches of five in turn, and everybody gets some of both."""
    number = 0
    for place in itertools.count():
        size = min(BATCH if place % 2 else 1, drill.alerts - number)
        if not size:
            return
        first, count = place // 2, min(len(people), 1 + place % MOST_PEOPLE)
        those = tuple(people[(first + step) % len(people)] for step in range(count))
        yield Call(number / drill.rate, range(number, number + size), those)
        number += size


def alert_of(run: str, number: int, people: Sequence[str], expires_us: int) -> Alert:
    """Write the alert of that number; written again it is the same, so that it can be repeated."""
    return {
        "id": f"{CATEGORY}-{run}-{number}",
        "to": {"users": people},
        "title": f"tocsin drill {number}",
        "category": CATEGORY,
        "data": {"drill": run, "number": number},
        "expires_at": datetime.fromtimestamp(expires_us / 1e6, UTC).isoformat(),
    }


def break_times(drill: Drill) -> Iterator[float]:
    """Yield when to break things, in seconds from the beginning."""
    if drill.break_every_s:
        yield from itertools.takewhile(
            lambda at_s: at_s < drill.duration_s,
            (drill.break_every_s * count for count in itertools.count(1)),
        )
    elif drill.break_command:
        yield drill.break_at_s or drill.duration_s / 2
