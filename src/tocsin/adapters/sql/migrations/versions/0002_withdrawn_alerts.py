"""When an alert was withdrawn."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the column; no row is rewritten."""
    op.add_column("alerts", sa.Column("withdrawn_us", _NUMBER, nullable=True))
