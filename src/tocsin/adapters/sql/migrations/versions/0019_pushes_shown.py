"""What devices show, so that it can be taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the column and its index."""
    op.add_column("pushes", sa.Column("showing", _NUMBER, nullable=True))
    condition = sa.text("showing IS NOT NULL")
    op.create_index(
        "pushes_showing",
        "pushes",
        ["user_no", "push_no"],
        sqlite_where=condition,
        postgresql_where=condition,
    )
