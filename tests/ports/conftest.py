"""Every test here runs on every store."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ports.turned_clock import TurnedClock
from tests.ports.world import AnyStore, World
from tocsin.adapters.memory.store import MemoryStore
from tocsin.adapters.sqlite.migrate import migrate
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.ports.limits import StoreLimits

OpenStore = Callable[..., Awaitable[World]]


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with the schema and nothing else: migrating anew for each test would be slow."""
    file = tmp_path_factory.mktemp("migrated") / "tocsin.db"
    migrate(file)
    return file


@pytest.fixture(params=["memory", "sqlite"])
async def open_world(
    request: pytest.FixtureRequest, tmp_path: Path, clock: TurnedClock, migrated: Path
) -> AsyncIterator[OpenStore]:
    """Open a store of the adapter under test, with limits of the test's choice."""
    opened: list[AnyStore] = []

    async def open_(**limits: Any) -> World:
        bounds = StoreLimits(**{"low_water_bytes": 0, **limits})
        store: AnyStore
        if request.param == "memory":
            store = MemoryStore(clock, bounds)
        else:
            folder = tmp_path / str(len(opened))
            folder.mkdir()
            shutil.copy(migrated, folder)
            store = await SqliteStore.open(folder, clock, bounds)
        opened.append(store)
        return World(store, clock)

    yield open_
    for store in opened:
        await store.close()


@pytest.fixture
async def world(open_world: OpenStore) -> World:
    return await open_world()
