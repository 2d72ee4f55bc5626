"""Simulated time: what is due next happens next, and the clock jumps there."""

import heapq
from collections.abc import Callable

START_MS = 1_700_000_000_000


class Schedule:
    """A clock and everything that is still to happen.  Times are milliseconds since ``START_MS``."""

    def __init__(self) -> None:
        self.now_ms = 0
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    def now_us(self) -> int:
        return (START_MS + self.now_ms) * 1000

    def monotonic_s(self) -> float:
        return self.now_ms / 1000

    def after(self, delay_ms: int, happen: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._due, (self.now_ms + delay_ms, self._count, happen))

    def pass_time(self, delay_ms: int) -> None:
        """Let everything happen that is due within ``delay_ms``."""
        until = self.now_ms + delay_ms
        while self._due and self._due[0][0] <= until:
            self._next()
        self.now_ms = until

    def run_dry(self, max_events: int) -> bool:
        """Let everything happen; False if that never ends."""
        for _ in range(max_events):
            if not self._due:
                return True
            self._next()
        return not self._due

    def _next(self) -> None:
        due_ms, _, happen = heapq.heappop(self._due)
        self.now_ms = max(self.now_ms, due_ms)
        happen()
