"""Which process holds a lease, and what several processes number their rows by."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_NUMBERED = {
    "hub": ("hubs", "hub_no"),
    "user": ("heads", "user_no"),
    "alert": ("alerts", "alert_no"),
    "queue": ("queue", "seq"),
    "key": ("alert_keys", "key_no"),
}


def upgrade() -> None:
    """Add the columns, and where several processes may come, the counters, each behind the last number given out."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    for table in ("queue", "pushes"):
        op.add_column(table, sa.Column("leased_by", number, nullable=True))
        op.execute(f"UPDATE {table} SET leased_by = 0 WHERE leased_us IS NOT NULL")  # noqa: S608 -- names of ours
    if op.get_bind().dialect.name == "postgresql":
        held = sa.text("leased_us IS NOT NULL")
        op.create_index("queue_leased", "queue", ["leased_by"], postgresql_where=held)
        for kind, (table, column) in _NUMBERED.items():
            last = f"SELECT coalesce(max({column}), 0) FROM {table}"  # noqa: S608 -- as above
            op.execute(f"CREATE SEQUENCE {kind}_counter")
            op.execute(f"SELECT setval('{kind}_counter', ({last}) + 1, false)")
