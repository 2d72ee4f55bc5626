"""Fixtures that open stores on a PostgreSQL of the tests' own."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.ports.opener import Opener, OpenStore
from tests.ports.postgres_server import FAST, Lent, running_postgres
from tests.ports.turned_clock import TurnedClock
from tests.ports.world import AnyStore
from tocsin.adapters.postgres.store import PostgresStore
from tocsin.ports.limits import StoreLimits


@pytest.fixture(scope="session")
def lent() -> Iterator[Lent]:
    """Lend databases of one server."""
    with running_postgres(**FAST) as server:
        yield Lent(server)


@pytest.fixture
async def open_postgres(
    tmp_path_factory: pytest.TempPathFactory, clock: TurnedClock, lent: Lent
) -> AsyncIterator[OpenStore]:
    taken: list[str] = []

    async def open_(limits: StoreLimits) -> AnyStore:
        taken.append(lent.take())
        folder = tmp_path_factory.mktemp("store")
        return await PostgresStore.open(taken[-1], folder, clock, limits, may_lose=True)

    opener = Opener(clock, open_)
    yield opener
    await opener.close()
    for url in taken:
        lent.give_back(url)
