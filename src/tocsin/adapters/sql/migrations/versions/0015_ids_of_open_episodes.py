"""Which producers' ids are remembered as long as their alert stands, and which of them are for that reason alone."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns; ids until now are remembered for the set time, as they were promised."""
    for name in ("keeps", "renewed"):
        op.add_column(
            "alert_keys", sa.Column(name, _NUMBER, nullable=False, server_default=sa.text("0"))
        )
    op.create_index(
        "alert_keys_renewed", "alert_keys", ["hub"], sqlite_where=sa.text("renewed = 1")
    )
