"""What tests of Tocsin, and of programs that embed it, need instead of the real thing."""

from tocsin.clock import US_PER_S

START_US = 1_800_000_000 * US_PER_S


class ManualClock:
    """A clock that moves only when told to; begins in January 2027."""

    def __init__(self, now_us: int = START_US) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        """Return the wall time in microseconds since 1970."""
        return self._now_us

    def monotonic_s(self) -> float:
        """Return the same time in seconds; only differences mean something."""
        return self._now_us / US_PER_S

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now_us += round(seconds * US_PER_S)
