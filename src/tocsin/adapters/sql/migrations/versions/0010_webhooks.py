"""Webhooks, and what their receivers did not take."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, _NUMBER, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "webhooks",
        _text("id"),
        _text("hub"),
        _text("url"),
        _text("facts"),
        _text("key_id", nullable=True),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("former_secret", sa.LargeBinary(), nullable=True),
        _number("rotated_us"),
        _number("created_us"),
        _number("disabled_us", nullable=True),
        _text("disabled_reason", nullable=True),
        _number("cursor"),
        _number("up_to", nullable=True),
        _number("attempts"),
        _number("began_us"),
        _number("due_us"),
        _text("failure", nullable=True),
        _number("given_up"),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
        sqlite_strict=True,
    )
    op.create_index("webhooks_hub", "webhooks", ["hub", "created_us", "id"])
    op.create_index(
        "webhooks_due",
        "webhooks",
        ["due_us", "id"],
        sqlite_where=sa.text("disabled_us IS NULL"),
        postgresql_where=sa.text("disabled_us IS NULL"),
    )
    op.create_table(
        "dead_batches",
        _text("id"),
        _text("webhook_id"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        _number("receipts"),
        _number("attempts"),
        _text("reason"),
        _number("at_us"),
        sa.PrimaryKeyConstraint("id", name="pk_dead_batches"),
        sqlite_strict=True,
    )
    op.create_index("dead_batches_webhook", "dead_batches", ["webhook_id", "at_us", "id"])
