"""Every test here runs on every store."""

from collections.abc import AsyncIterator
from importlib.util import find_spec

import pytest

from tests.ports.empty_store import put_empty_store
from tests.ports.opener import Opener, OpenStore
from tests.ports.turned_clock import TurnedClock
from tests.ports.world import AnyStore, World
from tocsin.adapters.memory.store import MemoryStore
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.ports.limits import StoreLimits

# PostgreSQL needs a driver that Tocsin can do without, and so can these tests; tests/integration cannot.
KINDS = ["memory", "sqlite"]
if find_spec("psycopg") is not None:
    from tests.ports.postgres_stores import lent, open_postgres

    __all__ = ["lent", "open_postgres"]
    KINDS.append("postgres")


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def open_memory(clock: TurnedClock) -> OpenStore:
    async def open_(limits: StoreLimits) -> AnyStore:
        return MemoryStore(clock, limits)

    return Opener(clock, open_)


@pytest.fixture
async def open_sqlite(
    tmp_path_factory: pytest.TempPathFactory, clock: TurnedClock
) -> AsyncIterator[OpenStore]:
    async def open_(limits: StoreLimits) -> AnyStore:
        folder = tmp_path_factory.mktemp("store")
        put_empty_store(folder)
        return await SqliteStore.open(folder, clock, limits)

    opener = Opener(clock, open_)
    yield opener
    await opener.close()


@pytest.fixture(params=KINDS)
def open_world(request: pytest.FixtureRequest) -> OpenStore:
    """Open a store of the adapter under test."""
    opener: OpenStore = request.getfixturevalue(f"open_{request.param}")
    return opener


@pytest.fixture
async def world(open_world: OpenStore) -> World:
    return await open_world()
