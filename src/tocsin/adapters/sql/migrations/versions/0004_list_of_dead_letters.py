"""What the list of dead letters is read by."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("dead_letters_at", "dead_letters", ["at_us", "id"])
