"""Devices, what is pushed to them, and the keys it is signed with."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, _NUMBER, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def upgrade() -> None:
    """Add the tables."""
    _add_devices()
    _add_pushes()
    op.create_table(
        "push_spreads",
        _number("alert_no"),
        _number("hub_no"),
        _number("brev"),
        _number("after"),
        _number("made_us"),
        sa.PrimaryKeyConstraint("alert_no", name="pk_push_spreads"),
        sqlite_strict=True,
    )
    op.create_table(
        "vapid_keys",
        _text("id"),
        sa.Column("private_key", sa.LargeBinary(), nullable=False),
        _text("public_key"),
        _number("created_us"),
        _number("retired_us", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_vapid_keys"),
        sqlite_strict=True,
    )


def _add_devices() -> None:
    op.create_table(
        "devices",
        _number("device_no"),
        _number("hub_no"),
        _number("user_no"),
        _text("id"),
        _text("platform"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("channel", sa.LargeBinary(), nullable=False),
        _text("vapid_key", nullable=True),
        _text("tags"),
        _text("locale", nullable=True),
        _text("time_zone", nullable=True),
        _text("app_version", nullable=True),
        _number("created_us"),
        _number("registered_us"),
        _number("seen_us"),
        _number("last_success_us", nullable=True),
        _number("last_failure_us", nullable=True),
        _text("last_failure", nullable=True),
        _number("gone_us", nullable=True),
        _text("gone_reason", nullable=True),
        sa.PrimaryKeyConstraint("device_no", name="pk_devices"),
        sa.UniqueConstraint("user_no", "id", name="uq_devices_user_no_id"),
        sa.UniqueConstraint("hub_no", "digest", name="uq_devices_hub_no_digest"),
        sqlite_strict=True,
    )
    op.create_index("devices_hub", "devices", ["hub_no", "device_no"])
    _partial("devices_vapid", "devices", ["vapid_key"], "gone_us IS NULL")


def _add_pushes() -> None:
    op.create_table(
        "pushes",
        _number("push_no"),
        _text("id"),
        _number("alert_no"),
        _number("user_no"),
        _number("device_no"),
        _text("device"),
        _text("platform"),
        _text("kind"),
        _number("made_us"),
        _number("attempts"),
        _number("due_us", nullable=True),
        _number("leased_us", nullable=True),
        _text("push_end", nullable=True),
        _text("reason", nullable=True),
        _number("ended_us", nullable=True),
        sa.PrimaryKeyConstraint("push_no", name="pk_pushes"),
        sa.UniqueConstraint(
            "alert_no",
            "user_no",
            "device_no",
            "kind",
            name="uq_pushes_alert_no_user_no_device_no_kind",
        ),
        sqlite_strict=True,
    )
    _partial("pushes_due", "pushes", ["due_us", "push_no"], "due_us IS NOT NULL")
    _partial("pushes_of_device", "pushes", ["device_no"], "due_us IS NOT NULL")
    _partial("pushes_ended", "pushes", ["ended_us"], "ended_us IS NOT NULL")
    op.create_index("pushes_user", "pushes", ["user_no", "push_no"])
