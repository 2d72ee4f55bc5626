"""Preferences of people and hubs."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables."""
    for table, whose in (("preferences", "user_no"), ("hub_preferences", "hub_no")):
        op.create_table(
            table,
            sa.Column(whose, _NUMBER, autoincrement=False, nullable=False),
            sa.Column("settings", sa.Text(), nullable=False),
            sa.Column("changed_us", _NUMBER, nullable=False),
            sa.PrimaryKeyConstraint(whose, name=f"pk_{table}"),
            sqlite_strict=True,
        )
