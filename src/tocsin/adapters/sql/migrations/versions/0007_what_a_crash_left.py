"""What a crash leaves: a withdrawal to be finished, and alerts that were in hand."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table, with every withdrawal so far (any of them may have been cut), and the column."""
    op.create_table(
        "withdrawals",
        sa.Column("alert_no", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("after_user", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("alert_no", name="pk_withdrawals"),
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO withdrawals SELECT alert_no, 0 FROM alerts WHERE withdrawn_us IS NOT NULL"
    )
    op.add_column("queue", sa.Column("crashes", _NUMBER, nullable=True))
