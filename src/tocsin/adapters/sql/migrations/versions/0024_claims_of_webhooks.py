"""Which process tells a webhook's receiver, and until when nobody else does."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; nobody holds anything yet."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    for name in ("leased_by", "lease_ends_us"):
        op.add_column("webhooks", sa.Column(name, number, nullable=True))
