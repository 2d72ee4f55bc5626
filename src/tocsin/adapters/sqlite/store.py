"""The embedded store: one SQLite file, one process, one writing thread."""

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tocsin.adapters.sql.store.base import SqlStore
from tocsin.adapters.sql.store.numbers import Numbers
from tocsin.adapters.sql.store.queue import void_leases
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.writer import Writer
from tocsin.adapters.sqlite.audit import sqlite_version
from tocsin.adapters.sqlite.connection import connect_writer, warn_if_old
from tocsin.adapters.sqlite.database import SqliteDatabase
from tocsin.adapters.sqlite.folder import SqliteFolder
from tocsin.adapters.sqlite.migrate import migrate
from tocsin.adapters.sqlite.vitals import durability
from tocsin.clock import Clock
from tocsin.ports.care import Finding
from tocsin.ports.limits import StoreLimits


class SqliteStore(SqlStore):
    """The store in one file.  Made by :meth:`open`; it holds the data folder until :meth:`close`."""

    def __init__(
        self,
        folder: SqliteFolder,
        connection: sqlite3.Connection,
        numbers: Numbers,
        clock: Clock,
        limits: StoreLimits,
    ) -> None:
        database = SqliteDatabase(folder.file)
        super().__init__(
            Writer(database, connection, numbers.recount),
            Readers(database),
            numbers,
            clock,
            limits,
            check_room=lambda: folder.check_room(limits.low_water_bytes),
        )
        self._folder = folder

    @classmethod
    async def open(cls, folder: Path, clock: Clock, limits: StoreLimits | None = None) -> Self:
        """Take the data folder, migrate its file, and start the writer.

        Raises:
            ConfigError: another process holds the folder, or a newer release wrote the file.
        """
        warn_if_old()
        held = await asyncio.to_thread(SqliteFolder, folder)
        try:
            connection, numbers = await asyncio.to_thread(_begin, held.file)
        except BaseException:
            held.release()
            raise
        return cls(held, connection, numbers, clock, limits or StoreLimits())

    async def close(self) -> None:
        """Finish what was begun, fold the log into the file, and let the folder go."""
        await super().close()
        self._folder.release()

    async def findings(self) -> Sequence[Finding]:
        """Tell whether what is answered is durable."""
        return [sqlite_version(), await self._writer.run(durability)]


def _begin(file: Path) -> tuple[sqlite3.Connection, Numbers]:
    """Bring the file up to date and count what is in it; leases of an earlier process are void."""
    migrate(file)
    connection = connect_writer(file)
    numbers = Numbers(connection)
    void_leases(connection, numbers)
    return connection, numbers
