"""Lets a crowd through in slices of time, one per turn of the loop, so that thousands who come at once fill no turn.

What else happens in the loop, publishes above all, gets its share between them (I7).  How many make up a slice is
learned from those who passed: on a busy machine, or with costly tokens, they are fewer.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Final

# Until something was measured, and then how much one measurement counts.
_GUESS_S: Final = 0.0003
_WEIGHT: Final = 0.1


class Turnstile:
    """Those who come pass in the order of their coming, none in the turn of its coming."""

    def __init__(self, slice_s: float, now_s: Callable[[], float] = perf_counter) -> None:
        """Let through as many in each turn of the loop as take ``slice_s`` seconds, but at least one."""
        self._slice_s = slice_s
        self._now_s = now_s
        self._each_s = _GUESS_S
        self._waiting: deque[Callable[[], object]] = deque()
        self._turning = False
        self._passing = 0
        self._began_s = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def enter(self, passes: Callable[[], object]) -> None:
        """Call ``passes`` in a later turn; it starts a task, and what that does until it first waits is its share."""
        self._waiting.append(passes)
        if not self._turning:
            self._turning = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        """Let the next slice through; its tasks run in the next turn, between ``_begin`` and this again."""
        if self._passing:
            each_s = (self._now_s() - self._began_s) / self._passing
            self._each_s += _WEIGHT * (each_s - self._each_s)
        self._passing = min(len(self._waiting), max(1, int(self._slice_s / self._each_s)))
        if not self._passing:
            self._turning = False
            return
        loop = asyncio.get_running_loop()
        loop.call_soon(self._begin)
        for _ in range(self._passing):
            self._waiting.popleft()()
        loop.call_soon(self._turn)

    def _begin(self) -> None:
        self._began_s = self._now_s()
