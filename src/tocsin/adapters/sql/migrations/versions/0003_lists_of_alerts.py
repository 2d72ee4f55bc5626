"""What lists of a hub's or a producer's alerts are read by."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the indexes."""
    op.create_index("alerts_hub", "alerts", ["hub_no", "accepted_us", "id"])
    op.create_index("alerts_key", "alerts", ["hub_no", "key_id", "accepted_us", "id"])
