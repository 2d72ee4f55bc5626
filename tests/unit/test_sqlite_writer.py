"""The writing thread: many jobs to a commit, each rolled back alone, futures resolved after it."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tocsin.adapters.sql.store import writer as writing
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.writer import Writer
from tocsin.adapters.sqlite.connection import connect_reader, connect_writer
from tocsin.adapters.sqlite.database import SqliteDatabase
from tocsin.errors import ConflictError, UnavailableError, UnknownOutcomeError


class Counted:
    """A writer on a file of its own, and what it told about rollbacks."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.rollbacks = 0
        connection = connect_writer(file)
        connection.execute("CREATE TABLE facts (n INTEGER PRIMARY KEY) STRICT")
        self.writer = Writer(SqliteDatabase(file), connection, self._rolled_back)

    def _rolled_back(self, _: Connection) -> None:
        self.rollbacks += 1

    def kept(self) -> list[int]:
        """Return what another connection sees, that is, what is committed."""
        connection = connect_reader(self.file)
        try:
            return [row[0] for row in connection.execute("SELECT n FROM facts ORDER BY n")]
        finally:
            connection.close()


@pytest.fixture
async def counted(tmp_path: Path) -> AsyncIterator[Counted]:
    made = Counted(tmp_path / "test.db")
    yield made
    await made.writer.close()


def add(number: int) -> Callable[[Connection], int]:
    def job(connection: Connection) -> int:
        connection.execute("INSERT INTO facts VALUES (:n)", {"n": number})
        return number

    return job


async def held_back(writer: Writer) -> tuple[threading.Event, asyncio.Future[None]]:
    """Keep the thread busy with one job until the event is set, so that others gather behind it."""
    began, go_on = threading.Event(), threading.Event()

    def job(_: Connection) -> None:
        began.set()
        go_on.wait(60)

    blocked = asyncio.ensure_future(writer.run(job))
    await asyncio.to_thread(began.wait, 60)
    return go_on, blocked


async def test_a_result_comes_after_the_commit(counted: Counted) -> None:
    assert await counted.writer.run(add(1)) == 1
    assert counted.kept() == [1]


async def test_jobs_that_gather_share_a_commit(counted: Counted) -> None:
    go_on, blocked = await held_back(counted.writer)
    versions: list[int] = []

    def look(connection: Connection) -> None:
        assert isinstance(connection, sqlite3.Connection)
        versions.append(connection.total_changes)
        assert connection.in_transaction

    jobs = [asyncio.ensure_future(counted.writer.run(add(n))) for n in range(20)]
    last = asyncio.ensure_future(counted.writer.run(look))
    await asyncio.sleep(0)
    go_on.set()
    await blocked
    async with asyncio.timeout(60):
        assert [await job for job in jobs] == list(range(20))
        await last
    assert versions == [20]
    assert counted.kept() == list(range(20))


async def test_a_failed_job_rolls_back_alone(counted: Counted) -> None:
    go_on, blocked = await held_back(counted.writer)

    def half(connection: Connection) -> None:
        connection.execute("INSERT INTO facts VALUES (99)")
        raise ConflictError("no")

    before = asyncio.ensure_future(counted.writer.run(add(1)))
    failed = asyncio.ensure_future(counted.writer.run(half))
    after = asyncio.ensure_future(counted.writer.run(add(2)))
    await asyncio.sleep(0)
    go_on.set()
    await blocked
    assert (await before, await after) == (1, 2)
    with pytest.raises(ConflictError):
        await failed
    assert counted.kept() == [1, 2]
    assert counted.rollbacks == 1


async def test_a_statement_that_fails_is_told_to_its_own_caller(counted: Counted) -> None:
    await counted.writer.run(add(1))
    with pytest.raises(sqlite3.IntegrityError):
        await counted.writer.run(add(1))
    assert await counted.writer.run(add(2)) == 2


