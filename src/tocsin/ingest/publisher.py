"""Publishing in batches that form by themselves.

While one batch is on its way to disk the next accumulates, so under load one fsync covers many publishes and an idle
server waits for nobody: there is no linger timer (docs/decisions/0003-group-commit.md).
"""

import asyncio
from collections import deque
from collections.abc import Sequence

import structlog

from tocsin.errors import OverloadedError, TocsinError, UnknownOutcomeError
from tocsin.model.alert import Envelope
from tocsin.ports.queue import Published, Queue
from tocsin.supervisor import Supervisor
from tocsin.telemetry import Metrics

log = structlog.get_logger()

MAX_WAITING = 20_000
MAX_BATCH = 2_000
DEADLINE_S = 10.0

_Waiting = tuple[Sequence[Envelope], "asyncio.Future[Sequence[Published]]"]


class Publisher:
    """Puts envelopes on the queue; answers after the commit that covers them (I1)."""

    def __init__(self, queue: Queue, supervisor: Supervisor, metrics: Metrics) -> None:
        self._queue = queue
        self._supervisor = supervisor
        self._metrics = metrics
        self._waiting: deque[_Waiting] = deque()
        self._waiting_count = 0
        self._busy = False

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
        future: asyncio.Future[Sequence[Published]] = asyncio.get_running_loop().create_future()
        self._waiting.append((envelopes, future))
        self._waiting_count += len(envelopes)
        if not self._busy:
            self._busy = True
            self._supervisor.start("ingest.publish", self._drain())
        try:
            async with asyncio.timeout(DEADLINE_S):
                return await future
        except TimeoutError as error:
            detail = f"no answer from the queue within {DEADLINE_S:.0f} s; repeat with the same id"
            raise UnknownOutcomeError(detail) from error

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await self._publish_batch(self._next_batch())
        finally:
            self._busy = False

    def _next_batch(self) -> list[_Waiting]:
        batch = [self._waiting.popleft()]
        size = len(batch[0][0])
        while self._waiting and size + len(self._waiting[0][0]) <= MAX_BATCH:
            batch.append(self._waiting.popleft())
            size += len(batch[-1][0])
        self._waiting_count -= size
        return batch

    async def _publish_batch(self, batch: list[_Waiting]) -> None:
        envelopes = [envelope for group, _ in batch for envelope in group]
        try:
            results = await self._queue.publish(envelopes)
        except TocsinError as error:
            self._fail(batch, error)
        except Exception as error:
            self._fail(batch, UnknownOutcomeError("the queue failed; repeat with the same id"))
            log.exception("ingest.failed", alerts=len(envelopes), exc_info=error)
        else:
            self._answer(batch, results)

    def _answer(self, batch: list[_Waiting], results: Sequence[Published]) -> None:
        begin = 0
        for group, future in batch:
            end = begin + len(group)
            if not future.done():
                future.set_result(results[begin:end])
            begin = end
        for result in results:
            self._metrics.published.labels(result.outcome).inc()

    @staticmethod
    def _fail(batch: list[_Waiting], error: TocsinError) -> None:
        for _, future in batch:
            if not future.done():
                future.set_exception(error)
