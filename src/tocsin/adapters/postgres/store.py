"""The store in a PostgreSQL database: a writing session and reading ones on snapshots, in each of the processes on it."""

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
from tocsin.adapters.postgres.numbers import SharedNumbers
from tocsin.adapters.postgres.vitals import durability, server_version
from tocsin.adapters.sql.store.base import SqlStore
from tocsin.adapters.sql.store.peers import Peers
from tocsin.adapters.sql.store.queue import void_leases
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.writer import Writer
from tocsin.clock import Clock
from tocsin.errors import ConfigError
from tocsin.ports.care import Finding
from tocsin.ports.limits import StoreLimits

# So long what another process published, or left leased when it ended, may go unnoticed.
PUBLISH_S = 0.05
END_S = 5.0
_PATIENCE_S = 10.0  # for the session of a process that was killed, until the server has noticed


class PostgresStore(SqlStore):
    """The store in one database.  Made by :meth:`open`; it holds the database and the data folder until :meth:`close`."""

    def __init__(
        self,
        folder: DataFolder,
        database: PostgresDatabase,
        connection: PostgresConnection,
        numbers: SharedNumbers,
        peers: Peers,
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
            peers=peers,
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
        shared: bool = False,
    ) -> Self:
        """Take the database and the data folder, where the keys are, migrate, and start the writer.

        With ``shared`` other processes may work on the database too, each with a data folder of its own.

        Raises:
            ConfigError: another process holds either for itself, the server is away, too old or not durable, or a newer release wrote
                the schema.
        """
        holder = Holder(url, may_lose=may_lose, shared=shared)
        held = await asyncio.to_thread(DataFolder, folder)
        try:
            connection, numbers = await asyncio.to_thread(_begin, url, holder)
        except BaseException:
            held.release()
            raise
        database = PostgresDatabase(url, holder)
        peers = Peers(holder.number, PUBLISH_S, END_S) if shared else Peers(holder.number)
        return cls(held, database, connection, numbers, peers, clock, limits or StoreLimits())

    async def close(self) -> None:
        """Finish what was begun, and let the database and the folder go."""
        await super().close()
        self._folder.release()

    async def findings(self) -> Sequence[Finding]:
        """Tell whether what is answered is durable."""
        return await self._writer.run(
            lambda c: [server_version(c), durability(c, may_lose=self._database.may_lose)]
        )


def _begin(url: str, holder: Holder) -> tuple[PostgresConnection, SharedNumbers]:
    """Hold the database and bring it up to date; leases of processes that are gone are void."""
    try:
        connection = holder.take(wait_s=_PATIENCE_S)
        try:
            _refuse_old(server_version(connection))
            migrate(url)
            numbers = SharedNumbers(connection)
            void_leases(connection, numbers)
        except BaseException:
            connection.close()
            raise
        else:
            return connection, numbers
    except psycopg.Error as error:
        detail = f"the database that store names cannot be opened: {str(error).strip()}"
        raise ConfigError(detail, code="store-unreachable") from error


def _refuse_old(version: Finding) -> None:
    if version.verdict != "ok":
        detail = f"PostgreSQL {version.detail}; {version.remedy}"
        raise ConfigError(detail, code="store-too-old")
