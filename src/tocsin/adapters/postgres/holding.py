"""Holding the store: who works on a database, by locks of their writing sessions.

A process that hears nothing of others works alone: it takes the database's lock for itself.  Those that hear of each other
share it.  Each also keeps a lock of its own number, by which the others see that it is alive.  The server drops both when
the session ends, however it ends.
"""

import secrets
import time

import structlog

from tocsin.adapters.postgres.connection import PostgresConnection
from tocsin.adapters.postgres.vitals import durability
from tocsin.adapters.sql.differences import ALIVE_LOCKS
from tocsin.errors import ConfigError

_LOCK = 0x70C51_1  # an arbitrary number; locks of this kind are per database
_TAKE = "SELECT pg_try_advisory_lock(%(lock)s)"
_SHARE = "SELECT pg_try_advisory_lock_shared(%(lock)s)"
_LIVE = "SELECT pg_try_advisory_lock(%(kind)s::int, %(number)s::int)"
_LOOK_AGAIN_S = 0.2
_NUMBERS = 2**31 - 1
_log = structlog.get_logger()


class Holder:
    """Connects to write; ``shared`` says that others may too, ``may_lose`` that commits need not be durable."""

    def __init__(self, url: str, *, may_lose: bool, shared: bool) -> None:
        self._url = url
        self.may_lose = may_lose
        self.shared = shared
        self.number = 1 + secrets.randbelow(_NUMBERS)

    def take(self, *, wait_s: float) -> PostgresConnection:
        """Connect and hold the store, waiting for another process to let go of it.

        Raises:
            ConfigError: Another process holds it for itself, or beside others while this one wants it for itself; or a
                commit would not be durable and nobody allowed that.
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
        while not self._locked(connection):
            if time.monotonic() > until:
                detail = (
                    "another Tocsin process works on this database, and one of the two has its fan-out in memory; stop "
                    "that one first, name another database, or give both the same fan-out with TOCSIN_FANOUT"
                )
                raise ConfigError(detail, code="store-locked")
            time.sleep(_LOOK_AGAIN_S)

    def _locked(self, connection: PostgresConnection) -> bool:
        mine = {"kind": ALIVE_LOCKS, "number": self.number}
        return connection.execute(_SHARE if self.shared else _TAKE, {"lock": _LOCK}).fetchone() == (
            True,
        ) and connection.execute(_LIVE, mine).fetchone() == (True,)

    def _check(self, connection: PostgresConnection) -> None:
        finding = durability(connection, may_lose=self.may_lose)
        if finding.verdict == "fail":
            detail = f"PostgreSQL has {finding.detail}; {finding.remedy}"
            raise ConfigError(detail, code="store-not-durable")
        if finding.verdict == "warn":
            _log.warning("postgres.not_durable", detail=finding.detail, remedy=finding.remedy)
