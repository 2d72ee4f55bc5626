"""The only loop that turns queued alerts into inbox items: lease, deliver, announce, acknowledge.

The order is the promise: the store's transaction comes before the acknowledgement, so a crash between them
delivers again, and the store drops what it has (I2).  People wait for the announcement and nobody for the
acknowledgement, so it is announced first; that may be lost (I5).
"""

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from tocsin.clock import US_PER_S, Clock
from tocsin.errors import TocsinError, UnavailableError, UnknownOutcomeError
from tocsin.ports.fanout import Announcement, Announcer, announce_arrivals, announce_broadcasts
from tocsin.ports.queue import Leased, Source
from tocsin.ports.store import Delivered, Deliveries
from tocsin.process.retry import condemn, decide
from tocsin.telemetry import Metrics

log = structlog.get_logger()

BATCH = 500
# Rows one transaction writes: an alert for many users, or a chunk of one to topics, goes alone, so that small ones are not
# held up behind it.
BATCH_ROWS = 2_000
LEASE_S = 30.0
IDLE_WAIT_S = 1.0
# How long alerts may wait while a burst comes in, which is taken in twice as fast if nobody works on it meanwhile.
PATIENCE_S = 2.0
OUTAGE_DELAY_S = 1.0


async def at_once(_within_s: float) -> None:
    """Wait for nobody: for a worker that shares its processor with no ingest."""


class Worker:
    """Processes alerts from one source, batch by batch.

    ``calm`` is asked before each batch: it returns when no burst comes in, or after so many seconds (ingest first, but
    never for long).
    """

    def __init__(
        self,
        source: Source,
        store: Deliveries,
        fanout: Announcer,
        clock: Clock,
        metrics: Metrics,
        calm: Callable[[float], Awaitable[None]] = at_once,
    ) -> None:
        self._source = source
        self._store = store
        self._fanout = fanout
        self._clock = clock
        self._metrics = metrics
        self._calm = calm
        self._stopping = False

    async def run(self) -> None:
        """Work until ``stop`` was called and the batch in hand is finished (I9)."""
        while not self._stopping:
            if not await self.step():
                await self._source.wait_ready(IDLE_WAIT_S)

    def stop(self) -> None:
        """Lease nothing more."""
        self._stopping = True

    async def step(self) -> int:
        """Process one batch; returns how many alerts were leased."""
        batch = await self._source.lease(limit=BATCH, lease_s=LEASE_S)
        if batch:
            await self._calm(PATIENCE_S - self._age_s(batch[0], self._clock.now_us()))
        try:
            for part in _split(batch):
                await self._process(part)
        except (UnavailableError, UnknownOutcomeError) as error:
            await self._wait_out(batch, error)
        return len(batch)

    async def _process(self, batch: Sequence[Leased]) -> None:
        if len(batch) == 1 and (reason := condemn(batch[0].crashes)) is not None:
            await self._bury(batch[0], reason)
            return
        try:
            delivered = await self._store.deliver([leased.envelope for leased in batch])
        except (UnavailableError, UnknownOutcomeError):
            raise
        except Exception as error:  # noqa: BLE001 -- poison may raise anything, and must not stop the rest
            if len(batch) == 1:
                await self._set_aside(batch[0], error)
            else:  # one of them is poison, and is found by halves: the others must not wait for it
                half = len(batch) // 2
                await self._process(batch[:half])
                await self._process(batch[half:])
        else:
            self._announce(delivered)
            await self._settle(batch, delivered)

    async def _settle(self, batch: Sequence[Leased], delivered: Mapping[str, Delivered]) -> None:
        """Acknowledge what everybody has, and put back what more people are to get."""
        unfinished = {alert_id for result in delivered.values() for alert_id in result.unfinished}
        done = [leased for leased in batch if leased.envelope.id not in unfinished]
        self._count(done, delivered)
        await self._source.ack([leased.receipt for leased in done])
        for leased in batch:
            if leased.envelope.id in unfinished:
                await self._source.put_back(leased.receipt)

    async def _wait_out(self, batch: Sequence[Leased], error: TocsinError) -> None:
        # The store is away, which is nobody's fault: the same again in the same order, however long it takes.
        log.warning("process.store_unavailable", alerts=len(batch), reason=error.detail)
        receipts = [leased.receipt for leased in batch]
        await self._source.put_off(receipts, delay_s=OUTAGE_DELAY_S, reason=error.detail)

    async def _set_aside(self, leased: Leased, error: Exception) -> None:
        decision = decide(leased.attempt, error, random.random())  # noqa: S311 -- spreads retries
        log.error(
            "process.failed",
            alert=leased.envelope.id,
            attempt=leased.attempt,
            verdict=decision.verdict,
            exc_info=error,
        )
        if decision.verdict == "bury":
            await self._bury(leased, decision.reason)
        else:
            await self._source.retry_later(
                leased.receipt, delay_s=decision.delay_s, reason=decision.reason
            )
            self._metrics.retried.inc()

    async def _bury(self, leased: Leased, reason: str) -> None:
        await self._source.bury(leased.receipt, reason=reason)
        self._metrics.dead.inc()
        log.error("process.buried", alert=leased.envelope.id, reason=reason)

    def _announce(self, delivered: Mapping[str, Delivered]) -> None:
        announcements: list[Announcement] = []
        for hub, result in delivered.items():
            announcements += announce_arrivals(hub, result.changes)
            announcements += announce_broadcasts(result.broadcasts)
        self._fanout.announce(announcements)

    def _count(self, batch: Sequence[Leased], delivered: Mapping[str, Delivered]) -> None:
        now_us = self._clock.now_us()
        for result in delivered.values():
            items = sum(len(change.items) for change in result.changes)
            self._metrics.delivered.inc(items + len(result.broadcasts))
        for leased in batch:
            self._metrics.process_s.observe(self._age_s(leased, now_us))

    @staticmethod
    def _age_s(leased: Leased, now_us: int) -> float:
        return (now_us - leased.envelope.due_us) / US_PER_S


def _split(batch: Sequence[Leased]) -> list[list[Leased]]:
    parts: list[list[Leased]] = []
    rows = BATCH_ROWS
    for leased in batch:
        audience = leased.envelope.audience
        size = BATCH_ROWS if audience.expands else max(1, len(audience.users))
        if rows + size > BATCH_ROWS:
            parts.append([])
            rows = 0
        parts[-1].append(leased)
        rows += size
    return parts
