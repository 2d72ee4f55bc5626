"""PostgreSQL as the store's database: what several writers are to each other, and what the server's errors mean."""

import psycopg

from tocsin.adapters.postgres.connection import PostgresConnection
from tocsin.adapters.postgres.holding import Holder
from tocsin.adapters.sql import waiting
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.text import sql
from tocsin.errors import TocsinError, UnavailableError, UnknownOutcomeError

_DISK_FULL = "53100"
_READ_ONLY = "25006"  # it became a standby
# The classes of errors after which nobody knows what became of a commit: a lost connection, and an operator's intervention.
_UNKNOWN = ("08", "57")
_CONTENTION = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.UniqueViolation,
)
_TAKE_UP_AGAIN = sql(waiting.take_up_again)
_WAIT_NO_MORE = "SET LOCAL lock_timeout = '1ms'"  # the shortest there is


class PostgresDatabase:
    """One database of one server, or of whichever server of several is the primary."""

    begin_writing = "BEGIN ISOLATION LEVEL READ COMMITTED"
    begin_reading = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    errors: tuple[type[Exception], ...] = (psycopg.Error,)

    def __init__(self, url: str, holder: Holder) -> None:
        self._url = url
        self._holder = holder
        self.may_lose = holder.may_lose

    def connect_writer(self) -> Connection:
        """Connect anew, and hold the store again; what this process had leased before is due at once.

        A lease whose commit was not answered is known to nobody here, and would only wait for its end.  What is still being
        worked on may be leased a second time, and arrives once (I2).

        Raises:
            UnavailableError: Nobody answers, somebody else holds the store, or a commit would not be durable.
        """
        try:
            return self._taken_up(self._holder.take(wait_s=5))
        except (psycopg.Error, TocsinError) as error:
            detail = f"PostgreSQL cannot be written now ({error}); nothing was stored"
            raise UnavailableError(detail, code="store-failed") from error

    def _taken_up(self, connection: PostgresConnection) -> PostgresConnection:
        try:
            connection.execute(_TAKE_UP_AGAIN, {"holder": self._holder.number})
        except psycopg.Error:
            connection.close()
            raise
        return connection

    def connect_reader(self) -> Connection:
        """Connect to read."""
        return PostgresConnection.open(self._url, reads=True)

    def in_transaction(self, connection: Connection) -> bool:
        """Whether there is something to roll back."""
        return isinstance(connection, PostgresConnection) and connection.in_transaction

    def fails_all(self, error: Exception) -> bool:
        """Whether the server or the connection failed, and not a statement."""
        if isinstance(error, psycopg.errors.LockNotAvailable):
            return False
        kinds = psycopg.OperationalError | psycopg.InterfaceError | psycopg.InternalError
        return isinstance(error, kinds)

    def passes(self, error: Exception) -> bool:
        """Whether it was a deadlock, what somebody else wrote first, or a connection that the server had closed."""
        return isinstance(error, _CONTENTION) or _is_gone(error)

    def wait_no_more(self, connection: Connection) -> None:
        """Have statements fail that would wait for a lock, for the rest of the transaction."""
        connection.execute(_WAIT_NO_MORE)

    def gives_way(self, error: Exception) -> bool:
        """Whether another session holds a row that was to be locked, or made one with the same key."""
        met = psycopg.errors.LockNotAvailable | psycopg.errors.UniqueViolation
        return isinstance(error, met)

    def is_broken(self, connection: Connection, error: Exception) -> bool:
        """Whether to connect anew."""
        if isinstance(connection, PostgresConnection) and connection.lost:
            return True
        if isinstance(error, psycopg.errors.QueryCanceled):  # it took too long, and would again
            return False
        return _is_gone(error) or getattr(error, "sqlstate", None) == _READ_ONLY

    def refusal(self, error: Exception) -> TocsinError:
        """Say that nothing was stored, and why."""
        full = getattr(error, "sqlstate", None) == _DISK_FULL
        detail = f"PostgreSQL did not take it ({error}); nothing was stored"
        return UnavailableError(detail, code="disk-full" if full else "store-failed")

    def failed_commit(self, error: Exception) -> TocsinError:
        """Say what a failed commit means; one that was not answered may have been carried out."""
        if not _is_gone(error):
            return self.refusal(error)
        return UnknownOutcomeError(f"PostgreSQL did not answer the commit ({error})")

    def after_commit(self, connection: Connection) -> None:
        """The server does by itself what is due."""

    def at_rest(self, connection: Connection) -> None:
        """The server does by itself what is due."""


def _is_gone(error: Exception) -> bool:
    """Whether the server, or the way to it, ended; an error without a code is of the connection itself."""
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    return error.sqlstate is None or error.sqlstate.startswith(_UNKNOWN)
