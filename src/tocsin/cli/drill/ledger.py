"""What was published and what was told, as it happens: written down by the drill, judged at the end (``judging.py``)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

import msgspec

Standing = Literal["acked", "refused", "unsettled"]
# What was acked so long ago, and was not told live, is looked for in the client's inbox.
PATIENCE_S = 0.1


class Entry(msgspec.Struct):
    """One alert; times in seconds of one clock.

    ``unanswered``: an attempt to publish it had no answer, so that it was repeated.  ``after`` is the alert before it in a batch
    that a single answer took: only there is an order of alerts promised.
    """

    people: tuple[str, ...]
    began_s: float
    standing: Standing = "unsettled"
    settled_s: float = 0.0
    unanswered: bool = False
    after: int | None = None


class Sight(msgspec.Struct):
    """What one client was told, and when it first had each alert; ``owed`` is what it has not got yet, by time of the ack."""

    name: str
    user: str
    told: Counter[int] = msgspec.field(default_factory=Counter)
    had_s: dict[int, float] = msgspec.field(default_factory=dict)
    owed_s: dict[int, float] = msgspec.field(default_factory=dict)

    def lacks_something(self, now_s: float) -> bool:
        """Tell whether an alert should have been told for a while."""
        oldest_s = next(iter(self.owed_s.values()), now_s)
        return now_s - oldest_s > PATIENCE_S


class Ledger:
    """All alerts by number, and all clients."""

    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}
        self.sights: list[Sight] = []
        self.reasons: Counter[str] = Counter()  # why alerts were refused, or are not settled

    def watch(self, name: str, user: str) -> Sight:
        """Begin to write down what a client of ``user`` is told."""
        self.sights.append(Sight(name, user))
        return self.sights[-1]

    def begin(self, numbers: Sequence[int], people: tuple[str, ...], now_s: float) -> None:
        """Note that alerts are about to be published, by one call."""
        for number in numbers:
            self.entries[number] = Entry(people, now_s)

    def settle(self, number: int, standing: Standing, now_s: float, reason: str = "") -> None:
        """Note what came of an alert; from an ack on, each client of its people is owed it."""
        entry = self.entries[number]
        entry.standing, entry.settled_s = standing, now_s
        if reason:
            self.reasons[reason] += 1
        if standing == "acked":
            for sight in self.sights:
                if sight.user in entry.people and number not in sight.had_s:
                    sight.owed_s[number] = now_s

    def attempted(self, numbers: Sequence[int], *, attempts: int, unanswered: bool) -> None:
        """Note how the alerts of a call were settled: those of a batch that needed one attempt stand in its order."""
        for number in numbers:
            self.entries[number].unanswered = unanswered
        if attempts == 1:
            for before, number in pairwise(numbers):
                self.entries[number].after = before

    def tell(self, sight: Sight, number: int, now_s: float) -> None:
        """Note that a client was told of an alert live."""
        sight.told[number] += 1
        self.find(sight, number, now_s)

    def find(self, sight: Sight, number: int, now_s: float) -> None:
        """Note that a client has an alert, told or not."""
        sight.had_s.setdefault(number, now_s)
        sight.owed_s.pop(number, None)

    # What it adds up to

    def count(self, standing: Standing) -> int:
        """Return how many alerts stand like that."""
        return sum(entry.standing == standing for entry in self.entries.values())

    def unknown(self) -> int:
        """Return how many alerts had no answer at first."""
        return sum(entry.unanswered for entry in self.entries.values())

    def publish_times(self) -> Iterator[float]:
        """Yield how long each ack took, from the first attempt on."""
        for entry in self.entries.values():
            if entry.standing == "acked":
                yield entry.settled_s - entry.began_s

    def client_times(self) -> Iterator[float]:
        """Yield, for each client and alert, how long it took from the first attempt to publish it until the client had it."""
        for sight in self.sights:
            for number, had_s in sight.had_s.items():
                if number in self.entries:
                    yield had_s - self.entries[number].began_s
