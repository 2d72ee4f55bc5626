"""SQLite as the store's database: one file, its log folded in between commits, and what its result codes mean."""

import sqlite3
from pathlib import Path

import structlog

from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sqlite.connection import BUSY_TIMEOUT_MS, connect_reader, connect_writer
from tocsin.errors import TocsinError, UnavailableError, UnknownOutcomeError

_CHECKPOINT_BYTES = 4 * 1024 * 1024
_DISK_ERRORS = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})
_BROKEN = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_log = structlog.get_logger()


class SqliteDatabase:
    """One file."""

    begin_writing = "BEGIN IMMEDIATE"
    begin_reading = "BEGIN"
    errors: tuple[type[Exception], ...] = (sqlite3.Error,)

    def __init__(self, file: Path) -> None:
        self._file = file
        self._wal = file.with_name(file.name + "-wal")

    def connect_writer(self) -> Connection:
        """Open the file anew to write; it is checked before anything is written through it."""
        connection = connect_writer(self._file)
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            connection.close()
            msg = f"quick_check says: {verdict}"
            raise sqlite3.DatabaseError(msg)
        return connection

    def connect_reader(self) -> Connection:
        """Open the file to read."""
        return connect_reader(self._file)

    def in_transaction(self, connection: Connection) -> bool:
        """Whether there is something to roll back."""
        return bool(getattr(connection, "in_transaction", False))

    def fails_all(self, error: Exception) -> bool:
        """Whether the disk failed, or the file is damaged."""
        return isinstance(error, sqlite3.Error) and _primary(error) in _DISK_ERRORS | _BROKEN

    def passes(self, error: Exception) -> bool:  # noqa: ARG002 -- of other databases some do
        """Nobody else writes, so there is nothing that would pass."""
        return False

    def wait_no_more(self, connection: Connection) -> None:
        """Nobody else writes, so there is nobody to wait for."""

    def gives_way(self, error: Exception) -> bool:  # noqa: ARG002 -- as above
        """Nobody else writes, so there is nobody to meet."""
        return False

    def is_broken(self, connection: Connection, error: Exception) -> bool:  # noqa: ARG002 -- its error tells
        """Whether the file has to be looked at again: after an I/O error, or damage."""
        return _primary(error) in _BROKEN

    def refusal(self, error: Exception) -> TocsinError:
        """Say that nothing was stored, and why."""
        full = _primary(error) == sqlite3.SQLITE_FULL
        detail = f"the disk did not take it ({error}); nothing was stored"
        return UnavailableError(detail, code="disk-full" if full else "store-failed")

    def failed_commit(self, error: Exception) -> TocsinError:
        """Say what a failed commit means.

        When its fsync fails, its pages may still have reached the disk: a crash before the next commit could bring them
        back.
        """
        if _primary(error) != sqlite3.SQLITE_IOERR:
            return self.refusal(error)
        return UnknownOutcomeError(f"the disk failed at the commit ({error})")

    def after_commit(self, connection: Connection) -> None:
        """Fold a long log into the file."""
        try:
            long = self._wal.stat().st_size > _CHECKPOINT_BYTES
        except OSError:
            return
        if long:
            self._checkpoint(connection, "PASSIVE")

    def at_rest(self, connection: Connection) -> None:
        """Fold the log into the file, and shorten it."""
        self._checkpoint(connection, "TRUNCATE")

    def _checkpoint(self, connection: Connection, mode: str) -> None:
        """Fold the log into the file as far as readers allow; never wait for them, since writes wait behind."""
        connection.execute("PRAGMA busy_timeout=0")
        try:
            connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
        except sqlite3.Error as error:
            _log.warning("sqlite.checkpoint_failed", mode=mode, error=str(error))
        finally:
            connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")


def _primary(error: Exception) -> int:
    """Return the primary result code; 0 for errors that did not come from SQLite itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