async def test_a_full_disk_fails_the_whole_commit(counted: Counted) -> None:
    go_on, blocked = await held_back(counted.writer)

    def full(_: Connection) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    others = [asyncio.ensure_future(counted.writer.run(add(n))) for n in range(3)]
    failed = asyncio.ensure_future(counted.writer.run(full))
    await asyncio.sleep(0)
    go_on.set()
    await blocked
    for job in (*others, failed):
        with pytest.raises(UnavailableError) as refused:
            await job
        assert refused.value.code == "disk-full"
    assert counted.kept() == []
    assert counted.rollbacks == 1
    assert await counted.writer.run(add(1)) == 1


async def test_a_caller_that_gave_up_does_not_disturb_the_others(counted: Counted) -> None:
    go_on, blocked = await held_back(counted.writer)
    gone = asyncio.ensure_future(counted.writer.run(add(1)))
    stays = asyncio.ensure_future(counted.writer.run(add(2)))
    await asyncio.sleep(0)
    gone.cancel()
    go_on.set()
    await blocked
    assert await stays == 2
    assert counted.kept() == [1, 2]


async def test_closing_finishes_what_was_begun(tmp_path: Path) -> None:
    counted = Counted(tmp_path / "test.db")
    jobs = [asyncio.ensure_future(counted.writer.run(add(n))) for n in range(5)]
    await asyncio.sleep(0)
    await counted.writer.close()
    assert [await job for job in jobs] == list(range(5))
    assert counted.kept() == list(range(5))
    with pytest.raises(UnavailableError):
        await counted.writer.run(add(9))
    await counted.writer.close()


async def test_the_log_is_folded_into_the_file_when_closed(tmp_path: Path) -> None:
    counted = Counted(tmp_path / "test.db")
    await counted.writer.run(add(1))
    await counted.writer.close()
    wal = tmp_path / "test.db-wal"
    assert not wal.exists() or wal.stat().st_size == 0


async def test_a_long_log_is_folded_in_between_batches(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    folded: list[str] = []
    kept = SqliteDatabase._checkpoint

    def checkpoint(database: SqliteDatabase, connection: Connection, mode: str) -> None:
        folded.append(mode)
        kept(database, connection, mode)

    monkeypatch.setattr(SqliteDatabase, "_checkpoint", checkpoint)
    monkeypatch.setattr("tocsin.adapters.sqlite.database._CHECKPOINT_BYTES", 100_000)
    for start in range(0, 20_000, 1000):
        jobs = [asyncio.ensure_future(counted.writer.run(add(start + n))) for n in range(1000)]
        await asyncio.wait(jobs)
    # Once folded in, the log starts anew: far fewer checkpoints than commits, of which there are 20 or more.
    assert 1 <= folded.count("PASSIVE") <= 10
    assert len(counted.kept()) == 20_000


class FsyncFails:
    """A connection whose next commit fails at its fsync."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, statement: str, *values: Any) -> Any:
        if statement == "COMMIT":
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error
        return self._connection.execute(statement, *values)


async def test_a_commit_that_fails_at_its_fsync_leaves_the_outcome_unknown(
    counted: Counted,
) -> None:
    writer = counted.writer
    writer._connection = FsyncFails(writer._connection)  # type: ignore[arg-type]
    with pytest.raises(UnknownOutcomeError, match="may have been done"):
        await writer.run(add(1))
    assert await writer.run(add(2)) == 2
    assert counted.kept() == [2]


async def test_a_disk_that_gives_no_answer_in_time_leaves_the_outcome_unknown(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, blocked = await held_back(counted.writer)
    monkeypatch.setattr(writing, "_DEADLINE_S", 0.01)
    with pytest.raises(UnknownOutcomeError, match="no answer"):
        await counted.writer.run(add(1))
    monkeypatch.undo()
    go_on.set()
    await blocked
    assert await counted.writer.run(add(2)) == 2
