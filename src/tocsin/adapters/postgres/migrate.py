"""Bringing the database's schema up to this release; of several processes that start at once one does it, and others wait.

An empty database is given the schema as it is declared.  Migrations are for one that an earlier release made.
"""

from typing import Any

import psycopg

from tocsin.adapters.postgres.connection import PostgresConnection, bounded
from tocsin.adapters.sql.migrations import FOLDER, HEAD
from tocsin.errors import ConfigError

_LOCK = 0x70C51_2  # as an arbitrary number as that of the store
# Another process's migration takes as long as there are rows to change, and not as long as a statement may wait.
_PATIENCE = "SET lock_timeout = '5min'"
_ONE_AT_A_TIME = "SELECT pg_advisory_lock(%(lock)s)"
_FOUND = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"


def migrate(url: str) -> None:
    """Make or migrate the schema, all of it or nothing; one that is current costs two queries.

    Raises:
        ConfigError: a newer release wrote it, there are tables of something else, or it could not be migrated.
    """
    connection = PostgresConnection.open(url)
    try:
        connection.execute(_PATIENCE)
        connection.execute(_ONE_AT_A_TIME, {"lock": _LOCK})
        _migrate(url, schema_version(connection), _tables(connection))
    finally:
        connection.close()


def _migrate(url: str, found: str | None, tables: set[str]) -> None:
    if found is None and tables:
        detail = f"the database has tables that are not Tocsin's ({', '.join(sorted(tables)[:3])}); give it an empty one"
        raise ConfigError(detail, code="migration-failed")
    if found != HEAD:
        _upgrade(url, found)


def schema_version(connection: PostgresConnection) -> str | None:
    """Return the revision of a database's schema; None if it has none."""
    if "alembic_version" not in _tables(connection):
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def _tables(connection: PostgresConnection) -> set[str]:
    return {row[0] for row in connection.execute(_FOUND)}


def _upgrade(url: str, found: str | None) -> None:
    # Loaded here, because a start with a current schema should not pay for it (half a second).
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415
    from sqlalchemy import create_engine  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    from tocsin.adapters.sql.schema import metadata  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        detail = f"the database has schema {found}, this release knows up to {HEAD}; run the newer release"
        raise ConfigError(detail, code="schema-newer")

    def connect() -> Any:  # noqa: ANN401 -- as SQLAlchemy has it
        return psycopg.connect(bounded(url))

    engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            if found is None:
                metadata.create_all(connection)
                command.stamp(config, HEAD)
            else:
                command.upgrade(config, "head")
    except DBAPIError as error:
        detail = f"the database could not be migrated, and is as it was: {error.orig}"
        raise ConfigError(detail, code="migration-failed") from error
