"""Up to when the tokens of a person are void."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "revocations",
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.Column("valid_from_us", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("pseudonym", name="pk_revocations"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
