"""Is the store sound?  Everything is looked at, in one read transaction, by a connection that cannot write."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from tocsin.adapters.sql import audit, schedule, waiting
from tocsin.adapters.sql.migrations import HEAD
from tocsin.adapters.sql.store.text import sql
from tocsin.adapters.sqlite.connection import WAL_RESET_FIXED, connect_observer
from tocsin.adapters.sqlite.migrate import schema_version
from tocsin.clock import US_PER_S, to_rfc3339
from tocsin.ports.care import Finding, Progress

_MISCOUNTED, _AHEAD = sql(audit.miscounted), sql(audit.ahead_of_head)
_WITHOUT_ALERT, _WITHOUT_HEAD = sql(audit.without_alert), sql(audit.without_head)
_LAST_PROCESSED, _LAST_SORTS = sql(audit.last_processed), sql(audit.last_sorts)
_COUNT_WAITING, _COUNT_DEAD = sql(waiting.count_waiting), sql(waiting.count_dead)
_COUNT_SCHEDULED = sql(schedule.count_all)
_SHOWN = 5
_STEPS = 200_000  # of SQLite's machine, between two signs of life
_AHEAD_US = 5 * US_PER_S
_RESTORE = "restore a backup (`tocsin restore`); keep this folder until that has worked"
_OLDEST_SQLITE = (3, 37, 0)  # strict tables


def audit_store(file: Path, now_us: int, progress: Progress) -> Iterator[Finding]:
    """Look at the library, the file, and what is in it; after damage nothing that builds on the damaged part."""
    yield sqlite_version()
    if not file.exists():
        remedy = "start `tocsin serve`, or name the right folder with --data-dir"
        yield Finding("store", "warn", f"there is no store at {file}", remedy)
        return
    try:
        connection = connect_observer(file)
        try:
            connection.execute("BEGIN")
            yield from _audit(connection, now_us, progress)
        finally:
            connection.close()
    except sqlite3.Error as error:
        yield Finding("store", "fail", f"{file} cannot be read: {error}", _RESTORE)


def sqlite_version() -> Finding:
    """Name the version this process is linked with, and what is known of it."""
    version, known = sqlite3.sqlite_version, sqlite3.sqlite_version_info
    if known < _OLDEST_SQLITE:
        return Finding("sqlite", "fail", f"{version} knows no strict tables", "use 3.37 or newer")
    if known < WAL_RESET_FIXED:
        detail = (
            f"{version} can damage a log when two connections write or checkpoint at the same moment; Tocsin uses one "
            "for both, so only another program on the file could set it off"
        )
        return Finding(
            "sqlite", "warn", detail, "use 3.51.3 or newer, and open the file with nothing else"
        )
    return Finding("sqlite", "ok", version)


def _audit(connection: sqlite3.Connection, now_us: int, progress: Progress) -> Iterator[Finding]:
    schema = schema_version(connection)
    yield _schema(schema)
    yield _journal(connection)
    connection.set_progress_handler(lambda: progress("checking every page", None), _STEPS)
    broken = _rows(connection, "PRAGMA integrity_check(5)")
    if broken != [("ok",)]:
        yield Finding("integrity", "fail", "; ".join(str(row[0]) for row in broken), _RESTORE)
        return
    yield Finding("integrity", "ok", "every page and index is as it should be")
    if schema != HEAD:
        return
    connection.set_progress_handler(lambda: progress("counting anew", None), _STEPS)
    yield _contents(connection)
    yield _counts(connection)
    yield _queue(connection)
    yield _times(connection, now_us)


def _rows(connection: sqlite3.Connection, query: str) -> list[tuple[object, ...]]:
    return connection.execute(query, {"limit": _SHOWN}).fetchall()


def _schema(schema: str | None) -> Finding:
    if schema == HEAD:
        return Finding("schema", "ok", f"{schema}, that of this release")
    if schema is not None and schema > HEAD:
        detail = f"{schema} was written by a newer release; this one knows up to {HEAD}"
        return Finding("schema", "fail", detail, "run that release, or restore a backup")
    detail = f"{schema or 'none'}; the next start brings it to {HEAD}"
    return Finding("schema", "warn", detail, "make a backup, then start the server")


def _journal(connection: sqlite3.Connection) -> Finding:
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    if mode == "wal":
        return Finding("journal", "ok", "wal")
    return Finding("journal", "warn", f"{mode}; the next start makes it wal", "start the server")


def _contents(connection: sqlite3.Connection) -> Finding:
    """Look for rows that lead nowhere, and for revisions that no head knows of (I3)."""
    faults: dict[str, Callable[[], list[tuple[object, ...]]]] = {
        "a foreign key leads nowhere": lambda: _rows(connection, "PRAGMA foreign_key_check"),
        "items without an alert": lambda: _rows(connection, _WITHOUT_ALERT),
        "items without a head": lambda: _rows(connection, _WITHOUT_HEAD),
        "items ahead of their head": lambda: _rows(connection, _AHEAD),
    }
    for name, find in faults.items():
        if found := find():
            return Finding("rows", "fail", f"{name}, e.g. {found[:_SHOWN]}", _RESTORE)
    return Finding("rows", "ok", "every row leads somewhere, and no item is ahead of its inbox")


def _counts(connection: sqlite3.Connection) -> Finding:
    """Compare what the heads say is unseen and unread with what is (I4)."""
    wrong = [
        f"{user!r} is said to have {unseen} unseen and {unread} unread, and has {is_unseen} and {is_unread}"
        for user, unseen, unread, is_unseen, is_unread in _rows(connection, _MISCOUNTED)
    ]
    if wrong:
        remedy = "please report this fault of Tocsin's; marking all as read sets the counts of an inbox right"
        return Finding("counts", "fail", "; ".join(wrong), remedy)
    return Finding("counts", "ok", "stored counts are those that counting anew gives")


def _queue(connection: sqlite3.Connection) -> Finding:
    waits, later, dead = (
        connection.execute(query).fetchone()[0]
        for query in (_COUNT_WAITING, _COUNT_SCHEDULED, _COUNT_DEAD)
    )
    detail = f"{waits} alerts wait, {later} have a time to come, {dead} are dead letters"
    if dead:
        return Finding(
            "queue", "warn", detail, "see why with `tocsin dead list`; then retry or drop them"
        )
    return Finding("queue", "ok", detail)


def _times(connection: sqlite3.Connection, now_us: int) -> Finding:
    """Look for stored times that are still to come: then a clock was, or is, wrong."""
    rows = [row for query in (_LAST_PROCESSED, _LAST_SORTS) for row in connection.execute(query)]
    last_us: int = max((row[0] for row in rows), default=0)
    if last_us > now_us + _AHEAD_US:
        detail = (
            f"the last stored time is {to_rfc3339(last_us)}, and it is {to_rfc3339(now_us)} now"
        )
        remedy = (
            "check this machine's clock; what comes next is ordered after that time all the same"
        )
        return Finding("stored times", "warn", detail, remedy)
    return Finding("stored times", "ok", "none is still to come")
