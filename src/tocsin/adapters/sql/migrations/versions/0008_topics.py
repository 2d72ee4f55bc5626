"""Topics, who subscribes to them, and how far an alert to topics has come."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _make_topics() -> None:
    op.create_table(
        "topics",
        sa.Column("hub_no", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("subscribers", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("hub_no", "topic", name="pk_topics"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _make_subscriptions() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("hub_no", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("since_us", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("hub_no", "topic", "user", name="pk_subscriptions"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("subscriptions_user", "subscriptions", ["hub_no", "user", "topic", "since_us"])


def _make_expansions() -> None:
    op.create_table(
        "expansions",
        sa.Column("alert_no", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("alert_no", name="pk_expansions"),
        sqlite_strict=True,
    )


def upgrade() -> None:
    """Make the tables, and a lane of its own on the queue for what is expanded chunk by chunk."""
    _make_topics()
    _make_subscriptions()
    _make_expansions()
    for table in ("queue", "scheduled"):
        op.add_column(
            table, sa.Column("expands", _NUMBER, nullable=False, server_default=sa.text("0"))
        )
    op.drop_index("queue_due", "queue")
    op.create_index("queue_due", "queue", ["expands", "available_us", "seq"])
