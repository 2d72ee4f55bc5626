"""Bringing the file's schema up to this release, before anybody else opens it."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from tocsin.adapters.sql.migrations import FOLDER, HEAD
from tocsin.adapters.sqlite.connection import connect_writer
from tocsin.errors import ConfigError


def migrate(file: Path) -> None:
    """Make or migrate the schema, all of it or nothing; one that is current costs one query.

    Raises:
        ConfigError: the file was written by a newer release, is no SQLite database, or could not be migrated.
    """
    try:
        found = _revision(file)
        if found != HEAD:
            _upgrade(file, found)
    except sqlite3.DatabaseError as error:
        detail = f"{file} cannot be opened as a database: {error}; restore a backup"
        raise ConfigError(detail, code="store-unreadable") from error


def schema_version(connection: sqlite3.Connection) -> str | None:
    """Return the revision of a file's schema; None if it has none."""
    made = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
    ).fetchone()
    if made is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def _revision(file: Path) -> str | None:
    connection = connect_writer(file)
    try:
        return schema_version(connection)
    finally:
        connection.close()


def _upgrade(file: Path, found: str | None) -> None:
    # Loaded here, because a start with a current schema should not pay for it (half a second).
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415
    from sqlalchemy import create_engine  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    _refuse_newer(file, found, known)
    engine = create_engine("sqlite://", creator=lambda: connect_writer(file), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    except DBAPIError as error:
        detail = f"{file} could not be migrated, and is as it was: {error.orig}"
        raise ConfigError(detail, code="migration-failed") from error


def _refuse_newer(file: Path, found: str | None, known: Sequence[str]) -> None:
    if found is not None and found not in known:
        detail = (
            f"{file} has schema {found}, this release knows up to {HEAD}; "
            "run the newer release, or restore a backup made by this one"
        )
        raise ConfigError(detail, code="schema-newer")
