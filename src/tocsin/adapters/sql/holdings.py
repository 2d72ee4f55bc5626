"""What is held of a person, table by table, and how it is read and dropped.

A new table with a column ``user_no`` or ``user`` needs a line here; a test compares (tests/unit/test_holdings.py).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Delete,
    FromClause,
    Select,
    Table,
    exists,
    func,
    insert,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.dml import ReturningDelete

from tocsin.adapters.sql.differences import Document, Greatest, Holds, Objects
from tocsin.adapters.sql.parts import at_most, param
from tocsin.adapters.sql.receipts import drop_of_copy
from tocsin.adapters.sql.schema import (
    alerts,
    broadcasts,
    collapses,
    dead_batches,
    dead_letters,
    devices,
    erasures,
    expansions,
    heads,
    hubs,
    items,
    ops,
    preferences,
    pushes,
    queue,
    receipts,
    scheduled,
    states,
    subscriptions,
    withdrawals,
)
from tocsin.adapters.sql.topics import count_subscribers, drop_empty_topic

Then = tuple[str, ClauseElement]

# An alert that nobody has any more: its content goes with the last copy.
drop_unheld = alerts.delete().where(
    alerts.c.alert_no == param("alert_no"),
    *(
        ~exists().where(table.c.alert_no == param("alert_no"))
        for table in (items, broadcasts, collapses, receipts, expansions)
    ),
    ~exists().where(collapses.c.by_alert_no == param("alert_no")),
)
# Its number may be given out anew, to an alert that nobody withdrew.
drop_withdrawal = withdrawals.delete().where(
    withdrawals.c.alert_no == param("alert_no"),
    ~exists().where(alerts.c.alert_no == param("alert_no")),
)
_with_the_copy: tuple[Then, ...] = (
    ("receipts", drop_of_copy),
    ("alerts", drop_unheld),
    ("", drop_withdrawal),
)


class Holding(NamedTuple):
    """The rows of one person in one table.

    ``page`` reads the next rows after ``:after`` (``start`` at first); the first column is where it stands.  ``drop`` drops
    some, and returns what ``then`` needs: statements run for each row, with the kind they count as.
    """

    kind: str
    table: Table
    start: int | str
    page: Select[Any]
    drop: ReturningDelete[Any]
    then: tuple[Then, ...] = ()


def _of_user(
    kind: str,
    key: Column[Any],
    told: Sequence[ColumnElement[Any]],
    *,
    source: FromClause | None = None,
    gives: Sequence[ColumnElement[Any]] = (),
    then: tuple[Then, ...] = (),
) -> Holding:
    table = key.table
    assert isinstance(table, Table)  # noqa: S101 -- for the type checker; a column of the schema has one
    mine = table.c.user_no == param("user_no")
    page = select(key.label("key"), *told).select_from(table if source is None else source)
    some = at_most(select(key).where(mine).order_by(key))
    return Holding(
        kind,
        table,
        "" if key.type.python_type is str else -1,
        at_most(page.where(mine, key > param("after")).order_by(key)),
        table.delete().where(mine, key.in_(some)).returning(*(gives or (key,))),
        then,
    )


def _receipts_of(table: Table) -> ColumnElement[Any]:
    """Return what devices said of a copy, as a JSON array beside its row."""
    said: list[ColumnElement[Any]] = []
    for name in ("fact", "action", "device", "at_us"):
        said += [literal_column(f"'{name}'"), receipts.c[name]]
    return (
        select(Objects(*said))
        .where(receipts.c.alert_no == table.c.alert_no, receipts.c.user_no == table.c.user_no)
        .scalar_subquery()
        .label("receipts")
    )


def _but(table: Table, *names: str) -> list[Column[Any]]:
    return [column for column in table.c if column.name not in names]


_new = alerts.alias("new")

HOLDINGS = (
    # Before the devices, which they are for; what is held of a device is not the way to it, which is a secret.
    _of_user(
        "push",
        pushes.c.push_no,
        [
            *_but(
                pushes, "push_no", "alert_no", "user_no", "device_no", "leased_us", "showing", "tag"
            ),
            alerts.c.id.label("alert_id"),
        ],
        source=pushes.outerjoin(alerts, alerts.c.alert_no == pushes.c.alert_no),
    ),
    _of_user(
        "device",
        devices.c.id,
        _but(devices, "device_no", "hub_no", "user_no", "digest", "channel", "vapid_key"),
    ),
    # Before the items: the alert that took a place counts as held while this says so.
    _of_user(
        "collapse",
        collapses.c.alert_no,
        [
            alerts.c.id.label("alert_id"),
            alerts.c.content.label("alert"),
            _new.c.id.label("by_alert_id"),
            collapses.c.at_us,
            _receipts_of(collapses),
        ],
        source=collapses.outerjoin(alerts, alerts.c.alert_no == collapses.c.alert_no).outerjoin(
            _new, _new.c.alert_no == collapses.c.by_alert_no
        ),
        gives=[collapses.c.alert_no],
        then=_with_the_copy,
    ),
    _of_user(
        "item",
        items.c.id,
        [
            *_but(items, "user_no", "alert_no"),
            alerts.c.id.label("alert_id"),
            alerts.c.content.label("alert"),
            _receipts_of(items),
        ],
        source=items.outerjoin(alerts, alerts.c.alert_no == items.c.alert_no),
        gives=[items.c.alert_no],
        then=_with_the_copy,
    ),
    _of_user(
        "state",
        states.c.brev,
        [
            *_but(states, "user_no", "hub_no"),
            alerts.c.id.label("alert_id"),
            alerts.c.content.label("alert"),
        ],
        source=states.outerjoin(
            broadcasts,
            (broadcasts.c.hub_no == states.c.hub_no) & (broadcasts.c.brev == states.c.brev),
        ).outerjoin(alerts, alerts.c.alert_no == broadcasts.c.alert_no),
    ),
    _of_user("operation", ops.c.op_id, _but(ops, "user_no", "op_no")),
    _of_user("preferences", preferences.c.user_no, _but(preferences, "user_no")),
    # The last: who has a head may still have rows.
    _of_user("inbox", heads.c.user_no, _but(heads, "user_no", "hub_no")),
)

_subscribes = (
    subscriptions.c.hub_no == param("hub_no"),
    subscriptions.c.user == param("user"),
)
# By name, and all at once: there are no more than topics of the hub, and who is still subscribed would still be found.
SUBSCRIPTIONS = Holding(
    "subscription",
    subscriptions,
    "",
    at_most(
        select(subscriptions.c.topic.label("key"), subscriptions.c.topic, subscriptions.c.since_us)
        .where(*_subscribes, subscriptions.c.topic > param("after"))
        .order_by(subscriptions.c.topic)
    ),
    subscriptions.delete()
    .where(*_subscribes)
    .returning(
        subscriptions.c.hub_no.label("at_hub"),
        subscriptions.c.topic.label("at_topic"),
        literal_column("-1").label("more"),
    ),
    (("", count_subscribers), ("", drop_empty_topic)),
)


class Waiting(NamedTuple):
    """What is on its way, alerts and messages to webhooks, and may name a person.  ``named`` finds them by the name as JSON."""

    kind: str
    table: Table
    named: Select[Any]
    payload: Select[Any]
    rewrite: ClauseElement
    drop: Delete


def _waiting(kind: str, table: Table, said: str = "payload", **also: ColumnElement[Any]) -> Waiting:
    here = table.c.id == param("at_id")
    names = Holds(table.c[said], "name")
    return Waiting(
        kind,
        table,
        at_most(select(table.c.id).where(table.c.id > param("after"), names).order_by(table.c.id)),
        select(table.c[said]).where(here),
        update(table).where(here).values({said: param("payload"), **also}),
        table.delete().where(here),
    )


# In the order in which an alert goes from one to the next, so that none slips through between two looks.
WAITING = (
    _waiting("scheduled", scheduled),
    _waiting("waiting", queue),
    _waiting("dead", dead_letters),
    _waiting(
        "webhook",
        dead_batches,
        "body",
        receipts=func.json_array_length(Document(param("payload"))),
    ),
)

# The record of an erasure.
raise_floor = (
    update(hubs)
    .where(hubs.c.hub_no == param("at_hub"))
    .values(rev_floor=Greatest(hubs.c.rev_floor, param("rev")))
)
rename_head = update(heads).where(heads.c.user_no == param("at_user")).values(user=param("nobody"))
add_erasure = insert(erasures)
erasure_by_id = select(erasures).where(erasures.c.id == param("id"))
lock_erasure = erasure_by_id.with_for_update()
open_erasures = select(erasures.c.id, erasures.c.hub, erasures.c.user, erasures.c.at_us).where(
    erasures.c.user.is_not(None)
)
note_counts = update(erasures).where(erasures.c.id == param("at_id")).values(counts=param("counts"))
finish_erasure = (
    update(erasures)
    .where(erasures.c.id == param("at_id"))
    .values(finished_us=param("finished_us"), user=null(), user_no=null())
)
_page = at_most(
    select(erasures).where(erasures.c.id < param("below")).order_by(erasures.c.id.desc())
)
erasures_of_all = _page
erasures_of_hub = _page.where(erasures.c.hub == param("hub"))
