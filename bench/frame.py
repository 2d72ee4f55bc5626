"""What every row is given and gives back."""

import sys
import time
from typing import NamedTuple


class Row(NamedTuple):
    """One line of the results.  ``ours`` and ``control`` are written with their units; ``reached`` None: no goal."""

    what: str
    ours: str
    control: str
    ratio: float | None
    goal: str
    reached: bool | None
    note: str = ""


class Bench:
    """How to measure: ``turns`` interleaved repetitions, of which the median counts."""

    def __init__(self, *, turns: int, large: bool) -> None:
        self.turns = turns
        self.large = large
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """Show progress."""
        print(f"  {time.monotonic() - self._began:6.1f} s  {text}", file=sys.stderr, flush=True)


def rate(value: float) -> str:
    """Write alerts (or deliveries) per second."""
    return f"{value:,.0f}/s"


def ms(value_ns: float) -> str:
    """Write nanoseconds as milliseconds."""
    return f"{value_ns / 1e6:,.1f} ms"
