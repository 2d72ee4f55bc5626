"""The schema of an empty database, made as it is declared: migrations are for one that an earlier release made.

Nothing of Alembic is loaded for it, which would take longer (0.3 s) than all the rest of a first start.
"""

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, insert

from tocsin.adapters.sql.migrations import HEAD
from tocsin.adapters.sql.schema import metadata

# As Alembic makes it.
_version = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def make_schema(connection: Connection) -> None:
    """Make every table, in the transaction of the connection.

    Raises:
        sqlalchemy.exc.DBAPIError: There is a table of that name.
    """
    metadata.create_all(connection, checkfirst=False)
    _version.create(connection, checkfirst=False)
    connection.execute(insert(_version).values(version_num=HEAD))
