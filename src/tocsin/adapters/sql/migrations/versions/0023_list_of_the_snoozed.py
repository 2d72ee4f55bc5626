"""What the list of snoozed items is read by."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    asleep = sa.text("deleted_at IS NULL AND archived_at IS NULL AND snoozed_until IS NOT NULL")
    op.create_index(
        "items_asleep",
        "items",
        ["user_no", "sort"],
        sqlite_where=asleep,
        postgresql_where=asleep,
    )
