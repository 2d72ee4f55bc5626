"""The tables, for every SQL store.

Contents are kept once per alert; an item row is a few numbers.  No index names a read or seen time, so marking touches no
index but that of revisions; the one exception is the small partial index over rows that were marked unread by hand,
which a bulk mark must find.  All times are microseconds since 1970.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    and_,
    literal_column,
    text,
)
from sqlalchemy.sql.schema import SchemaItem

metadata = MetaData(
    naming_convention={"uq": "uq_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"}
)

Number = BigInteger().with_variant(Integer, "sqlite")
# Compared as bytes, as ids are, whatever the locale of the database.
Word = Text().with_variant(Text(collation="C"), "postgresql")


# What several processes number their rows by; SQLite has none, since one process counts.
hub_counter, user_counter, alert_counter, queue_counter, key_counter = (
    Sequence(f"{name}_counter", metadata=metadata)
    for name in ("hub", "user", "alert", "queue", "key")
)


def _table(name: str, *parts: SchemaItem, rowid: bool = True) -> Table:
    return Table(name, metadata, *parts, sqlite_strict=True, sqlite_with_rowid=rowid)


def _number(name: str) -> Column[int]:
    return Column(name, Number, nullable=False)


def _perhaps(name: str) -> Column[int]:
    return Column(name, Number, nullable=True)


def _text(name: str) -> Column[str]:
    return Column(name, Word, nullable=False)


def _serial(name: str) -> Column[int]:
    return Column(name, Number, primary_key=True, autoincrement=False)


def _expands() -> Column[int]:
    """Whether the audience of an alert is found chunk by chunk."""
    return Column("expands", Number, nullable=False, server_default=text("0"))


def _owner_columns() -> tuple[Column[Any], ...]:
    """Whose an alert is that waits, and since when; rows of before these columns were filled when they came."""
    return (
        Column("hub", Word, nullable=False, server_default=text("''")),
        Column("key_id", Word, nullable=False, server_default=text("''")),
        Column("accepted_us", Number, nullable=False, server_default=text("0")),
    )


def _owner_indexes(table: Table) -> None:
    """A hub's or a key's own, by acceptance."""
    hub, key_id, rest = table.c.hub, table.c.key_id, (table.c.accepted_us, table.c.id)
    Index(f"{table.name}_hub", hub, *rest)
    Index(f"{table.name}_key", hub, key_id, *rest)


def _mark_columns() -> tuple[Column[int], ...]:
    names = ("seen_at", "read_at", "unread_at", "archived_at", "deleted_at", "snoozed_until")
    return tuple(_perhaps(name) for name in names)


hubs = _table(
    "hubs",
    _serial("hub_no"),
    _text("name"),
    _text("epoch"),
    _number("brev"),
    _number("last_sort"),
    # Where the revisions of new users begin: above those of everybody who was erased.
    Column("rev_floor", Number, nullable=False, server_default=text("0")),
    UniqueConstraint("name"),
)

heads = _table(
    "heads",
    _serial("user_no"),
    Column("hub_no", Number, ForeignKey(hubs.c.hub_no), nullable=False),
    _text("user"),
    _number("rev"),
    _number("b_start"),
    _number("last_sort"),
    _number("floor"),
    _number("seen_up_to"),
    _number("read_up_to"),
    _number("b_seen_up_to"),
    _number("b_read_up_to"),
    _number("unseen"),
    _number("unread"),
    UniqueConstraint("hub_no", "user"),
)

alerts = _table(
    "alerts",
    _serial("alert_no"),
    _text("id"),
    _number("hub_no"),
    _text("key_id"),
    _number("accepted_us"),
    _perhaps("deliver_us"),
    _number("processed_us"),
    _perhaps("recipients"),
    Column("category", Word),
    _text("severity"),
    Column("content", LargeBinary, nullable=False),
    _perhaps("withdrawn_us"),
    _perhaps("expired_us"),
    UniqueConstraint("id"),
)
Index("alerts_hub", alerts.c.hub_no, alerts.c.accepted_us, alerts.c.id)
Index("alerts_key", alerts.c.hub_no, alerts.c.key_id, alerts.c.accepted_us, alerts.c.id)

# A withdrawal that is not finished: the inboxes of users up to ``after_user`` are done.
withdrawals = _table("withdrawals", _serial("alert_no"), _number("after_user"))

items = _table(
    "items",
    Column("user_no", Number, primary_key=True, autoincrement=False),
    Column("id", Word, primary_key=True),
    _number("alert_no"),
    _number("sort"),
    _number("rev"),
    *_mark_columns(),
    Column("collapse_key", Word),
    _perhaps("expires_us"),
    Column("deleted_by", Word),
    rowid=False,
)

_listed = and_(
    items.c.deleted_at.is_(None), items.c.archived_at.is_(None), items.c.snoozed_until.is_(None)
)


def _partial(name: str, *columns: Column[Any], where: object) -> Index:
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


Index("items_rev", items.c.user_no, items.c.rev)
Index("items_alert", items.c.alert_no)
_partial("items_listed", items.c.user_no, items.c.sort, where=_listed)
_partial(
    "items_archived",
    items.c.user_no,
    items.c.sort,
    where=and_(items.c.archived_at.is_not(None), items.c.deleted_at.is_(None)),
)
_partial(
    "items_asleep",
    items.c.user_no,
    items.c.sort,
    where=and_(
        items.c.deleted_at.is_(None),
        items.c.archived_at.is_(None),
        items.c.snoozed_until.is_not(None),
    ),
)
_partial("items_unread", items.c.user_no, items.c.sort, where=items.c.unread_at.is_not(None))
_partial(
    "items_collapse",
    items.c.user_no,
    items.c.collapse_key,
    items.c.sort,
    where=items.c.collapse_key.is_not(None),
)
_partial(
    "items_snoozed",
    items.c.snoozed_until,
    where=and_(items.c.snoozed_until.is_not(None), items.c.deleted_at.is_(None)),
)
_partial(
    "items_expiring",
    items.c.expires_us,
    where=and_(items.c.expires_us.is_not(None), items.c.deleted_at.is_(None)),
)
_partial("items_deleted", items.c.deleted_at, where=items.c.deleted_at.is_not(None))

broadcasts = _table(
    "broadcasts",
    Column("hub_no", Number, primary_key=True, autoincrement=False),
    Column("brev", Number, primary_key=True, autoincrement=False),
    _number("alert_no"),
    _number("sort"),
    _number("expires_us"),
    _perhaps("withdrawn"),
    rowid=False,
)
_live = broadcasts.c.withdrawn.is_(None)
_partial("broadcasts_expiring", broadcasts.c.expires_us, where=_live)
_partial("broadcasts_dead", broadcasts.c.hub_no, where=broadcasts.c.withdrawn.is_not(None))
Index("broadcasts_alert", broadcasts.c.alert_no)

states = _table(
    "states",
    Column("user_no", Number, primary_key=True, autoincrement=False),
    Column("brev", Number, primary_key=True, autoincrement=False),
    _number("hub_no"),
    _number("rev"),
    _perhaps("sort"),
    *_mark_columns(),
    rowid=False,
)
Index("states_broadcast", states.c.hub_no, states.c.brev)
_partial(
    "states_snoozed",
    states.c.snoozed_until,
    where=and_(states.c.snoozed_until.is_not(None), states.c.deleted_at.is_(None)),
)

ops = _table(
    "ops",
    Column("op_no", Number, primary_key=True),
    _number("user_no"),
    _text("op_id"),
    Column("outcome", LargeBinary, nullable=False),
    _number("at_us"),
    UniqueConstraint("user_no", "op_id"),
)

topics = _table(
    "topics",
    Column("hub_no", Number, primary_key=True, autoincrement=False),
    Column("topic", Word, primary_key=True),
    _number("subscribers"),
    rowid=False,
)

subscriptions = _table(
    "subscriptions",
    Column("hub_no", Number, primary_key=True, autoincrement=False),
    Column("topic", Word, primary_key=True),
    Column("user", Word, primary_key=True),
    _number("since_us"),
    rowid=False,
)
# It has all columns, or the planner would take the primary key, and walk every topic for one user.
Index(
    "subscriptions_user",
    subscriptions.c.hub_no,
    subscriptions.c.user,
    subscriptions.c.topic,
    subscriptions.c.since_us,
)

# How far an alert to topics has come: everybody up to ``after`` has it.  No row: it is not begun, or done.
expansions = _table("expansions", _serial("alert_no"), _text("after"))

queue = _table(
    "queue",
    _serial("seq"),
    _text("id"),
    Column("payload", LargeBinary, nullable=False),
    _number("attempts"),
    _number("available_us"),
    _perhaps("leased_us"),
    Column("last_error", Word),
    _perhaps("crashes"),
    _expands(),
    _perhaps("leased_by"),
    _perhaps("batch"),
    UniqueConstraint("id"),
)
# What of a batch is on the queue, in its order.
_partial("queue_batch", queue.c.batch, queue.c.seq, where=queue.c.batch.is_not(None))
Index("queue_due", queue.c.expands, queue.c.available_us, queue.c.seq)
# Where several processes share a database, each looks for what another one left when it ended.
_partial("queue_leased", queue.c.leased_by, where=queue.c.leased_us.is_not(None)).ddl_if(
    dialect="postgresql"
)

# Whose turn it is to do what one process does at a time; ``number`` grows whenever it passes on.
turns = _table(
    "turns",
    Column("what", Word, primary_key=True),
    _number("number"),
    _number("holder"),
    _number("until_us"),
)

scheduled = _table(
    "scheduled",
    Column("id", Word, primary_key=True),
    Column("payload", LargeBinary, nullable=False),
    _number("due_us"),
    _expands(),
    *_owner_columns(),
)
Index("scheduled_due", scheduled.c.due_us, scheduled.c.id)
_owner_indexes(scheduled)

alert_keys = _table(
    "alert_keys",
    _serial("key_no"),
    _text("hub"),
    _text("key_id"),
    _text("source"),
    _text("producer_id"),
    _text("alert_id"),
    Column("fingerprint", LargeBinary, nullable=False),
    _number("at_us"),
    # Whether it is remembered as long as its alert stands, and whether it is by now for that reason alone.
    Column("keeps", Number, nullable=False, server_default=text("0")),
    Column("renewed", Number, nullable=False, server_default=text("0")),
    UniqueConstraint("hub", "key_id", "source", "producer_id"),
)
_partial("alert_keys_renewed", alert_keys.c.hub, where=text("renewed = 1"))

dead_letters = _table(
    "dead_letters",
    Column("id", Word, primary_key=True),
    Column("payload", LargeBinary, nullable=False),
    _number("attempts"),
    _text("reason"),
    _number("at_us"),
    *_owner_columns(),
)
Index("dead_letters_at", dead_letters.c.at_us, dead_letters.c.id)
_owner_indexes(dead_letters)

keys = _table(
    "keys",
    Column("id", Word, primary_key=True),
    _text("hub"),
    _text("role"),
    _text("name"),
    Column("digest", LargeBinary, nullable=False),
    _number("created_us"),
    _perhaps("revoked_us"),
)

access_keys = _table(
    "access_keys",
    Column("hub", Word, primary_key=True),
    Column("primary_key", LargeBinary, nullable=False),
    Column("secondary_key", LargeBinary, nullable=False),
)

# What "" stands for in an action or device: none.
receipts = _table(
    "receipts",
    Column("hub_no", Number, primary_key=True, autoincrement=False),
    Column("number", Number, primary_key=True, autoincrement=False),
    _number("alert_no"),
    _number("user_no"),
    _text("fact"),
    _text("action"),
    _text("device"),
    _number("at_us"),
    UniqueConstraint("alert_no", "user_no", "fact", "action", "device"),
    rowid=False,
)

receipt_numbers = _table("receipt_numbers", _serial("hub_no"), _number("number"))

receipt_sketches = _table(
    "receipt_sketches",
    Column("alert_no", Number, primary_key=True, autoincrement=False),
    Column("fact", Word, primary_key=True),
    Column("action", Word, primary_key=True),
    Column("sketch", LargeBinary, nullable=False),
    rowid=False,
)

# Which alert took the place of which in whose inbox.
collapses = _table(
    "collapses",
    Column("user_no", Number, primary_key=True, autoincrement=False),
    Column("alert_no", Number, primary_key=True, autoincrement=False),
    _number("by_alert_no"),
    _number("at_us"),
    rowid=False,
)
Index("collapses_alert", collapses.c.alert_no)
Index("collapses_by", collapses.c.by_alert_no)

# Tokens of a person issued up to this time, itself included, are void.
revocations = _table(
    "revocations",
    Column("pseudonym", Word, primary_key=True),
    _number("valid_from_us"),
    rowid=False,
)

webhooks = _table(
    "webhooks",
    Column("id", Word, primary_key=True),
    _text("hub"),
    _text("url"),
    _text("facts"),
    Column("key_id", Word),
    Column("secret", LargeBinary, nullable=False),
    Column("former_secret", LargeBinary),
    _number("rotated_us"),
    _number("created_us"),
    _perhaps("disabled_us"),
    Column("disabled_reason", Word),
    _number("cursor"),
    _perhaps("up_to"),
    _number("attempts"),
    _number("began_us"),
    _number("due_us"),
    Column("failure", Word),
    _number("given_up"),
    _perhaps("leased_by"),
    _perhaps("lease_ends_us"),
)
Index("webhooks_hub", webhooks.c.hub, webhooks.c.created_us, webhooks.c.id)
_partial("webhooks_due", webhooks.c.due_us, webhooks.c.id, where=webhooks.c.disabled_us.is_(None))

# What a webhook's receiver did not take.
dead_batches = _table(
    "dead_batches",
    Column("id", Word, primary_key=True),
    _text("webhook_id"),
    Column("body", LargeBinary, nullable=False),
    _number("receipts"),
    _number("attempts"),
    _text("reason"),
    _number("at_us"),
)
Index("dead_batches_webhook", dead_batches.c.webhook_id, dead_batches.c.at_us, dead_batches.c.id)

event_handlers = _table(
    "event_handlers",
    Column("id", Word, primary_key=True),
    _text("hub"),
    _text("url"),
    _text("user_events"),
    _text("system_events"),
    Column("authorization", LargeBinary),
    _number("created_us"),
)
Index("event_handlers_order", event_handlers.c.created_us, event_handlers.c.id)

# The record of an erasure; ``user`` and ``user_no`` only while it is not finished.
erasures = _table(
    "erasures",
    Column("id", Word, primary_key=True),
    _text("hub"),
    _text("pseudonym"),
    _text("key_id"),
    _number("at_us"),
    _perhaps("finished_us"),
    _perhaps("user_no"),
    Column("user", Word),
    _text("counts"),
    rowid=False,
)
Index("erasures_hub", erasures.c.hub, erasures.c.id)
_partial("erasures_open", erasures.c.user, where=erasures.c.user.is_not(None))

audit = _table(
    "audit",
    Column("deed_no", Number, primary_key=True),
    _text("hub"),
    _text("actor"),
    _text("actor_name"),
    _text("action"),
    _text("target"),
    _text("outcome"),
    _number("at_us"),
    Column("detail", Word, nullable=False, server_default=text("'{}'")),
)
Index("audit_hub", audit.c.hub, audit.c.deed_no)

# What people and hubs prefer, as JSON (``model/preference.py``).
preferences = _table(
    "preferences",
    Column("user_no", Number, primary_key=True, autoincrement=False),
    _text("settings"),
    _number("changed_us"),
)

hub_preferences = _table(
    "hub_preferences",
    Column("hub_no", Number, primary_key=True, autoincrement=False),
    _text("settings"),
    _number("changed_us"),
)

devices = _table(
    "devices",
    Column("device_no", Number, primary_key=True),
    _number("hub_no"),
    _number("user_no"),
    _text("id"),
    _text("platform"),
    Column("digest", LargeBinary, nullable=False),
    Column("channel", LargeBinary, nullable=False),
    Column("vapid_key", Word),
    _text("tags"),
    Column("locale", Word),
    Column("time_zone", Word),
    Column("app_version", Word),
    _number("created_us"),
    _number("registered_us"),
    _number("seen_us"),
    _perhaps("last_success_us"),
    _perhaps("last_failure_us"),
    Column("last_failure", Word),
    _perhaps("gone_us"),
    Column("gone_reason", Word),
    UniqueConstraint("user_no", "id"),
    UniqueConstraint("hub_no", "digest"),
)
Index("devices_hub", devices.c.hub_no, devices.c.device_no)
_partial("devices_vapid", devices.c.vapid_key, where=devices.c.gone_us.is_(None))

# One message to one device; ``due_us`` only until it has ended.
pushes = _table(
    "pushes",
    Column("push_no", Number, primary_key=True),
    _text("id"),
    _number("alert_no"),
    _number("user_no"),
    _number("device_no"),
    _text("device"),
    _text("platform"),
    _text("kind"),
    _number("made_us"),
    _number("attempts"),
    _perhaps("due_us"),
    _perhaps("leased_us"),
    Column("push_end", Word),
    Column("reason", Word),
    _perhaps("ended_us"),
    _perhaps("held_us"),
    # While the device may show it and can take it back: the push that shows it, itself or a summary.
    _perhaps("showing"),
    # Of a summary, and of its withdrawal: what the device knows it by.
    Column("tag", Text),
    _perhaps("leased_by"),
    UniqueConstraint("alert_no", "user_no", "device_no", "kind"),
)
_waits = pushes.c.due_us.is_not(None)
_partial("pushes_due", pushes.c.due_us, pushes.c.push_no, where=_waits)
_partial("pushes_of_device", pushes.c.device_no, where=_waits)
_partial("pushes_ended", pushes.c.ended_us, where=pushes.c.ended_us.is_not(None))
_partial("pushes_showing", pushes.c.user_no, pushes.c.push_no, where=pushes.c.showing.is_not(None))
# In literals, for an index is found by its very words.
push_is_dead = and_(
    pushes.c.kind == literal_column("'show'"),
    pushes.c.push_end.in_([literal_column("'rejected'"), literal_column("'expired'")]),
)
_partial("pushes_dead", pushes.c.ended_us, pushes.c.id, where=push_is_dead)
_partial("pushes_dead_id", pushes.c.id, where=push_is_dead)
Index("pushes_user", pushes.c.user_no, pushes.c.push_no)

# A broadcast on its way to the devices of its hub: those up to ``after`` have their push.
push_spreads = _table(
    "push_spreads",
    _serial("alert_no"),
    _number("hub_no"),
    _number("brev"),
    _number("after"),
    _number("made_us"),
)

vapid_keys = _table(
    "vapid_keys",
    Column("id", Word, primary_key=True),
    Column("private_key", LargeBinary, nullable=False),
    _text("public_key"),
    _number("created_us"),
    _perhaps("retired_us"),
)

# How often was changed what processes keep in memory (``ports/editions.py``).
editions = _table(
    "editions",
    Column("kept", Word, primary_key=True),
    _number("number"),
    rowid=False,
)

probe = _table("probe", _serial("probe_no"), _number("at_us"))
