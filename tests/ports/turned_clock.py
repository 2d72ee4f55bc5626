"""A clock that tests turn by hand."""

from tocsin.clock import US_PER_S

START_US = 1_795_000_000 * US_PER_S


class TurnedClock:
    """Stands still until it is turned."""

    def __init__(self) -> None:
        self.us = START_US

    def now_us(self) -> int:
        return self.us

    def monotonic_s(self) -> float:
        return self.us / US_PER_S

    def turn(self, *, us: int = 0, s: float = 0, days: float = 0) -> None:
        self.us += us + round((s + days * 86_400) * US_PER_S)
