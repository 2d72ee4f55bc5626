"""PostgreSQL for real: who may hold a database, what is refused, and what follows when server or connection fail."""

import asyncio
import signal
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.acceptance.deadlines import until
from tests.ports.postgres_server import PostgresServer, programs, running_postgres
from tests.ports.turned_clock import TurnedClock
from tests.ports.world import World, envelope
from tocsin.adapters.postgres import store as postgres_store
from tocsin.adapters.postgres import vitals
from tocsin.adapters.postgres.database import PostgresDatabase
from tocsin.adapters.postgres.store import PostgresStore
from tocsin.adapters.sql.store.database import Connection
from tocsin.errors import ConfigError, ConflictError, UnavailableError, UnknownOutcomeError
from tocsin.ports.limits import StoreLimits

DROP_ALL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = 'tocsin' AND datname = current_database()"
)
WAITS_S = 30.0


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """Run a server with the settings of production."""
    with running_postgres(wal_level="replica", deadlock_timeout="50ms") as made:
        yield made


@pytest.fixture
def url(server: PostgresServer) -> str:
    return server.create()


@asynccontextmanager
async def opened(url: str, folder: Path, **more: Any) -> AsyncIterator[World]:
    clock = TurnedClock()
    store = await PostgresStore.open(url, folder, clock, StoreLimits(), **more)
    try:
        yield World(store, clock)
    finally:
        await store.close()


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def run(program: str, *arguments: str | Path) -> None:
    subprocess.run([programs() / program, *arguments], check=True, timeout=60)


async def refused(url: str, folder: Path) -> ConfigError:
    """Open a store that must not open; return why."""
    with pytest.raises(ConfigError) as error:
        async with opened(url, folder):
            pass
    return error.value


