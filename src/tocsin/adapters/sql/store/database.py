"""A database as the store uses it: connections that take statements, and what differs from one kind to another.

``Connection`` is such a connection as it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from tocsin.adapters.sql.store.text import Statement
from tocsin.errors import TocsinError


class Cursor(Protocol):
    """What came of a statement."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""

    @property
    def description(self) -> Any:  # noqa: ANN401 -- the drivers' own
        """The columns, each a sequence that begins with its name."""

    def fetchone(self) -> Any:  # noqa: ANN401 -- a row
        """Return the next row, None after the last."""

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """Go over the rows that are left."""

    def close(self) -> None:
        """Drop the rows that are left."""


class Connection(Protocol):
    """One connection, in one thread at a time; it commits when it is told to."""

    def execute(self, statement: str, parameters: Mapping[str, Any] = ..., /) -> Cursor:
        """Run a statement, its parameters given by name; more of them than it has do no harm."""

    def executemany(self, statement: Statement, rows: Sequence[Mapping[str, Any]], /) -> Cursor:
        """Run a statement for each of the rows, which may be none; no two of them change the same row of a table."""

    def close(self) -> None:
        """Let it go; what is not committed is rolled back."""


class Database(Protocol):
    """One database: how it is connected to, how transactions begin, and what its errors mean."""

    begin_writing: str
    begin_reading: str  # one snapshot for all that is read
    errors: tuple[type[Exception], ...]

    def connect_writer(self) -> Connection:
        """Connect to write; the connection was looked at, and every commit on it is durable (I1).

        Raises:
            TocsinError: It is not; the detail says why.
            Exception: one of ``errors``: nobody can connect now.
        """

    def connect_reader(self) -> Connection:
        """Connect to read."""

    def in_transaction(self, connection: Connection) -> bool:
        """Whether there is something to roll back."""

    def fails_all(self, error: Exception) -> bool:
        """Whether an error of one job ends the whole transaction."""

    def passes(self, error: Exception) -> bool:
        """Whether the same transaction may succeed at once if it is run again."""

    def wait_no_more(self, connection: Connection) -> None:
        """Have the rest of this transaction wait for nobody else's: it holds something that others may wait for."""

    def gives_way(self, error: Exception) -> bool:
        """Whether a statement met another process: what it needs is held, or was just made, by somebody else."""

    def is_broken(self, connection: Connection, error: Exception) -> bool:
        """Whether a connection is not to be trusted after an error."""

    def refusal(self, error: Exception) -> TocsinError:
        """Say that nothing was stored, and why."""

    def failed_commit(self, error: Exception) -> TocsinError:
        """Say what a commit that failed means: refused, or unknown."""

    def after_commit(self, connection: Connection) -> None:
        """Do what is due between two transactions; never wait."""

    def at_rest(self, connection: Connection) -> None:
        """Do what is due when nothing was written for a while, and before the end."""
