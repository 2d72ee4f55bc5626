"""What every row is given and gives back."""

import sys
import time
from typing import NamedTuple, Protocol


class Line(Protocol):
    """One line of the results; all lines of a row have the same columns.  Each note is shown once."""

    @property
    def note(self) -> str:
        """What one should know to read it."""

    @staticmethod
    def columns() -> tuple[str, ...]:
        """Return the heads of the table."""

    def cells(self) -> tuple[str, ...]:
        """Return the line as it is shown."""


class Row(NamedTuple):
    """Ours beside a control, both written with their units; ``reached`` None: no goal."""

    what: str
    ours: str
    control: str
    ratio: float | None
    goal: str
    reached: bool | None
    note: str = ""

    @staticmethod
    def columns() -> tuple[str, ...]:
        """Return the heads of the table."""
        return ("what", "ours", "control", "ratio", "goal", "reached")

    def cells(self) -> tuple[str, ...]:
        """Return the line as it is shown."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        reached = {True: "yes", False: "no", None: ""}[self.reached]
        return (self.what, self.ours, self.control, ratio, self.goal, reached)


class Bench:
    """How to measure: ``turns`` interleaved repetitions, of which the median counts."""

    def __init__(self, *, turns: int, large: bool, short: bool) -> None:
        self.turns = turns
        self.large = large
        self.short = short
        self.failures: list[str] = []
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """Show progress."""
        print(f"  {time.monotonic() - self._began:6.1f} s  {text}", file=sys.stderr, flush=True)

    def fail(self, text: str) -> None:
        """Show what failed, and keep it for the end: the rest goes on."""
        self.failures.append(text)
        self.say(f"FAILED {text}")


def rate(value: float) -> str:
    """Write alerts (or deliveries) per second."""
    return f"{value:,.0f}/s"


def ms(value_ns: float) -> str:
    """Write nanoseconds as milliseconds."""
    return f"{value_ns / 1e6:,.1f} ms"


def kilobytes(size: float) -> str:
    """Write bytes as kilobytes of 1,024."""
    return f"{size / 1024:,.1f} KB"
