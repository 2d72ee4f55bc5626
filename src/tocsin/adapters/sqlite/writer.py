"""The one thread that writes.

While one commit waits for its fsync, the next jobs gather; the thread then takes all of them into one transaction, each
under a savepoint, so that one fsync pays for many and a failed job rolls back alone.  A future resolves only after the
commit that covers it (I1).  There is no linger timer: an idle store commits a lone job at once.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import structlog

from tocsin.adapters.sqlite.connection import BUSY_TIMEOUT_MS, connect_writer
from tocsin.errors import TocsinError, UnavailableError, UnknownOutcomeError

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], Any]
_MAX_BATCH = 1024
_IDLE_S = 1.0
_DEADLINE_S = 30.0
_CHECKPOINT_BYTES = 4 * 1024 * 1024
_DISK_ERRORS = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})
_BROKEN = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_log = structlog.get_logger()


class _Waiting:
    """A job, the future that waits for it, and what came of it."""

    __slots__ = ("error", "future", "job", "result")

    def __init__(self, job: Job, future: asyncio.Future[Any]) -> None:
        self.job = job
        self.future = future
        self.result: Any = None
        self.error: Exception | None = None


class Writer:
    """Runs jobs on the writing connection, many to a commit.

    ``rolled_back`` is called in the thread, with the connection, after anything was rolled back: whoever counts rows in
    memory counts them anew.
    """

    def __init__(
        self,
        file: Path,
        connection: sqlite3.Connection,
        rolled_back: Callable[[sqlite3.Connection], None],
    ) -> None:
        self._file = file
        self._rolled_back = rolled_back
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._connection: sqlite3.Connection | None = connection
        self._wal = file.with_name(file.name + "-wal")
        self._thread = threading.Thread(target=self._work, name="tocsin-writer", daemon=True)
        self._closed = False
        self._thread.start()

    async def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job and return its result after the commit that covers it.

        Raises:
            UnavailableError: the disk did not take it; nothing of it was stored.
            UnknownOutcomeError: the disk failed at the commit, or gave no answer in time (I7); it may be stored.
        """
        if self._closed:
            raise UnavailableError("the store is closed", code="store-closed")
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Waiting(job, future))
        try:
            async with asyncio.timeout(_DEADLINE_S):
                return await future
        except TimeoutError:
            detail = f"the disk gave no answer within {_DEADLINE_S:.0f} s; repeat with the same id"
            raise UnknownOutcomeError(detail) from None

    async def close(self) -> None:
        """Commit what was begun, fold the log into the file, and end the thread."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        dirty = True
        while True:
            try:
                batch, last = self._gather(self._jobs.get(timeout=_IDLE_S))
            except Empty:
                if dirty:
                    self._checkpoint("TRUNCATE")
                dirty = False
                continue
            if batch:
                self._commit(batch)
                self._loop.call_soon_threadsafe(_resolve, batch)
                self._checkpoint_if_long()
                dirty = True
            if last:
                break
        self._checkpoint("TRUNCATE")
        self._disconnect()

    def _gather(self, first: _Waiting | None) -> tuple[list[_Waiting], bool]:
        """Return all that waits, up to a bound, and whether the end was among it."""
        batch: list[_Waiting] = []
        waiting = first
        while waiting is not None:
            batch.append(waiting)
            if len(batch) == _MAX_BATCH:
                return batch, False
            try:
                waiting = self._jobs.get_nowait()
            except Empty:
                return batch, False
        return batch, True

    def _commit(self, batch: list[_Waiting]) -> None:
        try:
            connection = self._connected()
            connection.execute("BEGIN IMMEDIATE")
            for waiting in batch:
                self._run(connection, waiting)
        except Exception as error:  # noqa: BLE001 - whatever it is, callers wait and the thread must live
            self._fail(batch, error, _refusal(error))
            return
        try:
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(batch, error, _failed_commit(error))

    def _run(self, connection: sqlite3.Connection, waiting: _Waiting) -> None:
        connection.execute("SAVEPOINT job")
        try:
            waiting.result = waiting.job(connection)
        except Exception as error:
            if isinstance(error, sqlite3.Error) and _primary(error) in _DISK_ERRORS | _BROKEN:
                raise
            waiting.error = error
            connection.execute("ROLLBACK TO job")
            self._rolled_back(connection)
        connection.execute("RELEASE job")

    def _fail(self, batch: list[_Waiting], error: Exception, told: TocsinError) -> None:
        """Roll the whole batch back; after an I/O error the connection is not trusted any more."""
        _log.error("sqlite.write_failed", error=str(error), jobs=len(batch))
        for waiting in batch:
            waiting.error = told
        connection = self._connection
        try:
            if connection is not None and connection.in_transaction:
                connection.execute("ROLLBACK")
            if connection is not None and _primary(error) not in _BROKEN:
                self._rolled_back(connection)
                return
        except sqlite3.Error as second:
            _log.error("sqlite.rollback_failed", error=str(second))
        self._disconnect()

    def _connected(self) -> sqlite3.Connection:
        """Return the connection; a new one is checked before anything is written through it."""
        if self._connection is None:
            connection = connect_writer(self._file)
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                connection.close()
                msg = f"quick_check says: {verdict}"
                raise sqlite3.DatabaseError(msg)
            self._rolled_back(connection)
            self._connection = connection
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _checkpoint_if_long(self) -> None:
        try:
            long = self._wal.stat().st_size > _CHECKPOINT_BYTES
        except OSError:
            return
        if long:
            self._checkpoint("PASSIVE")

    def _checkpoint(self, mode: str) -> None:
        """Fold the log into the file as far as readers allow; never wait for them, since writes wait behind."""
        if self._connection is None:
            return
        try:
            self._connection.execute("PRAGMA busy_timeout=0")
            self._connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
            self._connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        except sqlite3.Error as error:
            _log.warning("sqlite.checkpoint_failed", mode=mode, error=str(error))


def _primary(error: Exception) -> int:
    """Return the primary result code; 0 for errors that did not come from SQLite itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _refusal(error: Exception) -> TocsinError:
    """Say that nothing was stored, and why."""
    full = _primary(error) == sqlite3.SQLITE_FULL
    detail = f"the disk did not take it ({error}); nothing was stored"
    return UnavailableError(detail, code="disk-full" if full else "store-failed")


def _failed_commit(error: Exception) -> TocsinError:
    """Say what a failed commit means.

    When its fsync fails, its pages may still have reached the disk: a crash before the next commit could bring them back.
    """
    if _primary(error) != sqlite3.SQLITE_IOERR:
        return _refusal(error)
    detail = f"the disk failed at the commit ({error}); repeat with the same id"
    return UnknownOutcomeError(detail)


def _resolve(batch: list[_Waiting]) -> None:
    for waiting in batch:
        if waiting.future.done():
            continue
        if waiting.error is None:
            waiting.future.set_result(waiting.result)
        else:
            waiting.future.set_exception(waiting.error)
