"""A crowd of clients that are dropped and come back, all in the same moment."""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

from bench.load.guest import Door, Guest, Wire

_LONGEST_S = 60.0


class Came(NamedTuple):
    """How a storm went: how long until the last client was inside, how many never were, and why the first of these."""

    seconds: float
    errors: int
    why: str


class Storm:
    """The crowd, in one process (``bench.child``)."""

    def __init__(self) -> None:
        self._comers: list[Guest] = []

    async def come(self, port: int, wire: Wire, doors: Sequence[Door]) -> Came:
        """Drop every connection there is, and bring in a client through each door, in the same moment."""
        began = time.monotonic()
        for comer in self._comers:
            comer.drop()
        self._comers = [Guest(wire, door) for door in doors]
        tasks = [asyncio.ensure_future(comer.enter(port)) for comer in self._comers]
        _, late = await asyncio.wait(tasks, timeout=_LONGEST_S)
        took = time.monotonic() - began
        for task in late:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        for comer in self._comers:
            if not comer.stands:
                comer.drop()
        failures = [each for each in ends if isinstance(each, BaseException)]
        return Came(took, len(failures), _why(failures[0]) if failures else "")

    async def standing(self) -> int:
        """Return how many are inside now."""
        return sum(comer.stands for comer in self._comers)


def _why(failure: BaseException) -> str:
    if isinstance(failure, asyncio.CancelledError):
        return f"not inside after {_LONGEST_S:.0f} s"
    return repr(failure)
