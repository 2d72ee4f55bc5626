"""Publishing in batches that form by themselves.

While one batch is on its way to disk the next accumulates, so under load one fsync covers many publishes and an idle
server waits for nobody: there is no linger timer (docs/decisions/0003-group-commit.md).
"""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from typing import NamedTuple

import structlog

from tocsin.errors import OverloadedError, TocsinError, UnknownOutcomeError
from tocsin.model.alert import Envelope
from tocsin.ports.queue import Intake, Published
from tocsin.supervisor import Supervisor
from tocsin.telemetry import Metrics

log = structlog.get_logger()

MAX_WAITING = 20_000
MAX_BATCH = 2_000
DEADLINE_S = 10.0
# A batch that formed while another was on its way to disk, and has this many alerts, is part of a burst.
BURST = 16
CALM_S = 0.02


class _Waiting(NamedTuple):
    """Envelopes of one call, the future that waits for them, and the loop's time by which it is answered."""

    envelopes: Sequence[Envelope]
    future: asyncio.Future[Sequence[Published]]
    deadline_s: float


class Publisher:
    """Puts envelopes on the queue; answers after the commit that covers them (I1)."""

    def __init__(self, queue: Intake, supervisor: Supervisor, metrics: Metrics) -> None:
        self._queue = queue
        self._supervisor = supervisor
        self._metrics = metrics
        self._waiting: deque[_Waiting] = deque()
        self._waiting_count = 0
        self._under_way: Sequence[_Waiting] = ()
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None
        self._burst_s = float("-inf")

    async def publish(self, envelopes: Sequence[Envelope]) -> Sequence[Published]:
        """Make ``envelopes`` durable; one result each, in order.

        Raises:
            OverloadedError: More than 20,000 alerts wait for the disk; nothing was stored.
            UnavailableError: The queue did not take them; nothing was stored.
            UnknownOutcomeError: No answer within 10 s; they may be stored.
        """
        if self._waiting_count + len(envelopes) > MAX_WAITING:
            detail = f"{self._waiting_count} alerts wait for the disk; publish again later"
            raise OverloadedError(detail, code="ingest-busy")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(envelopes, loop.create_future(), loop.time() + DEADLINE_S)
        self._waiting.append(waiting)
        self._waiting_count += len(envelopes)
        if not self._busy:
            self._busy = True
            self._supervisor.start("ingest.publish", self._drain())
        if self._timer is None:
            self._timer = loop.call_at(waiting.deadline_s, self._expire, loop)
        return await waiting.future

    async def bring(self, alert_id: str) -> bool:
        """Make the store know an alert that was accepted, if it is on its way there; whether it is.

        Raises:
            UnavailableError: Nobody knows.
        """
        return await self._queue.bring(alert_id)

    async def calm(self, within_s: float) -> None:
        """Return when no burst has come in for 20 ms, at the latest after ``within_s`` seconds."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + within_s
        while (rest_s := min(self._burst_s + CALM_S, end_s) - loop.time()) > 0:  # noqa: ASYNC110 -- no polling: it sleeps until the answer may change
            await asyncio.sleep(rest_s)

    async def _drain(self) -> None:
        try:
            await self._publish_batch()
            while self._waiting:
                if self._waiting_count >= BURST:
                    self._burst_s = asyncio.get_running_loop().time()
                await self._publish_batch()
        finally:
            self._busy = False

    def _next_batch(self) -> list[_Waiting]:
        batch = [self._waiting.popleft()]
        size = len(batch[0].envelopes)
        while self._waiting and size + len(self._waiting[0].envelopes) <= MAX_BATCH:
            batch.append(self._waiting.popleft())
            size += len(batch[-1].envelopes)
        self._waiting_count -= size
        return batch

    async def _publish_batch(self) -> None:
        batch = self._under_way = self._next_batch()
        envelopes = [envelope for waiting in batch for envelope in waiting.envelopes]
        try:
            results = await self._queue.publish(envelopes)
        except TocsinError as error:
            self._fail(batch, error)
        except Exception as error:
            self._fail(batch, UnknownOutcomeError("the queue failed"))
            log.exception("ingest.failed", alerts=len(envelopes), exc_info=error)
        else:
            self._answer(batch, results)
        finally:
            self._under_way = ()

    def _answer(self, batch: Sequence[_Waiting], results: Sequence[Published]) -> None:
        begin = 0
        for envelopes, future, _ in batch:
            end = begin + len(envelopes)
            if not future.done():
                future.set_result(results[begin:end])
            begin = end
        for outcome, count in Counter(result.outcome for result in results).items():
            self._metrics.published.labels(outcome).inc(count)

    @staticmethod
    def _fail(batch: Sequence[_Waiting], error: TocsinError) -> None:
        for waiting in batch:
            if not waiting.future.done():
                waiting.future.set_exception(error)

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        """Fail those whose deadline has passed; one timer serves all, for it is the oldest that is due first."""
        now_s = loop.time()
        self._timer = None
        for waiting in (*self._under_way, *self._waiting):
            if waiting.deadline_s > now_s:
                self._timer = loop.call_at(waiting.deadline_s, self._expire, loop)
                return
            if not waiting.future.done():
                cause = f"no answer from the queue within {DEADLINE_S:.0f} s"
                waiting.future.set_exception(UnknownOutcomeError(cause))
