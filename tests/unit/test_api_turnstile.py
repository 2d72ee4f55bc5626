"""A crowd passes in slices of time, in order."""

import asyncio
import itertools
from collections.abc import Callable

from tocsin.api.turnstile import Turnstile

_EACH_S = 1 / 4096


class Crowd:
    """Those who come, each of whom takes so long; time passes for nothing else."""

    def __init__(self, slice_s: float, each_s: float = _EACH_S) -> None:
        self.turnstile = Turnstile(slice_s, lambda: self._now_s)
        self.passed: list[int] = []
        self._each_s = each_s
        self._now_s = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    def comer(self, number: int) -> Callable[[], None]:
        async def come() -> None:
            self._now_s += self._each_s
            self.passed.append(number)

        return lambda: self._tasks.append(asyncio.get_running_loop().create_task(come()))

    async def come(self, count: int) -> list[int]:
        """Let ``count`` come at once; return how many passed in each turn until all had."""
        for number in range(count):
            self.turnstile.enter(self.comer(number))
        seen = [0]
        while seen[-1] < count:
            await asyncio.sleep(0)
            seen.append(len(self.passed))
        return [after - before for before, after in itertools.pairwise(seen)]


async def test_a_crowd_passes_in_order_and_others_run_between() -> None:
    crowd = Crowd(slice_s=4.5 * _EACH_S)
    turns = await crowd.come(400)
    assert crowd.passed == list(range(400))
    assert max(turns) == turns[-2] == 4  # four of them fill the slice


async def test_what_takes_longer_than_a_slice_passes_alone() -> None:
    crowd = Crowd(slice_s=_EACH_S / 2)
    turns = await crowd.come(400)
    assert turns[-10:] == [1] * 10


async def test_one_alone_passes_in_the_next_turn() -> None:
    crowd = Crowd(slice_s=4.5 * _EACH_S)
    crowd.turnstile.enter(crowd.comer(7))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (crowd.passed, len(crowd.turnstile)) == ([7], 0)
