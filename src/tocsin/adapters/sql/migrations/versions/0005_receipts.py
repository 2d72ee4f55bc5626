"""What became of alerts: receipts, their counts for broadcasts, and which alert took whose place."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, _NUMBER, nullable=False)


def _serial(name: str) -> sa.Column[int]:
    return sa.Column(name, _NUMBER, nullable=False, autoincrement=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "receipts",
        _serial("hub_no"),
        _serial("number"),
        _number("alert_no"),
        _number("user_no"),
        _text("fact"),
        _text("action"),
        _text("device"),
        _number("at_us"),
        sa.PrimaryKeyConstraint("hub_no", "number", name="pk_receipts"),
        sa.UniqueConstraint(
            "alert_no",
            "user_no",
            "fact",
            "action",
            "device",
            name="uq_receipts_alert_no_user_no_fact_action_device",
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "receipt_numbers",
        _serial("hub_no"),
        _number("number"),
        sa.PrimaryKeyConstraint("hub_no", name="pk_receipt_numbers"),
        sqlite_strict=True,
    )
    op.create_table(
        "receipt_sketches",
        _serial("alert_no"),
        _text("fact"),
        _text("action"),
        sa.Column("sketch", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("alert_no", "fact", "action", name="pk_receipt_sketches"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "collapses",
        _serial("user_no"),
        _serial("alert_no"),
        _number("by_alert_no"),
        _number("at_us"),
        sa.PrimaryKeyConstraint("user_no", "alert_no", name="pk_collapses"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("collapses_alert", "collapses", ["alert_no"])
    op.create_index("collapses_by", "collapses", ["by_alert_no"])
