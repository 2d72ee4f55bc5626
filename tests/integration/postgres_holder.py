"""A process that works on a database beside others: it leases what is due, and a webhook, and waits to be killed."""

import asyncio
import sys
from pathlib import Path

import structlog

from tocsin.adapters.postgres.store import PostgresStore
from tocsin.clock import US_PER_S, SystemClock


async def main() -> None:
    url, folder, limit = sys.argv[1:]
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    store = await PostgresStore.open(url, Path(folder), SystemClock(), may_lose=True, shared=True)
    leased = await store.queue.lease(limit=int(limit), lease_s=3600)
    now_us = SystemClock().now_us()
    long_us = now_us + 3600 * US_PER_S
    await store.webhooks.claim_webhook("w1", now_us, long_us)
    await store.pushes.lease_pushes(now_us, long_us, int(limit))
    sys.stdout.write(f"{len(leased)}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


asyncio.run(main())
