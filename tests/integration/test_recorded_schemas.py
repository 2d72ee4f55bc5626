"""What earlier releases wrote: a recorded database is brought up with all it holds, and a node of its schema can go on beside it."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import psycopg
import pytest

from tests.integration.recorded_release import RECORDED, restored
from tests.ports.postgres_server import FAST, PostgresServer, running_postgres
from tests.ports.turned_clock import TurnedClock
from tests.ports.world import envelope
from tocsin.adapters.postgres.migrate import migrate
from tocsin.adapters.postgres.store import PostgresStore
from tocsin.adapters.sql.schema import metadata
from tocsin.adapters.sql.store.base import SqlStore
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.model.alert import Audience
from tocsin.ports.limits import StoreLimits
from tocsin.ports.store import Listing

# When both were recorded, so that nothing is too old to be kept.
RECORDED_US = 1_795_435_400_000_000
OPEN_LIMITS = StoreLimits(low_water_bytes=0)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_postgres(**FAST) as made:
        yield made


@pytest.fixture
def clock() -> TurnedClock:
    made = TurnedClock()
    made.us = RECORDED_US
    return made


@asynccontextmanager
async def opened(
    kind: str, server: PostgresServer, folder: Path, clock: TurnedClock
) -> AsyncIterator[SqlStore]:
    """Open a recorded database with this release, which migrates it."""
    store: SqlStore
    if kind == "sqlite":
        connection = sqlite3.connect(folder / "tocsin.db")
        connection.executescript((RECORDED / "sqlite-0020.sql").read_text())
        connection.close()
        store = await SqliteStore.open(folder, clock, OPEN_LIMITS)
    else:
        store = await PostgresStore.open(
            restored(server), folder, clock, OPEN_LIMITS, may_lose=True
        )
    try:
        yield store
    finally:
        await store.close()


async def listed(store: SqlStore, user: str) -> list[tuple[str, bool]]:
    """Return the titles in an inbox, newest first, and whether each was read."""
    page = await store.entries("default", user, Listing())
    return [(msgspec.json.decode(entry.content)["title"], entry.read) for entry in page.entries]


async def position(store: SqlStore, user: str) -> tuple[int, int]:
    """Return the numbers of a user's last change and of the last broadcast."""
    _, at = await store.head("default", user)
    return at.rev, at.brev


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_a_recorded_database_is_brought_up_with_all_that_it_holds(
    kind: str, server: PostgresServer, tmp_path: Path, clock: TurnedClock
) -> None:
    async with opened(kind, server, tmp_path, clock) as store:
        assert await listed(store, "ada") == [
            ("To all", False),
            ("To two", False),
            ("To the topic", False),
            ("Order 2", False),
            ("Order 0", True),
        ]
        assert [title for title, _ in await listed(store, "bob")] == [
            "To all",
            "To two",
            "To the topic",
        ]
        assert await position(store, "ada") == (7, 1)
        assert await position(store, "bob") == (2, 1)
        assert (await store.queue.depth()).scheduled == 1
        assert len(await store.keys()) == 2


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_a_recorded_database_goes_on_where_it_was(
    kind: str, server: PostgresServer, tmp_path: Path, clock: TurnedClock
) -> None:
    async with opened(kind, server, tmp_path, clock) as store:
        to_topic = envelope(hub="default", audience=Audience((), ("news",)))
        await store.deliver([to_topic])
        await store.deliver([envelope(hub="default")])
        assert await position(store, "ada") == (8, 2)
        assert len(await listed(store, "bob")) == 5
        clock.turn(days=1)
        (later,) = await store.queue.lease(limit=9, lease_s=30)
        await store.deliver([later.envelope])
        assert (await listed(store, "bob"))[0][0] == "For later"


Columns = dict[tuple[str, str], tuple[str, bool]]


def columns(url: str) -> Columns:
    """Return the type of each column, and whether a row can be written without it."""
    query = """
        SELECT table_name, column_name, data_type, is_nullable = 'YES' OR column_default IS NOT NULL
        FROM information_schema.columns WHERE table_schema = 'public'
    """
    with psycopg.connect(url) as connection:
        return {
            (table, name): (kind, free) for table, name, kind, free in connection.execute(query)
        }


def breaks(before: Columns, after: Columns) -> list[tuple[str, str]]:
    """Name the columns by which a node that knows the schema of before could not go on."""
    gone = [column for column, what in before.items() if after.get(column) != what]
    tables = {table for table, _ in before}
    asked = [
        column
        for column, (_, is_free) in after.items()
        if column not in before and column[0] in tables and not is_free
    ]
    return gone + asked


def test_a_node_of_the_recorded_schema_can_go_on_after_another_one_has_migrated(
    server: PostgresServer,
) -> None:
    url = restored(server)
    before = columns(url)
    migrate(url)
    assert breaks(before, columns(url)) == []


@pytest.mark.parametrize(
    "change", ["ADD needed bigint NOT NULL", "DROP payload", "ALTER payload TYPE text USING ''"]
)
def test_a_migration_by_which_it_could_not_is_seen(server: PostgresServer, change: str) -> None:
    url = restored(server)
    before = columns(url)
    with psycopg.connect(url) as connection:
        connection.execute(f"ALTER TABLE dead_letters {change}".encode())
    assert len(breaks(before, columns(url))) == 1


def test_what_a_node_of_the_recorded_schema_writes_can_still_be_written(
    server: PostgresServer,
) -> None:
    url = server.create()
    migrate(url)
    lines = (RECORDED / "postgres-0022.sql").read_text().splitlines()
    written = {line for line in lines if line.startswith("INSERT INTO")}
    with psycopg.connect(url) as connection:
        for table in metadata.sorted_tables:  # what is referred to first
            rows = {
                line for line in written if line.startswith(f"INSERT INTO public.{table.name} ")
            }
            for row in rows:
                connection.execute(row.encode())
            written -= rows
    assert [row.split(" (")[0] for row in written] == ["INSERT INTO public.alembic_version"]
