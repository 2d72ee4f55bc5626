"""What came over an event stream is told as received: a socket says that by its acknowledgements."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence

from tocsin.client.rules import Row
from tocsin.clock import Clock, to_rfc3339
from tocsin.errors import TocsinError, UnavailableError
from tocsin.supervisor import Supervisor

GATHER_S = 1.0
PAUSE_S = 10.0
MOST_AT_ONCE = 200
# While the server is away this many wait; beyond, the oldest is given up (I6).
MOST_WAITING = 500


class Received:
    """Gathers for a second, tells in batches, and says again what was not answered."""

    def __init__(
        self, tell: Callable[[Sequence[Row]], Awaitable[None]], tasks: Supervisor, clock: Clock
    ) -> None:
        self._tell = tell
        self._tasks = tasks
        self._clock = clock
        self._waiting: deque[Row] = deque(maxlen=MOST_WAITING)
        self._busy = False

    def note(self, items: Iterable[Row]) -> None:
        """Take items that arrived; of broadcasts nothing is told, as over a socket."""
        at = to_rfc3339(self._clock.now_us())
        own = (item for item in items if "brev" not in item)
        self._waiting.extend(
            {"alert_id": item["alert_id"], "fact": "received", "at": at} for item in own
        )
        if self._waiting and not self._busy:
            self._busy = True
            self._tasks.start("inbox received", self._tell_all())

    async def _tell_all(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(GATHER_S)
                some = [
                    self._waiting.popleft() for _ in range(min(MOST_AT_ONCE, len(self._waiting)))
                ]
                await self._tell_some(some)
        finally:
            self._busy = False

    async def _tell_some(self, some: Sequence[Row]) -> None:
        while True:
            try:
                await self._tell(some)
            except UnavailableError:
                await asyncio.sleep(PAUSE_S)
            except TocsinError:  # refused, so that saying it again changes nothing
                return
            else:
                return
