"""One timer for everything that happens to connections by time.

A loop timer per connection would cost more memory than the connection.  Here an entry lies in one of the wheel's slots;
one tick of the node takes the slots that have passed and calls their entries.

Units:   seconds; entries are called up to one tick late, never early.
"""

import math
from typing import Final, Protocol

TICK_S: Final = 0.25
_SLOTS: Final = 4096


class Timed(Protocol):
    """Something that lies in the wheel at most once; ``wheel_slot`` is the wheel's own, -1 outside."""

    wheel_slot: int

    def on_time(self, now_s: float) -> None:
        """Do what was due; called outside the wheel, so it may be scheduled again at once."""
        ...


class Wheel:
    """A ring of slots, each one tick of time."""

    def __init__(self, now_s: float) -> None:
        self._slots: list[set[Timed]] = [set() for _ in range(_SLOTS)]
        self._start_s = now_s
        self._ticks = 0  # that have been worked off

    def schedule(self, entry: Timed, now_s: float, delay_s: float) -> None:
        """Call ``entry.on_time`` after ``delay_s``, instead of when it was to be called before.

        Raises:
            ValueError: The delay is longer than a turn of the wheel (1023 s).
        """
        self.cancel(entry)
        due = max(math.ceil((now_s + delay_s - self._start_s) / TICK_S), self._ticks + 1)
        if due - self._ticks >= _SLOTS:
            msg = f"a delay of {delay_s} s is longer than the wheel ({_SLOTS * TICK_S:.0f} s)"
            raise ValueError(msg)
        entry.wheel_slot = due % _SLOTS
        self._slots[entry.wheel_slot].add(entry)

    def cancel(self, entry: Timed) -> None:
        """Forget ``entry``; nothing happens if it is not scheduled."""
        if entry.wheel_slot >= 0:
            self._slots[entry.wheel_slot].discard(entry)
            entry.wheel_slot = -1

    def advance(self, now_s: float) -> None:
        """Call everything that is due by ``now_s``."""
        target = math.floor((now_s - self._start_s) / TICK_S)
        for tick in range(self._ticks + 1, target + 1):
            self._ticks = tick
            slot = self._slots[tick % _SLOTS]
            while slot:
                entry = slot.pop()
                entry.wheel_slot = -1
                entry.on_time(now_s)
