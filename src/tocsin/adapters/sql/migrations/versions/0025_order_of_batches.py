"""Which alerts keep their order, and whose turn it is to hand over what a broker accepted."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both; what waits already has no batch."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    word = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.add_column("queue", sa.Column("batch", number, nullable=True))
    together = sa.text("batch IS NOT NULL")
    op.create_index(
        "queue_batch",
        "queue",
        ["batch", "seq"],
        sqlite_where=together,
        postgresql_where=together,
    )
    op.create_table(
        "turns",
        sa.Column("what", word, primary_key=True),
        *(sa.Column(name, number, nullable=False) for name in ("number", "holder", "until_us")),
        sqlite_strict=True,
    )
