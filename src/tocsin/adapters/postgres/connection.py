"""Connecting: every wait has a bound (I7), numbers and bytes travel in binary, and nothing commits by itself."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Self

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import BytesBinaryDumper

from tocsin.adapters.postgres.columns import DUMPERS, many
from tocsin.adapters.postgres.text import text_of
from tocsin.adapters.sql.store.text import Statement

Row = tuple[Any, ...]

# What the URL does not say.  A server that is gone is noticed after 15 s; one that cannot be written is not taken.
_DEFAULTS: Mapping[str, str | int] = {
    "application_name": "tocsin",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "target_session_attrs": "read-write",
}
# The server lets go of a session whose client is gone as soon as that client gives up on it.
_SESSION = (
    "SET lock_timeout = '10s'",
    "SET idle_in_transaction_session_timeout = '60s'",
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
    "SET jit = off",  # compiling takes longer than any statement here
)
# A writer has no such bound: a commit that waits for a standby and is cancelled would look as if it had not waited.
_READER = "SET statement_timeout = '30s'"

# More than the store has statements: the driver would drop those that were not used for longest, and prepare them again.
_PREPARED = 1_000
# A plan that was made while a table was small goes through all of it, and statistics come with the server's own upkeep, a
# minute later.  New ones are made by the size that a table has by then; all that a session uses take 10 ms.
_PLANS_S = 2.0
_FORGET_PLANS = "DISCARD PLANS"


def bounded(url: str) -> str:
    """Return how to connect: as the URL says, and for what it does not say with waits that end, to a server that writes."""
    said = conninfo_to_dict(url)
    return make_conninfo(
        url, **{name: value for name, value in _DEFAULTS.items() if name not in said}
    )


class PostgresConnection:
    """A connection that takes the store's statements."""

    def __init__(self, raw: psycopg.Connection[Row]) -> None:
        self.raw = raw
        self._plans_until_s = 0.0

    @classmethod
    def open(cls, url: str, *, reads: bool = False) -> Self:
        """Connect.

        Raises:
            psycopg.Error: Nobody answers there, or the server does not let this user in.
        """
        raw = psycopg.connect(bounded(url), autocommit=True)
        raw.prepared_max = _PREPARED
        raw.adapters.register_dumper(int, Int8Dumper)
        raw.adapters.register_dumper(bytes, BytesBinaryDumper)
        for column, dumper in DUMPERS.items():
            raw.adapters.register_dumper(column, dumper)
        try:
            for setting in (*_SESSION, *((_READER,) if reads else ())):
                raw.execute(setting)
        except BaseException:
            raw.close()
            raise
        return cls(raw)

    def execute(self, statement: str, parameters: Mapping[str, Any] = {}, /) -> psycopg.Cursor[Row]:
        """Run a statement, its parameters given by name.

        Raises:
            psycopg.Error: The server refused it, or is gone; a COMMIT that only rolled back counts as refused.
        """
        if statement.startswith("BEGIN"):
            self._renew_plans()
        query = text_of(statement).encode()
        cursor = self.raw.execute(query, parameters or None, binary=True)
        if statement == "COMMIT" and cursor.statusmessage != statement:
            msg = "something in the transaction had failed, so it was rolled back"
            raise psycopg.errors.InFailedSqlTransaction(msg)
        return cursor

    def _renew_plans(self) -> None:
        now_s = time.monotonic()
        if now_s >= self._plans_until_s:
            self._plans_until_s = now_s + _PLANS_S
            self.raw.execute(_FORGET_PLANS)

    def executemany(
        self, statement: Statement, rows: Sequence[Mapping[str, Any]], /
    ) -> psycopg.Cursor[Row]:
        """Run a statement for each of the rows, which it does not meet twice: as one statement, if they are several.

        Raises:
            psycopg.Error: The server refused it, or is gone.
        """
        if not rows:
            return self.raw.cursor()
        if len(rows) == 1:
            return self.execute(statement, rows[0])
        every = many(statement)
        return self.raw.execute(every.query, every.columns(rows))

    @property
    def in_transaction(self) -> bool:
        """Whether there is something to roll back."""
        state = self.raw.info.transaction_status
        return state not in (TransactionStatus.IDLE, TransactionStatus.UNKNOWN)

    @property
    def lost(self) -> bool:
        """Whether the server is known to be gone."""
        return bool(self.raw.closed or self.raw.broken)

    def close(self) -> None:
        """Let it go; what is not committed is rolled back."""
        self.raw.close()
