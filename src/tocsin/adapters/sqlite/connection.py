"""Opening the file: one connection writes and checkpoints, the others only read.

SQLite before 3.51.3 can corrupt a WAL when two connections write or checkpoint at the same moment (fixed in 3.51.3, https://sqlite.org/releaselog/3_51_3.html), so
the writer does both, and readers never checkpoint.
"""

import sqlite3
from pathlib import Path

import structlog

WAL_RESET_FIXED = (3, 51, 3)
BUSY_TIMEOUT_MS = 5000
_COMMON = (
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
    "PRAGMA wal_autocheckpoint=0",
    "PRAGMA cache_size=-16384",
    "PRAGMA temp_store=MEMORY",
)
_WRITER = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA fullfsync=ON",  # macOS: fsync alone does not reach the disk; elsewhere it means nothing
    "PRAGMA checkpoint_fullfsync=ON",
    "PRAGMA foreign_keys=ON",
    "PRAGMA journal_size_limit=0",  # the log shrinks when it starts anew, so its size says what is in it
)
_READER = ("PRAGMA query_only=ON",)


def warn_if_old() -> None:
    """Log once per start that the linked SQLite has the WAL-reset fault."""
    if sqlite3.sqlite_version_info < WAL_RESET_FIXED:
        structlog.get_logger().warning(
            "sqlite.old",
            version=sqlite3.sqlite_version,
            wanted=".".join(map(str, WAL_RESET_FIXED)),
        )


def connect_writer(file: Path) -> sqlite3.Connection:
    """Open the connection that writes."""
    return _connect(file, _COMMON + _WRITER)


def connect_reader(file: Path) -> sqlite3.Connection:
    """Open a connection that cannot write."""
    return _connect(file, _COMMON + _READER)


def connect_observer(file: Path) -> sqlite3.Connection:
    """Open a file that another process may be writing: no write, no checkpoint.

    Where nobody has it open, SQLite makes an empty log beside it, and the next writer takes that away.
    """
    connection = sqlite3.connect(
        f"{file.absolute().as_uri()}?mode=ro",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    return connection


def _connect(file: Path, pragmas: tuple[str, ...]) -> sqlite3.Connection:
    connection = sqlite3.connect(
        file, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    for pragma in pragmas:
        connection.execute(pragma)
    return connection
