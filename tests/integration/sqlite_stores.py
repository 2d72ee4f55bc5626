"""Opening SQLite stores in a test's folder, with a clock turned by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.ports.turned_clock import TurnedClock
from tests.ports.world import World
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.ports.limits import StoreLimits


@asynccontextmanager
async def opened(
    folder: Path, clock: TurnedClock | None = None, **limits: Any
) -> AsyncIterator[World]:
    """Open a store, and close it at the end."""
    turned = clock or TurnedClock()
    bounds = StoreLimits(**{"low_water_bytes": 0, **limits})
    store = await SqliteStore.open(folder, turned, bounds)
    try:
        yield World(store, turned)
    finally:
        await store.close()
