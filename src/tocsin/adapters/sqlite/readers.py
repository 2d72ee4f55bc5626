"""The few threads that read: each read is one transaction, so position and state are of one snapshot."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from tocsin.adapters.sqlite.connection import connect_reader
from tocsin.errors import UnavailableError

T = TypeVar("T")
_THREADS = 3


class Readers:
    """A pool of read-only connections, one per thread, opened at first use."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._closed = False
        self._pool = ThreadPoolExecutor(_THREADS, "tocsin-reader")

    async def run(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run a query in one read transaction.

        Raises:
            UnavailableError: the file could not be read, or the store is closed.
        """
        if self._closed:
            raise UnavailableError("the store is closed", code="store-closed")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._read, query)
        except sqlite3.DatabaseError as error:
            detail = f"the store could not be read: {error}"
            raise UnavailableError(detail, code="store-failed") from error

    async def close(self) -> None:
        """Wait for reads under way and close the connections."""
        self._closed = True
        await asyncio.to_thread(self._pool.shutdown)
        while self._open:
            self._open.pop().close()

    def _read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection()
        connection.execute("BEGIN")
        try:
            return query(connection)
        finally:
            connection.execute("COMMIT")

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = connect_reader(self._file)
            self._open.append(connection)
        return connection
