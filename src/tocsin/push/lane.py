"""The way to one push service: so many calls at once, and none while it rests.

A call that takes long gives its place to the next after a moment and goes on beside it, so that endpoints which hang do not
delay the others of the same host (I6).

Bounds:  ``calls`` that are young, ``lingering`` that are not, and ``WAITING`` that wait for a place.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from tocsin.model.push import PushJob
from tocsin.push.rest import HostRest
from tocsin.supervisor import Supervisor

LINGERS_AFTER_S: Final = 1.0
WAITING: Final = 256


class Lane:
    """Sends the pushes of one host; ``rest`` tells whether any may go."""

    def __init__(
        self,
        host: str,
        calls: int,
        lingering: int,
        work: Callable[[PushJob], Awaitable[None]],
        supervisor: Supervisor,
    ) -> None:
        self._calls = calls
        self._most_lingering = lingering
        self._work = work
        self._supervisor = supervisor
        self._waiting: deque[PushJob] = deque()
        self._young = 0
        self._lingering = 0
        self.rest = HostRest(host)

    @property
    def room(self) -> int:
        """How many more pushes it takes now."""
        return self._calls + WAITING - self._young - len(self._waiting)

    @property
    def idle(self) -> bool:
        """Whether nothing is on its way or waits for it."""
        return self._young + self._lingering + len(self._waiting) == 0

    def take(self, job: PushJob) -> None:
        """Send a push when its turn comes."""
        self._waiting.append(job)
        self._next()

    def empty(self) -> list[PushJob]:
        """Give back what waits."""
        waiting = list(self._waiting)
        self._waiting.clear()
        return waiting

    def _next(self) -> None:
        while self._waiting and self._young < self._calls:
            self._young += 1
            self._supervisor.start("push.call", self._call(self._waiting.popleft()))

    async def _call(self, job: PushJob) -> None:
        lingers = False

        def linger() -> None:
            nonlocal lingers
            if self._lingering < self._most_lingering:
                lingers = True
                self._young -= 1
                self._lingering += 1
                self._next()

        timer = asyncio.get_running_loop().call_later(LINGERS_AFTER_S, linger)
        try:
            await self._work(job)
        finally:
            timer.cancel()
            if lingers:
                self._lingering -= 1
            else:
                self._young -= 1
            self._next()
