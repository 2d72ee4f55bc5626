"""A child process that publishes and says on stderr which answers it got, for whoever traces its system calls."""

import asyncio
import os
import sys
from pathlib import Path

from tests.ports.world import envelope
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.clock import SystemClock
from tocsin.ports.limits import StoreLimits

PUBLISHERS = 8
EACH = 5


async def publish(store: SqliteStore) -> None:
    for _ in range(EACH):
        told = envelope("ann")
        (published,) = await store.queue.publish([told])
        if published.outcome == "accepted":
            os.write(2, f"answered {told.id};".encode())


async def main(folder: Path) -> None:
    store = await SqliteStore.open(folder, SystemClock(), StoreLimits(low_water_bytes=0))
    async with asyncio.TaskGroup() as group:
        for _ in range(PUBLISHERS):
            group.create_task(publish(store))
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
