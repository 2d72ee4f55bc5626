"""How often was changed what processes keep in memory."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    word = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "editions",
        sa.Column("kept", word, nullable=False),
        sa.Column("number", number, nullable=False),
        sa.PrimaryKeyConstraint("kept", name="pk_editions"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
