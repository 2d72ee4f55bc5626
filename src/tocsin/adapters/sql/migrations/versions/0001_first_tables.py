"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _make_access_keys() -> None:
    op.create_table(
        "access_keys",
        sa.Column("hub", sa.Text(), nullable=False),
        sa.Column("primary_key", sa.LargeBinary(), nullable=False),
        sa.Column("secondary_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hub", name="pk_access_keys"),
        sqlite_strict=True,
    )


def _make_alert_keys() -> None:
    op.create_table(
        "alert_keys",
        sa.Column("key_no", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("hub", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("producer_id", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("at_us", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("key_no", name="pk_alert_keys"),
        sa.UniqueConstraint(
            "hub",
            "key_id",
            "source",
            "producer_id",
            name="uq_alert_keys_hub_key_id_source_producer_id",
        ),
        sqlite_strict=True,
    )


def _make_alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("alert_no", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("hub_no", _NUMBER, nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("accepted_us", _NUMBER, nullable=False),
        sa.Column("processed_us", _NUMBER, nullable=False),
        sa.Column("recipients", _NUMBER, nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("alert_no", name="pk_alerts"),
        sa.UniqueConstraint("id", name="uq_alerts_id"),
        sqlite_strict=True,
    )


def _make_broadcasts() -> None:
    op.create_table(
        "broadcasts",
        sa.Column("hub_no", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("brev", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("alert_no", _NUMBER, nullable=False),
        sa.Column("sort", _NUMBER, nullable=False),
        sa.Column("expires_us", _NUMBER, nullable=False),
        sa.Column("withdrawn", _NUMBER, nullable=True),
        sa.PrimaryKeyConstraint("hub_no", "brev", name="pk_broadcasts"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("broadcasts_alert", "broadcasts", ["alert_no"])
    _partial("broadcasts_dead", "broadcasts", ["hub_no"], "withdrawn IS NOT NULL")
    _partial("broadcasts_expiring", "broadcasts", ["expires_us"], "withdrawn IS NULL")


def _make_dead_letters() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", _NUMBER, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at_us", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dead_letters"),
        sqlite_strict=True,
    )


def _make_hubs() -> None:
    op.create_table(
        "hubs",
        sa.Column("hub_no", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("brev", _NUMBER, nullable=False),
        sa.Column("last_sort", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("hub_no", name="pk_hubs"),
        sa.UniqueConstraint("name", name="uq_hubs_name"),
        sqlite_strict=True,
    )


def _make_items() -> None:
    op.create_table(
        "items",
        sa.Column("user_no", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("alert_no", _NUMBER, nullable=False),
        sa.Column("sort", _NUMBER, nullable=False),
        sa.Column("rev", _NUMBER, nullable=False),
        sa.Column("seen_at", _NUMBER, nullable=True),
        sa.Column("read_at", _NUMBER, nullable=True),
        sa.Column("unread_at", _NUMBER, nullable=True),
        sa.Column("archived_at", _NUMBER, nullable=True),
        sa.Column("deleted_at", _NUMBER, nullable=True),
        sa.Column("snoozed_until", _NUMBER, nullable=True),
        sa.Column("collapse_key", sa.Text(), nullable=True),
        sa.Column("expires_us", _NUMBER, nullable=True),
        sa.Column("deleted_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("user_no", "id", name="pk_items"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("items_alert", "items", ["alert_no"])
    _partial(
        "items_archived",
        "items",
        ["user_no", "sort"],
        "archived_at IS NOT NULL AND deleted_at IS NULL",
    )
    _partial(
        "items_collapse", "items", ["user_no", "collapse_key", "sort"], "collapse_key IS NOT NULL"
    )
    _partial("items_deleted", "items", ["deleted_at"], "deleted_at IS NOT NULL")
    _partial(
        "items_expiring", "items", ["expires_us"], "expires_us IS NOT NULL AND deleted_at IS NULL"
    )
    _partial(
        "items_listed",
        "items",
        ["user_no", "sort"],
        "deleted_at IS NULL AND archived_at IS NULL AND snoozed_until IS NULL",
    )
    op.create_index("items_rev", "items", ["user_no", "rev"])
    _partial(
        "items_snoozed",
        "items",
        ["snoozed_until"],
        "snoozed_until IS NOT NULL AND deleted_at IS NULL",
    )
    _partial("items_unread", "items", ["user_no", "sort"], "unread_at IS NOT NULL")


def _make_keys() -> None:
    op.create_table(
        "keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("hub", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_us", _NUMBER, nullable=False),
        sa.Column("revoked_us", _NUMBER, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_keys"),
        sqlite_strict=True,
    )


def _make_ops() -> None:
    op.create_table(
        "ops",
        sa.Column("op_no", _NUMBER, nullable=False),
        sa.Column("user_no", _NUMBER, nullable=False),
        sa.Column("op_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.LargeBinary(), nullable=False),
        sa.Column("at_us", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("op_no", name="pk_ops"),
        sa.UniqueConstraint("user_no", "op_id", name="uq_ops_user_no_op_id"),
        sqlite_strict=True,
    )


def _make_probe() -> None:
    op.create_table(
        "probe",
        sa.Column("probe_no", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("at_us", _NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("probe_no", name="pk_probe"),
        sqlite_strict=True,
    )


def _make_queue() -> None:
    op.create_table(
        "queue",
        sa.Column("seq", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", _NUMBER, nullable=False),
        sa.Column("available_us", _NUMBER, nullable=False),
        sa.Column("leased_us", _NUMBER, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name="pk_queue"),
        sa.UniqueConstraint("id", name="uq_queue_id"),
        sqlite_strict=True,
    )
    op.create_index("queue_due", "queue", ["available_us", "seq"])


def _make_states() -> None:
    op.create_table(
        "states",
        sa.Column("user_no", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("brev", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("hub_no", _NUMBER, nullable=False),
        sa.Column("rev", _NUMBER, nullable=False),
        sa.Column("sort", _NUMBER, nullable=True),
        sa.Column("seen_at", _NUMBER, nullable=True),
        sa.Column("read_at", _NUMBER, nullable=True),
        sa.Column("unread_at", _NUMBER, nullable=True),
        sa.Column("archived_at", _NUMBER, nullable=True),
        sa.Column("deleted_at", _NUMBER, nullable=True),
        sa.Column("snoozed_until", _NUMBER, nullable=True),
        sa.PrimaryKeyConstraint("user_no", "brev", name="pk_states"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("states_broadcast", "states", ["hub_no", "brev"])
    _partial(
        "states_snoozed",
        "states",
        ["snoozed_until"],
        "snoozed_until IS NOT NULL AND deleted_at IS NULL",
    )


def _make_heads() -> None:
    op.create_table(
        "heads",
        sa.Column("user_no", _NUMBER, nullable=False, autoincrement=False),
        sa.Column("hub_no", _NUMBER, nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("rev", _NUMBER, nullable=False),
        sa.Column("b_start", _NUMBER, nullable=False),
        sa.Column("last_sort", _NUMBER, nullable=False),
        sa.Column("floor", _NUMBER, nullable=False),
        sa.Column("seen_up_to", _NUMBER, nullable=False),
        sa.Column("read_up_to", _NUMBER, nullable=False),
        sa.Column("b_seen_up_to", _NUMBER, nullable=False),
        sa.Column("b_read_up_to", _NUMBER, nullable=False),
        sa.Column("unseen", _NUMBER, nullable=False),
        sa.Column("unread", _NUMBER, nullable=False),
        sa.ForeignKeyConstraint(["hub_no"], ["hubs.hub_no"]),
        sa.PrimaryKeyConstraint("user_no", name="pk_heads"),
        sa.UniqueConstraint("hub_no", "user", name="uq_heads_hub_no_user"),
        sqlite_strict=True,
    )


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(
        name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )


def upgrade() -> None:
    """Make every table."""
    _make_access_keys()
    _make_alert_keys()
    _make_alerts()
    _make_broadcasts()
    _make_dead_letters()
    _make_hubs()
    _make_items()
    _make_keys()
    _make_ops()
    _make_probe()
    _make_queue()
    _make_states()
    _make_heads()
