"""Receipts on their way to the store: gathered for a moment, written together.

While one group is on its way to disk the next gathers, so a fact costs the less the more there are
(docs/decisions/0011-receipts-in-one-statement.md).  The gateway's own facts (written, received) gather for a moment even
then, for nobody waits for them; whoever waits for the disk waits for one commit.

Bound (I6):  100,000 facts wait at most.  What clients tell gets a quarter of that; beyond, it is refused, and they say it
             again.  The gateway's own can be told by nobody else, so whoever makes them, by delivering, waits a little
             while they are many (``caught_up``).  What finds no room even so is lost and counted by
             ``tocsin_receipts_lost_total``.  A crash loses what the gateway took note of in the last moment.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from tocsin.errors import OverloadedError, TocsinError
from tocsin.model.receipt import Fact, Told
from tocsin.ports.pushes import PushStore
from tocsin.ports.receipts import ReceiptStore
from tocsin.telemetry import Metrics

BOUND: Final = 100_000
TOLD_BOUND: Final = 25_000
# One batch of deliveries makes at most 80,000 facts: 2,000 items, each for 20 connections that acknowledge.
MANY: Final = 20_000
GATHER_S: Final = 0.2
# One transaction writes this many, some 25 ms of work: alerts wait behind it.
GROUP: Final = 4_000


class _Call(NamedTuple):
    """Facts that came together, and the future of whoever waits until they are on disk."""

    told: Sequence[Told]
    noted: asyncio.Future[None] | None = None


class Recorder:
    """Takes facts at once and notes them in groups."""

    def __init__(
        self,
        store: ReceiptStore,
        kept: Mapping[str, frozenset[str]],
        usual: frozenset[str],
        pushes: PushStore,
        metrics: Metrics,
    ) -> None:
        """Make it.

        Args:
            store: Where receipts are kept.
            kept: The facts that each hub keeps.
            usual: Those of any other hub.
            pushes: What needs not be pushed any more once it was shown (I8), whether or not that fact is kept.
            metrics: Count what is lost.
        """
        self._store = store
        self._kept = kept
        self._usual = usual
        self._pushes = pushes
        self._metrics = metrics
        self._calls: deque[_Call] = deque()
        self._waiting = 0
        self._some = asyncio.Event()
        self._urgent = asyncio.Event()
        self._few = asyncio.Event()
        self._few.set()

    def keeps(self, hub: str, fact: Fact) -> bool:
        """Tell whether this fact is kept in this hub at all."""
        return fact in self._kept.get(hub, self._usual)

    async def note(self, told: Sequence[Told]) -> None:
        """Keep facts; they are on disk when this returns.

        Raises:
            OverloadedError: There is no room for them; nothing was kept.
            UnavailableError: The store is away; nothing was kept.
            UnknownOutcomeError: It gave no answer; noting again changes nothing (I2).
        """
        await self._pushes.cancel_shown([one for one in told if one.fact == "shown"])
        wanted = [one for one in told if self.keeps(one.hub, one.fact)]
        if not wanted:
            return
        if self._waiting + len(wanted) > TOLD_BOUND:
            detail = f"{self._waiting} receipts wait for the disk; tell these again later"
            raise OverloadedError(detail, code="receipts-busy")
        noted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._add(_Call(wanted, noted))
        self._urgent.set()
        await noted

    def record(self, told: Sequence[Told]) -> None:
        """Keep the gateway's own facts for the next group."""
        if self._waiting + len(told) > BOUND:
            self._metrics.receipts_lost.inc(len(told))
            return
        self._add(_Call(told))
        if self._waiting >= GROUP:
            self._urgent.set()

    async def caught_up(self, within_s: float) -> None:
        """Return when not many facts wait, at the latest after ``within_s`` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._few.wait()

    async def run(self) -> None:
        """Note what gathers, until cancelled."""
        while True:
            await self._some.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GATHER_S):
                    await self._urgent.wait()
            await self.flush()

    async def flush(self) -> None:
        """Note all that waits; while the store is away the gateway's own facts wait on.

        Raises:
            UnavailableError: The store is away.
            UnknownOutcomeError: It gave no answer.
        """
        while self._calls:
            group = self._next_group()
            try:
                await self._store.note([one for call in group for one in call.told])
            except TocsinError as error:
                self._keep_on(group, error)
                raise
            for call in group:
                if call.noted is not None and not call.noted.done():
                    call.noted.set_result(None)
        self._some.clear()
        self._urgent.clear()

    def _add(self, call: _Call) -> None:
        self._calls.append(call)
        self._waiting += len(call.told)
        self._some.set()
        if self._waiting >= MANY:
            self._few.clear()

    def _next_group(self) -> list[_Call]:
        group = [self._calls.popleft()]
        size = len(group[0].told)
        while self._calls and size + len(self._calls[0].told) <= GROUP:
            group.append(self._calls.popleft())
            size += len(group[-1].told)
        self._waiting -= size
        if self._waiting < MANY:
            self._few.set()
        return group

    def _keep_on(self, group: Sequence[_Call], error: TocsinError) -> None:
        """Tell all who wait that it failed; what nobody waits for goes back in front."""
        calls, self._calls, self._waiting = (*group, *self._calls), deque(), 0
        for call in calls:
            if call.noted is None:
                self.record(call.told)
            elif not call.noted.done():
                call.noted.set_exception(error)