async def test_one_process_at_a_time_works_on_a_database(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(url, tmp_path / "one"):
        with monkeypatch.context() as hasty:
            hasty.setattr(postgres_store, "_PATIENCE_S", 0.1)
            error = await refused(url, tmp_path / "two")
        assert error.code == "store-locked"
        assert "another Tocsin process" in error.detail
    async with opened(url, tmp_path / "two"):
        pass


async def test_what_was_kept_is_there_after_a_restart(url: str, tmp_path: Path) -> None:
    async with opened(url, tmp_path) as world:
        one = await world.alert("ann")
        before = await world.page()
    async with opened(url, tmp_path) as world:
        assert await world.page() == before
        two = await world.alert("ann")
        assert await world.listed() == [two, one]


async def test_a_server_that_may_lose_commits_is_refused_unless_that_is_wanted(
    server: PostgresServer, url: str, tmp_path: Path
) -> None:
    name = url.split("/")[3].split("?", maxsplit=1)[0]
    ask(url, f"ALTER DATABASE {name} SET synchronous_commit = off")
    error = await refused(url, tmp_path)
    assert error.code == "store-not-durable"
    assert "synchronous_commit=off" in error.detail
    async with opened(url, tmp_path, may_lose=True) as world:
        found = {finding.check: finding for finding in await world.store.findings()}
        assert found["durability"].verdict == "warn"


async def test_a_server_with_the_usual_settings_is_durable(url: str, tmp_path: Path) -> None:
    async with opened(url, tmp_path) as world:
        found = {finding.check: finding for finding in await world.store.findings()}
        assert {finding.verdict for finding in found.values()} == {"ok"}
        assert "synchronous_commit=on" in found["durability"].detail


async def test_a_server_that_is_too_old_is_refused(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert vitals.OLDEST == 15_00_00
    monkeypatch.setattr(vitals, "OLDEST", 99_00_00)
    error = await refused(url, tmp_path)
    assert error.code == "store-too-old"
    assert "use PostgreSQL 15 or newer" in error.detail


async def test_a_newer_schema_is_refused(url: str, tmp_path: Path) -> None:
    async with opened(url, tmp_path):
        pass
    ask(url, "UPDATE alembic_version SET version_num = '9999'")
    error = await refused(url, tmp_path)
    assert error.code == "schema-newer"
    assert "9999" in error.detail


async def test_a_database_of_something_else_is_left_alone(url: str, tmp_path: Path) -> None:
    ask(url, "CREATE TABLE invoices (n bigint)")
    error = await refused(url, tmp_path)
    assert error.code == "migration-failed"
    assert "invoices" in error.detail


async def test_a_server_that_is_not_there_is_told_without_the_password(tmp_path: Path) -> None:
    error = await refused(f"postgresql://ann:s3cret@/x?host={tmp_path}", tmp_path / "data")
    assert error.code == "store-unreachable"
    assert "s3cret" not in error.detail


async def test_connections_that_the_server_closed_are_made_anew(url: str, tmp_path: Path) -> None:
    async with opened(url, tmp_path) as world:
        one = await world.alert("ann")
        assert await world.listed() == [one]
        ask(url, DROP_ALL)
        assert await world.listed() == [one]
        two = await world.alert("ann")
        assert await world.listed() == [two, one]
        assert await world.counts() == (2, 2)


async def test_a_read_that_takes_too_long_is_told_so_and_not_run_again(
    url: str, tmp_path: Path
) -> None:
    runs = list[int]()

    def slow(connection: Connection) -> None:
        runs.append(1)
        connection.execute("SET LOCAL statement_timeout = '100ms'")
        connection.execute("SELECT pg_sleep(20)")

    async with opened(url, tmp_path) as world:
        assert isinstance(world.store, PostgresStore)
        with pytest.raises(UnavailableError, match="statement timeout"):
            await world.store._readers.run(slow)
        assert len(runs) == 1


async def test_a_new_session_that_fails_at_once_does_not_keep_the_store_from_the_next(
    url: str, tmp_path: Path
) -> None:
    async with opened(url, tmp_path) as world:
        assert isinstance(world.store, PostgresStore)
        writer, failures = world.store._writer, list[int]()
        reread = writer._rolled_back

        def fails_on_the_first(connection: Connection) -> None:
            if not failures:
                failures.append(1)
                raise psycopg.OperationalError("the connection is gone again")
            reread(connection)

        await world.alert("ann")
        assert writer._connection is not None
        writer._connection.close()
        writer._rolled_back = fails_on_the_first
        await world.alert("ann")
        assert failures == [1]


async def test_a_number_of_the_queue_is_not_given_out_again(url: str, tmp_path: Path) -> None:
    def fails(_: Connection) -> None:
        raise ConflictError("no")

    async with opened(url, tmp_path) as world:
        queue = world.store.queue
        await queue.publish([envelope("ann")])
        (leased,) = await queue.lease(limit=1, lease_s=60)
        await world.store.deliver([leased.envelope])
        assert isinstance(world.store, PostgresStore)
        with pytest.raises(ConflictError):  # after which all numbers are read anew
            await world.store._writer.run(fails)
        await queue.publish([envelope("bob")])
        await queue.ack([leased.receipt])
        assert (await queue.depth()).waiting == 1


async def test_while_the_server_is_away_nothing_is_stored_and_all_goes_on_afterwards(
    server: PostgresServer, url: str, tmp_path: Path
) -> None:
    async with opened(url, tmp_path) as world:
        queue = world.store.queue
        await queue.publish([envelope("ann")])
        server.stop(signal.SIGQUIT)  # a crash: it has to recover from its log
        try:
            with pytest.raises(UnavailableError, match="nothing was stored") as failed:
                await queue.publish([envelope("ann")])
            assert failed.value.retryable
            with pytest.raises(UnavailableError):
                await queue.depth()
        finally:
            server.start()
        await queue.publish([envelope("ann")])
        assert (await queue.depth()).waiting == 2
        assert len(await queue.lease(limit=9, lease_s=60)) == 2


async def test_a_commit_that_was_not_answered_has_an_unknown_outcome(
    url: str, tmp_path: Path
) -> None:
    async with opened(url, tmp_path) as world:
        queue = world.store.queue
        ask(
            url,
            "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_sleep(60); RETURN NULL; END';"
            "CREATE CONSTRAINT TRIGGER slowly AFTER INSERT ON queue"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slowly()",
        )
        told = [envelope("ann")]
        publishing = asyncio.ensure_future(queue.publish(told))
        await asyncio.to_thread(until_waits, url, "wait_event = 'PgSleep'")
        ask(url, DROP_ALL)
        with pytest.raises(UnknownOutcomeError, match="may have been done"):
            await publishing
        ask(url, "DROP TRIGGER slowly ON queue")
        await queue.publish(told)
        assert (await queue.depth()).waiting == 1


def until_waits(url: str, condition: str) -> None:
    """Wait until a session on this database waits as the condition says."""
    query = (
        f"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {condition}"
    )
    until(lambda: ask(url, query) != [(0,)], f"a session waits: {condition}", WAITS_S)


def write_two(go_on: threading.Event, tries: list[int]) -> Callable[[Connection], None]:
    """Write one row, which counts as a try, and after the event another."""
    write = "INSERT INTO probe VALUES (%(n)s, 1) ON CONFLICT (probe_no) DO UPDATE SET at_us = 2"

    def job(connection: Connection) -> None:
        connection.execute(write, {"n": 1})
        tries.append(1)
        go_on.wait(WAITS_S)
        connection.execute(write, {"n": 2})

    return job


async def test_a_deadlock_with_another_session_is_tried_again(url: str, tmp_path: Path) -> None:
    async with opened(url, tmp_path) as world:
        assert isinstance(world.store, PostgresStore)
        go_on, tries = threading.Event(), list[int]()
        ask(url, "INSERT INTO probe VALUES (1, 0), (2, 0)")
        with psycopg.connect(url) as other:
            other.execute(
                "SET LOCAL deadlock_timeout = '1min'"
            )  # so it is not the one that gives way
            other.execute("UPDATE probe SET at_us = 7 WHERE probe_no = 2")
            writing = asyncio.ensure_future(world.store._writer.run(write_two(go_on, tries)))
            await asyncio.to_thread(until, lambda: tries, "the first row is written", WAITS_S)
            blocked = asyncio.ensure_future(
                asyncio.to_thread(other.execute, "UPDATE probe SET at_us = 7 WHERE probe_no = 1")
            )
            await asyncio.to_thread(
                until_waits, url, "application_name = '' AND wait_event_type = 'Lock'"
            )
            go_on.set()
            await blocked
            other.commit()
        await writing
        assert len(tries) >= 2


async def test_a_serialisation_error_is_tried_again(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # READ COMMITTED has none; it is for whoever asks for more.
    isolation = "BEGIN ISOLATION LEVEL REPEATABLE READ"
    monkeypatch.setattr(PostgresDatabase, "begin_writing", isolation)
    async with opened(url, tmp_path) as world:
        assert isinstance(world.store, PostgresStore)
        go_on, tries = threading.Event(), list[int]()
        writing = asyncio.ensure_future(world.store._writer.run(write_two(go_on, tries)))
        await asyncio.to_thread(until, lambda: tries, "the first row is written", WAITS_S)
        ask(url, "INSERT INTO probe VALUES (2, 0)")  # which its snapshot has not
        go_on.set()
        await writing
        assert len(tries) == 2
        assert ask(url, "SELECT at_us FROM probe WHERE probe_no = 2") == [(2,)]


async def test_a_new_timeline_is_a_new_epoch(
    server: PostgresServer, url: str, tmp_path: Path
) -> None:
    async with opened(url, tmp_path) as world:
        await world.alert("ann")
        before = await world.at()
    server.recover()
    async with opened(url, tmp_path) as world:
        after = await world.at()
        assert after.epoch != before.epoch
        assert after.rev == before.rev
        assert await world.must_reload(before)
        assert not await world.must_reload(after)


async def test_a_restored_dump_is_a_new_epoch(
    server: PostgresServer, url: str, tmp_path: Path
) -> None:
    async with opened(url, tmp_path / "one") as world:
        one = await world.alert("ann")
        before = await world.at()
    dump, restored = tmp_path / "dump", server.create()
    run("pg_dump", "-Fc", "-f", dump, url)
    run("pg_restore", "-d", restored, dump)
    async with opened(restored, tmp_path / "two") as world:
        assert await world.listed() == [one]
        assert await world.must_reload(before)
        two = await world.alert("ann")
        assert await world.listed() == [two, one]
