"""Holding the store: one process at a time works on a database, by a lock of its writing session.

Numbers and counts are kept in memory by the process that writes, so a second one would give out the same numbers.  The
server drops the lock when the session ends, however it ends.
"""

import time

import structlog

from tocsin.adapters.postgres.connection import PostgresConnection
from tocsin.adapters.postgres.vitals import durability
from tocsin.errors import ConfigError

_LOCK = 0x70C51_1  # an arbitrary number; locks of this kind are per database
_TAKE = "SELECT pg_try_advisory_lock(%(lock)s)"
_LOOK_AGAIN_S = 0.2
_log = structlog.get_logger()


class Holder:
    """Connects to write; ``may_lose`` says that commits need not be durable."""

    def __init__(self, url: str, *, may_lose: bool) -> None:
        self._url = url
        self.may_lose = may_lose

    def take(self, *, wait_s: float) -> PostgresConnection:
        """Connect and hold the store, waiting for another process to let go of it.

        Raises:
            ConfigError: Another process holds it, or a commit would not be durable and nobody allowed that.
            psycopg.Error: Nobody answers, or the user is not let in.
        """
        connection = PostgresConnection.open(self._url)
        try:
            self._lock(connection, wait_s)
            self._check(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _lock(self, connection: PostgresConnection, wait_s: float) -> None:
        until = time.monotonic() + wait_s
        while connection.execute(_TAKE, {"lock": _LOCK}).fetchone() != (True,):
            if time.monotonic() > until:
                detail = "another Tocsin process works on this database; stop that one first, or name another one"
                raise ConfigError(detail, code="store-locked")
            time.sleep(_LOOK_AGAIN_S)

    def _check(self, connection: PostgresConnection) -> None:
        finding = durability(connection, may_lose=self.may_lose)
        if finding.verdict == "fail":
            detail = f"PostgreSQL has {finding.detail}; {finding.remedy}"
            raise ConfigError(detail, code="store-not-durable")
        if finding.verdict == "warn":
            _log.warning("postgres.not_durable", detail=finding.detail, remedy=finding.remedy)
