"""Event handlers of hubs."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "event_handlers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("hub", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("user_events", sa.Text(), nullable=False),
        sa.Column("system_events", sa.Text(), nullable=False),
        sa.Column("authorization", sa.LargeBinary(), nullable=True),
        sa.Column("created_us", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event_handlers"),
        sqlite_strict=True,
    )
    op.create_index("event_handlers_order", "event_handlers", ["created_us", "id"])
