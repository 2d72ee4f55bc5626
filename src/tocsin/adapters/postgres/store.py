"""The store in a PostgreSQL database: one process, one writing session, readers on snapshots."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import psycopg

from tocsin.adapters.folder import DataFolder
from tocsin.adapters.postgres.connection import PostgresConnection
from tocsin.adapters.postgres.database import PostgresDatabase
from tocsin.adapters.postgres.holding import Holder
from tocsin.adapters.postgres.migrate import migrate
from tocsin.adapters.postgres.vitals import durability, server_version
from tocsin.adapters.sql.store.base import SqlStore
from tocsin.adapters.sql.store.numbers import Numbers
from tocsin.adapters.sql.store.queue import void_leases
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.writer import Writer
from tocsin.clock import Clock
from tocsin.errors import ConfigError
from tocsin.ports.care import Finding
from tocsin.ports.limits import StoreLimits

_PATIENCE_S = 10.0  # for the session of a process that was killed, until the server has noticed


class PostgresStore(SqlStore):
    """The store in one database.  Made by :meth:`open`; it holds the database and the data folder until :meth:`close`."""

    def __init__(
        self,
        folder: DataFolder,
        database: PostgresDatabase,
        connection: PostgresConnection,
        numbers: Numbers,
        clock: Clock,
        limits: StoreLimits,
    ) -> None:
        super().__init__(
            Writer(database, connection, numbers.reread),
            Readers(database),
            numbers,
            clock,
            limits,
            check_room=lambda: None,  # the disk is the server's, which says when it is full
        )
        self._folder = folder
        self._database = database

    @classmethod
    async def open(
        cls,
        url: str,
        folder: Path,
        clock: Clock,
        limits: StoreLimits | None = None,
        *,
        may_lose: bool = False,
    ) -> Self:
        """Take the database and the data folder, where the keys are, migrate, and start the writer.

        Raises:
            ConfigError: another process holds either, the server is away, too old or not durable, or a newer release wrote
                the schema.
        """
        holder = Holder(url, may_lose=may_lose)
        held = await asyncio.to_thread(DataFolder, folder)
        try:
            connection, numbers = await asyncio.to_thread(_begin, url, holder)
        except BaseException:
            held.release()
            raise
        database = PostgresDatabase(url, holder)
        return cls(held, database, connection, numbers, clock, limits or StoreLimits())

    async def close(self) -> None:
        """Finish what was begun, and let the database and the folder go."""
        await super().close()
        self._folder.release()

    async def findings(self) -> Sequence[Finding]:
        """Tell whether what is answered is durable."""
        return await self._writer.run(
            lambda c: [server_version(c), durability(c, may_lose=self._database.may_lose)]
        )


def _begin(url: str, holder: Holder) -> tuple[PostgresConnection, Numbers]:
    """Hold the database, bring it up to date and count what is in it; leases of an earlier process are void."""
    try:
        connection = holder.take(wait_s=_PATIENCE_S)
        try:
            _refuse_old(server_version(connection))
            migrate(url)
            void_leases(connection)
            return connection, Numbers(connection)
        except BaseException:
            connection.close()
            raise
    except psycopg.Error as error:
        detail = f"the database that store names cannot be opened: {str(error).strip()}"
        raise ConfigError(detail, code="store-unreachable") from error


def _refuse_old(version: Finding) -> None:
    if version.verdict != "ok":
        detail = f"PostgreSQL {version.detail}; {version.remedy}"
        raise ConfigError(detail, code="store-too-old")
