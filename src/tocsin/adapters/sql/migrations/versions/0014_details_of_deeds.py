"""What else there is to know of a deed."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; deeds until now have no details."""
    op.add_column(
        "audit", sa.Column("detail", sa.Text(), nullable=False, server_default=sa.text("'{}'"))
    )
