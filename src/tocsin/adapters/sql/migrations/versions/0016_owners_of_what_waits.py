"""Whose the scheduled and the dead alerts are, so that a producer and a hub can list their own."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Where an encoded envelope says it.
_PLACES = {"hub": 1, "key_id": 2, "accepted_us": 5}


def upgrade() -> None:
    """Add the columns, fill them from the payloads, and index them."""
    for table in ("scheduled", "dead_letters"):
        for column in (
            sa.Column("hub", sa.Text(), nullable=False, server_default=sa.text("''")),
            sa.Column("key_id", sa.Text(), nullable=False, server_default=sa.text("''")),
            sa.Column("accepted_us", _NUMBER, nullable=False, server_default=sa.text("0")),
        ):
            op.add_column(table, column)
        told = sa.table(table, sa.column("payload"), *map(sa.column, _PLACES))
        payload = sa.cast(told.c.payload, sa.Text)
        op.execute(
            told.update().values(
                {
                    name: sa.func.json_extract(payload, sa.literal_column(f"'$[{place}]'"))
                    for name, place in _PLACES.items()
                }
            )
        )
        op.create_index(f"{table}_hub", table, ["hub", "accepted_us", "id"])
        op.create_index(f"{table}_key", table, ["hub", "key_id", "accepted_us", "id"])
