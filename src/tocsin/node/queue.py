"""Which queue the settings name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tocsin.adapters.sql.store.base import SqlStore
from tocsin.clock import Clock
from tocsin.config import Settings
from tocsin.errors import ConfigError
from tocsin.ports.queue import Queue

# What an envelope has beside the alert: ids, times, and what JSON adds.
_ENVELOPE_BYTES: Final = 16_384


@asynccontextmanager
async def opened_queue(settings: Settings, store: SqlStore, clock: Clock) -> AsyncIterator[Queue]:
    """Open the queue that the settings name, and close it at the end.

    Raises:
        ConfigError: Its server cannot be reached, would not keep what it accepts, or its driver is missing.
    """
    if settings.queue == "store":
        yield store.queue
        return
    try:
        from tocsin.adapters.nats.line import Line, Terms
        from tocsin.adapters.nats.queue import NatsQueue
    except ImportError as error:
        detail = (
            f"queue names NATS, whose driver is not installed ({error}): pip install 'tocsin[nats]'"
        )
        raise ConfigError(detail) from error
    terms = Terms(
        settings.limits.queue_alerts,
        settings.limits.alert_bytes + _ENVELOPE_BYTES,
        settings.queue_replicas,
        settings.queue_monitors,
        settings.queue_may_lose,
    )
    async with Line.opened(settings.queue.get_secret_value(), terms) as line:
        queue = NatsQueue(line, store.queue, store.handover, clock)
        try:
            yield queue
        finally:
            await queue.close()
