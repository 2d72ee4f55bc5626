"""What operators and their machines ask: alive, ready, numbers."""

import asyncio
from collections.abc import Callable

from prometheus_client import generate_latest

from tocsin.api.auth import Authenticator
from tocsin.api.http import Request, Response
from tocsin.api.problems import problem
from tocsin.clock import Clock
from tocsin.errors import TocsinError, UnavailableError
from tocsin.ports.queue import Queue
from tocsin.ports.store import Store
from tocsin.realtime.gateway import GatewayStats
from tocsin.telemetry import Metrics

READY_CACHE_S = 1.0
READY_DEADLINE_S = 5.0


class Operations:
    """``/healthz``, ``/readyz`` and ``/metrics``."""

    def __init__(
        self,
        auth: Authenticator,
        store: Store,
        queue: Queue,
        metrics: Metrics,
        clock: Clock,
        gateway: Callable[[], GatewayStats],
        is_leaving: Callable[[], bool],
    ) -> None:
        """Make them; ``is_leaving`` tells whether this process has been asked to end."""
        self._auth = auth
        self._store = store
        self._queue = queue
        self._metrics = metrics
        self._clock = clock
        self._gateway = gateway
        self._is_leaving = is_leaving
        self._counted = GatewayStats()
        self._checking = asyncio.Lock()
        self._checked_s = float("-inf")
        self._fault: TocsinError | None = None

    async def healthz(self, _request: Request) -> Response:
        """``GET /healthz``: the process answers; nothing else is checked."""
        return Response(200, b'{"status":"ok"}')

    async def readyz(self, _request: Request) -> Response:
        """``GET /readyz``: 200 only if a publish would be durable now, which is checked at most once a second, and later."""
        if self._is_leaving():
            return problem(503, "draining", "the server is shutting down; ask another one")
        async with self._checking:  # whoever asks meanwhile gets this check's answer
            if self._clock.monotonic_s() - self._checked_s >= READY_CACHE_S:
                self._fault = await self._find_fault()
                self._checked_s = self._clock.monotonic_s()
        if self._fault is not None:
            return problem(503, self._fault.code, self._fault.detail)
        return Response(200, b'{"status":"ready"}')

    async def _find_fault(self) -> TocsinError | None:
        try:
            async with asyncio.timeout(READY_DEADLINE_S):
                await self._store.check_writable()
                await self._queue.check_writable()
        except TocsinError as error:
            return error
        except TimeoutError:
            return UnavailableError(f"the disk gave no answer within {READY_DEADLINE_S:.0f} s")
        return None

    async def metrics(self, request: Request) -> Response:
        """``GET /metrics``: for this machine, or with an admin key."""
        if not request.from_loopback:
            self._auth.admin(request)
        depth = await self._queue.depth()
        self._metrics.waiting.set(depth.waiting)
        self._metrics.oldest_s.set(depth.oldest_age_s)
        self._metrics.scheduled.set(depth.scheduled)
        self._count_gateway()
        body = generate_latest(self._metrics.registry)
        return Response(200, body, b"text/plain; version=0.0.4; charset=utf-8")

    def _count_gateway(self) -> None:
        """Take over what the gateway counts by itself, without a metric's lock for each frame."""
        metrics, now, before = self._metrics, self._gateway(), self._counted
        metrics.connections.set(now.sessions)
        metrics.detached.set(now.detached)
        metrics.detached_bytes.set(now.detached_bytes)
        metrics.live_hubs.set(now.hubs)
        metrics.opened.inc(now.opened - before.opened)
        metrics.recovered.inc(now.recovered - before.recovered)
        metrics.not_recovered.inc(now.not_recovered - before.not_recovered)
        metrics.slow_consumers.inc(now.slow_consumers - before.slow_consumers)
        metrics.messages.inc(now.messages - before.messages)
        metrics.heads.inc(now.heads - before.heads)
        self._counted = now
