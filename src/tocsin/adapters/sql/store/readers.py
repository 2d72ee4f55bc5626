"""The few threads that read: each read is one transaction, so position and state are of one snapshot."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tocsin.adapters.sql.store.database import Connection, Database
from tocsin.errors import UnavailableError

T = TypeVar("T")
_THREADS = 3


class Readers:
    """A pool of connections that only read, one per thread, opened at first use."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._local = threading.local()
        self._open: set[Connection] = set()
        self._closed = False
        self._pool = ThreadPoolExecutor(_THREADS, "tocsin-reader")

    async def run(self, query: Callable[[Connection], T]) -> T:
        """Run a query in one read transaction.

        Raises:
            UnavailableError: the database could not be read, or the store is closed.
        """
        if self._closed:
            raise UnavailableError("the store is closed", code="store-closed")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, query)
        except self._database.errors as error:
            detail = f"the store could not be read: {error}"
            raise UnavailableError(detail, code="store-failed") from error

    async def close(self) -> None:
        """Wait for reads under way and close the connections."""
        self._closed = True
        await asyncio.to_thread(self._pool.shutdown)
        while self._open:
            self._open.pop().close()

    def _read(self, query: Callable[[Connection], T]) -> T:
        """Answer a query; a connection that was lost since its last use is made anew, once."""
        known: Connection | None = getattr(self._local, "connection", None)
        if known is not None:
            try:
                return self._answer(known, query)
            except self._database.errors as error:
                if not self._database.is_broken(known, error):
                    raise
                self._drop(known)
        return self._answer(self._connect(), query)

    def _answer(self, connection: Connection, query: Callable[[Connection], T]) -> T:
        connection.execute(self._database.begin_reading)
        try:
            return query(connection)
        finally:
            if self._database.in_transaction(connection):
                connection.execute("ROLLBACK")  # nothing was written; a COMMIT would hide an error

    def _connect(self) -> Connection:
        connection = self._database.connect_reader()
        self._local.connection = connection
        self._open.add(connection)
        return connection

    def _drop(self, connection: Connection) -> None:
        self._local.connection = None
        self._open.discard(connection)
        connection.close()
