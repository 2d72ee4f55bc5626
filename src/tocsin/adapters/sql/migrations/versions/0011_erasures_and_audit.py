"""Records of erasures, where the heads of new users begin, and the audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, _NUMBER, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def upgrade() -> None:
    """Add the column and the tables."""
    op.add_column(
        "hubs", sa.Column("rev_floor", _NUMBER, nullable=False, server_default=sa.text("0"))
    )
    op.create_table(
        "erasures",
        _text("id"),
        _text("hub"),
        _text("pseudonym"),
        _text("key_id"),
        _number("at_us"),
        _number("finished_us", nullable=True),
        _number("user_no", nullable=True),
        _text("user", nullable=True),
        _text("counts"),
        sa.PrimaryKeyConstraint("id", name="pk_erasures"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("erasures_hub", "erasures", ["hub", "id"])
    op.create_index(
        "erasures_open",
        "erasures",
        ["user"],
        sqlite_where=sa.text("user IS NOT NULL"),
        postgresql_where=sa.text("user IS NOT NULL"),
    )
    op.create_table(
        "audit",
        sa.Column("deed_no", _NUMBER, nullable=False),
        _text("hub"),
        _text("actor"),
        _text("actor_name"),
        _text("action"),
        _text("target"),
        _text("outcome"),
        _number("at_us"),
        sa.PrimaryKeyConstraint("deed_no", name="pk_audit"),
        sqlite_strict=True,
    )
    op.create_index("audit_hub", "audit", ["hub", "deed_no"])
