"""Pushes that were given up, by the time of that; and by what name a device shows several alerts at once."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and the indexes, and have each push that shows name itself as what shows it."""
    op.add_column("pushes", sa.Column("tag", sa.Text(), nullable=True))
    op.execute("UPDATE pushes SET showing = push_no WHERE showing IS NOT NULL")
    dead = sa.text("kind = 'show' AND push_end IN ('rejected', 'expired')")
    for name, columns in (("pushes_dead", ["ended_us", "id"]), ("pushes_dead_id", ["id"])):
        op.create_index(name, "pushes", columns, sqlite_where=dead, postgresql_where=dead)
