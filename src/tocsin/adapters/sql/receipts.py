"""Statements about receipts: per copy and device for own items, as sketches for broadcasts."""

from sqlalchemy import ColumnElement, and_, distinct, func, insert, literal_column, select
from sqlalchemy.dialects import sqlite

from tocsin.adapters.sql.inboxes import has_name
from tocsin.adapters.sql.parts import among, at_most, first, param
from tocsin.adapters.sql.schema import (
    alerts,
    broadcasts,
    heads,
    hubs,
    items,
    receipt_numbers,
    receipt_sketches,
    receipts,
)

_of_copy = (receipts.c.alert_no == param("alert_no"), receipts.c.user_no == param("user_no"))
# A hub's alert by its id; what is not there, or another hub's, joins with nothing.
_the_alert = and_(alerts.c.id == param("alert_id"), hubs.c.name == param("hub"))
_of_alerts = receipts.join(alerts, alerts.c.alert_no == receipts.c.alert_no).join(
    hubs, hubs.c.hub_no == alerts.c.hub_no
)
_none: ColumnElement[str] = literal_column("''")

# Whom a fact speaks of.
alerts_named = select(alerts.c.id, alerts.c.alert_no, alerts.c.accepted_us).where(
    alerts.c.hub_no == param("hub_no"), among(alerts.c.id, "ids")
)
users_named = select(heads.c.user, heads.c.user_no, heads.c.b_start).where(
    heads.c.hub_no == param("hub_no"), among(heads.c.user, "users")
)
content = select(alerts.c.content).where(alerts.c.alert_no == param("alert_no"))
own = first(
    select(items.c.id).where(
        items.c.alert_no == param("alert_no"), items.c.user_no == param("user_no")
    )
)
heard = select(broadcasts.c.brev).where(broadcasts.c.alert_no == param("alert_no"))

known = select(receipts.c.fact, receipts.c.action, receipts.c.device).where(*_of_copy)
_add_numbers = sqlite.insert(receipt_numbers)
take_numbers = _add_numbers.on_conflict_do_update(
    index_elements=["hub_no"],
    set_={"number": receipt_numbers.c.number + _add_numbers.excluded.number},
).returning(receipt_numbers.c.number)
add_receipt = insert(receipts)

sketch = select(receipt_sketches.c.sketch).where(
    receipt_sketches.c.alert_no == param("alert_no"),
    receipt_sketches.c.fact == param("fact"),
    receipt_sketches.c.action == param("action"),
)
_add_sketch = sqlite.insert(receipt_sketches)
write_sketch = _add_sketch.on_conflict_do_update(
    index_elements=["alert_no", "fact", "action"], set_={"sketch": _add_sketch.excluded.sketch}
)

_RECEIPT = (
    receipts.c.number,
    hubs.c.name,
    alerts.c.id,
    heads.c.user,
    receipts.c.device,
    receipts.c.fact,
    receipts.c.action,
    receipts.c.at_us,
)
_told = _of_alerts.join(
    heads, and_(heads.c.hub_no == hubs.c.hub_no, heads.c.user_no == receipts.c.user_no)
)
after = at_most(
    select(*_RECEIPT)
    .select_from(_told)
    .where(receipts.c.hub_no == param("hub_no"), receipts.c.number > param("number"), has_name)
    .order_by(receipts.c.number)
)
of_copy = select(*_RECEIPT).select_from(_told).where(_the_alert, heads.c.user == param("user"))
people_per_fact = (
    select(receipts.c.fact, _none, func.count(distinct(receipts.c.user_no)))
    .select_from(_of_alerts)
    .where(_the_alert)
    .group_by(receipts.c.fact)
)
people_per_action = (
    select(receipts.c.fact, receipts.c.action, func.count(distinct(receipts.c.user_no)))
    .select_from(_of_alerts)
    .where(_the_alert, receipts.c.action != _none)
    .group_by(receipts.c.fact, receipts.c.action)
)
sketches = (
    select(receipt_sketches.c.fact, receipt_sketches.c.action, receipt_sketches.c.sketch)
    .join(alerts, alerts.c.alert_no == receipt_sketches.c.alert_no)
    .join(hubs, hubs.c.hub_no == alerts.c.hub_no)
    .where(_the_alert)
)

drop_of_copy = receipts.delete().where(*_of_copy)
some_of_alert = at_most(
    select(receipts.c.hub_no, receipts.c.number).where(receipts.c.alert_no == param("alert_no"))
)
drop_receipt = receipts.delete().where(
    receipts.c.hub_no == param("hub_no"), receipts.c.number == param("number")
)
drop_sketches = receipt_sketches.delete().where(receipt_sketches.c.alert_no == param("alert_no"))
