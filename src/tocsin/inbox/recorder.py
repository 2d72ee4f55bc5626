"""Receipts on their way to the store: gathered for a moment, written together.

Bound (I6):  4,000 facts wait at most; what comes then is dropped, counted by ``tocsin_receipts_lost_total``, and told to
             whoever can repeat it.  The gateway's own facts (written, received) get 500 of these, so that under
             load what people did still fits.  A crash loses what was taken within the last second.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from tocsin.errors import TocsinError
from tocsin.model.receipt import Fact, Told
from tocsin.ports.receipts import ReceiptStore
from tocsin.telemetry import Metrics

BOUND: Final = 4_000
GATEWAY_BOUND: Final = 500
GATHER_S: Final = 1.0
# One transaction writes this many, so that alerts do not wait behind it.
GROUP: Final = 250
_OF_GATEWAY: Final = frozenset({"written", "received"})


class Recorder:
    """Takes facts at once and notes them about once a second; ``note`` is for those who wait for the disk."""

    def __init__(
        self,
        store: ReceiptStore,
        kept: Mapping[str, frozenset[str]],
        usual: frozenset[str],
        metrics: Metrics,
    ) -> None:
        """Make it; ``kept`` names the facts that a hub keeps, ``usual`` those of any other hub."""
        self._store = store
        self._kept = kept
        self._usual = usual
        self._metrics = metrics
        self._waiting: list[Told] = []
        self._some = asyncio.Event()

    def keeps(self, hub: str, fact: Fact) -> bool:
        """Tell whether this fact is kept in this hub at all."""
        return fact in self._kept.get(hub, self._usual)

    async def note(self, told: Sequence[Told]) -> None:
        """Keep facts; they are on disk when this returns.

        Raises:
            UnavailableError: Nothing was kept.
        """
        await self._store.note(self._wanted(told))

    def record(self, told: Sequence[Told]) -> bool:
        """Keep facts for the next note; False if some of them found no room."""
        lost = 0
        for one in told:
            if not self.keeps(one.hub, one.fact):
                continue
            if len(self._waiting) < (GATEWAY_BOUND if one.fact in _OF_GATEWAY else BOUND):
                self._waiting.append(one)
            else:
                lost += 1
        if self._waiting:
            self._some.set()
        if lost:
            self._metrics.receipts_lost.inc(lost)
        return lost == 0

    async def run(self) -> None:
        """Note what gathers, until cancelled."""
        while True:
            await self._some.wait()
            await asyncio.sleep(GATHER_S)
            await self.flush()

    async def flush(self) -> None:
        """Note what waits; while the store is away it waits on, as far as there is room.

        Raises:
            UnavailableError: The store is away.
            UnknownOutcomeError: It gave no answer; noting again changes nothing (I2).
        """
        self._some.clear()
        waiting, self._waiting = self._waiting, []
        while waiting:
            group, waiting = waiting[:GROUP], waiting[GROUP:]
            try:
                await self._store.note(group)
            except TocsinError:
                waiting = [*group, *waiting]
                room = max(0, BOUND - len(self._waiting))
                self._metrics.receipts_lost.inc(len(waiting[room:]))
                self._waiting = [*waiting[:room], *self._waiting]
                self._some.set()
                raise

    def _wanted(self, told: Sequence[Told]) -> list[Told]:
        return [one for one in told if self.keeps(one.hub, one.fact)]
