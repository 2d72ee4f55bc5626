"""From spans to a collector by OTLP over HTTP: batches, by a thread of their own, out of a queue with a bound.

The SDK does it, and reads the variables of its own for what is not set here (``OTEL_EXPORTER_OTLP_*``, ``OTEL_BSP_*``,
``OTEL_SERVICE_NAME``, ``OTEL_RESOURCE_ATTRIBUTES``).  A collector that is away or slow costs spans, the oldest first, and
nothing else.
"""

import asyncio
import logging
import threading
import uuid
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Final

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from tocsin import __version__
from tocsin.adapters.otel.spans import Spans
from tocsin.model.trace import Sampling

log = structlog.get_logger()

# What a shutdown waits at most for the last spans to leave.
CLOSE_S: Final = 2.0
QUIET_S: Final = 60.0
_PATH: Final = "/v1/traces"


class _Complaints(logging.Handler):
    """Passes on what the SDK complains of, which it says by the standard library, as events of our log.

    While a collector is away it complains every second or two; so much is said of it once a minute.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._said_s = float("-inf")
        self._unsaid = 0

    def emit(self, record: logging.LogRecord) -> None:
        if record.created - self._said_s < QUIET_S:
            self._unsaid += 1
            return
        log.warning("traces.trouble", reason=record.getMessage(), unsaid=self._unsaid)
        self._said_s, self._unsaid = record.created, 0


@asynccontextmanager
async def opened_spans(endpoint: str, share: float, roles: Collection[str]) -> AsyncIterator[Spans]:
    """Send spans to the collector at ``endpoint`` until the context ends; it may be away.

    Args:
        endpoint: Its address, without the path for traces.
        share: Which part of all alerts is recorded.
        roles: What this process does.
    """
    complaints, told = _Complaints(), logging.getLogger("opentelemetry")
    told.addHandler(complaints)
    told.propagate = False
    exporter = OTLPSpanExporter(endpoint.rstrip("/") + _PATH)
    processor = BatchSpanProcessor(exporter)
    try:
        yield Spans(Sampling(share), _resource(roles), processor.on_end)
    finally:
        # By a thread that nothing waits for: it would take as long as the collector pleases.
        ending = threading.Thread(target=processor.shutdown, name="traces.end", daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, CLOSE_S)
        told.removeHandler(complaints)
        told.propagate = True


def _resource(roles: Collection[str]) -> Resource:
    """Say what this process is; what the operator says by the SDK's variables wins."""
    own = Resource(
        {
            "service.name": "tocsin",
            "service.version": __version__,
            "service.instance.id": str(uuid.uuid4()),
            "tocsin.roles": sorted(roles),
        }
    )
    return own.merge(OTELResourceDetector().detect())
