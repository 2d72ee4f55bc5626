"""The one thread that writes.

While one commit waits for the disk, the next jobs gather; the thread then takes all of them into one transaction, each
under a savepoint, so that one flush pays for many and a failed job rolls back alone.  A future resolves only after the
commit that covers it (I1).  There is no linger timer: an idle store commits a lone job at once.

Where other processes write too, only the first job of a transaction waits for what they hold: then nobody waits for this
one.  A later job that would have to wait is left for the next transaction, so groups of jobs never wait in a circle,
though each locks in an order of its own.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

import structlog

from tocsin.adapters.sql.store.database import Connection, Database
from tocsin.errors import TocsinError, UnavailableError, UnknownOutcomeError

T = TypeVar("T")
Job = Callable[[Connection], Any]
_MAX_BATCH = 1024
_IDLE_S = 1.0
_DEADLINE_S = 30.0
_PAUSE_S = 0.005
_TRIES = 5  # of one transaction that others on the database get in the way of
_log = structlog.get_logger()


class _Waiting:
    """A job, the future that waits for it, and what came of it."""

    __slots__ = ("error", "future", "job", "result")

    def __init__(self, job: Job, future: asyncio.Future[Any]) -> None:
        self.job = job
        self.future = future
        self.result: Any = None
        self.error: Exception | None = None


class _Failed(NamedTuple):
    """Why nothing was committed, what the callers of the first ``jobs`` are told, and whether to run them again at once."""

    error: Exception
    told: Exception
    passes: bool
    jobs: int


class Writer:
    """Runs jobs on the writing connection, many to a commit.

    ``rolled_back`` is called in the thread, with the connection, after anything was rolled back and on every new
    connection: whoever keeps in memory what is in rows reads it anew.
    """

    def __init__(
        self,
        database: Database,
        connection: Connection,
        rolled_back: Callable[[Connection], None],
    ) -> None:
        self._database = database
        self._rolled_back = rolled_back
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._connection: Connection | None = connection
        self._thread = threading.Thread(target=self._work, name="tocsin-writer", daemon=True)
        self._closed = False
        self._thread.start()

    async def run(self, job: Callable[[Connection], T]) -> T:
        """Run a job and return its result after the commit that covers it.

        Raises:
            UnavailableError: the database did not take it; nothing of it was stored.
            UnknownOutcomeError: the commit failed, or gave no answer in time (I7); it may be stored.
        """
        if self._closed:
            raise UnavailableError("the store is closed", code="store-closed")
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Waiting(job, future))
        try:
            async with asyncio.timeout(_DEADLINE_S):
                return await future
        except TimeoutError:
            cause = f"the disk gave no answer within {_DEADLINE_S:.0f} s"
            raise UnknownOutcomeError(cause) from None

    async def close(self) -> None:
        """Commit what was begun, leave the database at rest, and end the thread."""
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
                    self._rest()
                dirty = False
                continue
            if batch:
                self._commit(batch)
                if self._connection is not None:
                    self._database.after_commit(self._connection)
                dirty = True
            if last:
                break
        self._rest()
        self._disconnect()

    def _rest(self) -> None:
        if self._connection is not None:
            self._database.at_rest(self._connection)

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
        """Run a batch and commit it; what others are in the way of goes into another transaction, with all behind it."""
        while batch:
            done = self._commit_some(batch)
            self._loop.call_soon_threadsafe(_resolve, batch[:done])
            batch = batch[done:]

    def _commit_some(self, batch: list[_Waiting]) -> int:
        """Commit jobs from the first on; returns how many are done with.

        They are run again if they only met a transaction of somebody else's or a connection of before.
        """
        tries = 0
        while True:
            done = self._try(batch)
            if not isinstance(done, _Failed):
                return done
            self._undo(done)
            tries += 1
            if tries == _TRIES or not done.passes:
                for waiting in batch[: done.jobs]:
                    waiting.error = done.told
                return done.jobs
            time.sleep(_PAUSE_S * 2**tries)  # or the same two would meet again

    def _try(self, batch: list[_Waiting]) -> int | _Failed:
        """Commit jobs up to the first that others are in the way of; returns how many, or why none."""
        database, done = self._database, 0
        try:
            connection = self._connected()
            connection.execute(database.begin_writing)
            for waiting in batch:
                met = self._run(connection, waiting)
                if met is not None and done == 0:
                    passes = database.passes(met)
                    return _Failed(met, met if passes else database.refusal(met), passes, 1)
                if met is not None:
                    break
                done += 1
                if done == 1 < len(batch):
                    database.wait_no_more(connection)
        except Exception as error:  # noqa: BLE001 - whatever it is, callers wait and the thread must live
            told = error if isinstance(error, TocsinError) else database.refusal(error)
            return _Failed(error, told, database.passes(error), len(batch))
        try:
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - as above
            told = database.failed_commit(error)
            known = not isinstance(told, UnknownOutcomeError)
            return _Failed(error, told, known and database.passes(error), done)
        return done

    def _run(self, connection: Connection, waiting: _Waiting) -> Exception | None:
        """Run one job, which succeeds or fails; returns an error only if another process was in its way."""
        waiting.error = None
        connection.execute("SAVEPOINT job")
        met: Exception | None = None
        try:
            waiting.result = waiting.job(connection)
        except Exception as error:
            if self._database.fails_all(error):
                raise
            if self._database.gives_way(error):
                met = error
            else:
                waiting.error = error
            connection.execute("ROLLBACK TO job")
            self._rolled_back(connection)
        connection.execute("RELEASE job")
        return met

    def _undo(self, failed: _Failed) -> None:
        """Roll the whole transaction back; a connection that is not trusted any more is dropped."""
        error = failed.error
        tell = _log.warning if failed.passes else _log.error
        tell("store.write_failed", error=str(error), jobs=failed.jobs)
        connection = self._connection
        try:
            if connection is not None and self._database.in_transaction(connection):
                connection.execute("ROLLBACK")
            if connection is not None and not self._database.is_broken(connection, error):
                self._rolled_back(connection)
                return
        except Exception as second:  # noqa: BLE001 - whatever it is, the thread must live
            _log.error("store.rollback_failed", error=str(second))
        self._disconnect()

    def _connected(self) -> Connection:
        """Return the connection; what is known of the rows is read anew through a new one."""
        if self._connection is None:
            # Kept first: were the rows not to be read, it has to be let go of like any other.
            self._connection = self._database.connect_writer()
            self._rolled_back(self._connection)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _resolve(batch: list[_Waiting]) -> None:
    for waiting in batch:
        if waiting.future.done():
            continue
        if waiting.error is None:
            waiting.future.set_result(waiting.result)
        else:
            waiting.future.set_exception(waiting.error)
