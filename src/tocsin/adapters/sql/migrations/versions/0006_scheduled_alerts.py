"""Alerts that wait for their time, and what the others remember of it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table and the columns; no row is rewritten."""
    op.create_table(
        "scheduled",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("due_us", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_scheduled"),
        sqlite_strict=True,
    )
    op.create_index("scheduled_due", "scheduled", ["due_us", "id"])
    op.add_column("alerts", sa.Column("deliver_us", _NUMBER, nullable=True))
    op.add_column("alerts", sa.Column("expired_us", _NUMBER, nullable=True))
