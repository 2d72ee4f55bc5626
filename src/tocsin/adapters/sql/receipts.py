"""Statements about receipts: per copy and device for own items, as sketches for broadcasts."""

from sqlalchemy import (
    ColumnElement,
    and_,
    distinct,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from tocsin.adapters.sql.differences import (
    Document,
    Each,
    Greatest,
    JsonArray,
    JsonNumber,
    JsonText,
    upsert,
)
from tocsin.adapters.sql.inboxes import has_name
from tocsin.adapters.sql.parts import at_most, by_no_index, param
from tocsin.adapters.sql.schema import (
    Number,
    alerts,
    broadcasts,
    collapses,
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

content = select(alerts.c.content).where(alerts.c.alert_no == param("alert_no"))

# A note: rows of ``(alert_id, user, fact, action, device, at_us, place)`` as one JSON array.
_told = Each(JsonArray("told")).table_valued("key", "value", name="told")
_ALERT_ID, _USER, _FACT, _ACTION, _DEVICE = (JsonText(_told.c.value, place) for place in range(5))
_AT_US, _PLACE = JsonNumber(_told.c.value, 5), JsonNumber(_told.c.value, 6)
# Whom they speak of: row by row, and never all that the hub has.
_speaking = _told.join(
    alerts, and_(alerts.c.id == _ALERT_ID, by_no_index(alerts.c.hub_no) == param("hub_no"))
).join(heads, and_(heads.c.hub_no == alerts.c.hub_no, heads.c.user == _USER))
_offer = Each(Document(alerts.c.content), "actions").table_valued("value", name="offer")
_is_offered = or_(
    literal_column("''") == _ACTION,
    exists()
    .select_from(_offer)
    .where(JsonText(_offer.c.value, "id") == _ACTION)
    .correlate(alerts, _told),
)
# The user has the alert, or had it until another took its place.
_is_own = or_(
    exists().where(items.c.alert_no == alerts.c.alert_no, items.c.user_no == heads.c.user_no),
    exists().where(
        collapses.c.alert_no == alerts.c.alert_no, collapses.c.user_no == heads.c.user_no
    ),
)
_copy = receipts.alias("copy")
_known = (
    select(func.count())
    .select_from(_copy)
    .where(_copy.c.alert_no == alerts.c.alert_no, _copy.c.user_no == heads.c.user_no)
    .scalar_subquery()
)
note = (
    upsert(receipts)
    .from_select(
        ["hub_no", "number", "alert_no", "user_no", "fact", "action", "device", "at_us"],
        select(
            param("hub_no", Number),
            param("first", Number) + _told.c.key,
            alerts.c.alert_no,
            heads.c.user_no,
            _FACT,
            _ACTION,
            _DEVICE,
            Greatest(alerts.c.accepted_us, _AT_US),
        )
        .select_from(_speaking)
        .where(_is_own, _is_offered, _known + _PLACE < param("room")),
    )
    .on_conflict_do_nothing()
)
# Those of the rows that speak of broadcasts.
heard = (
    select(_told.c.key, alerts.c.alert_no)
    .select_from(_speaking.join(broadcasts, broadcasts.c.alert_no == alerts.c.alert_no))
    .where(broadcasts.c.brev > heads.c.b_start, ~_is_own, _is_offered)
)

_add_numbers = upsert(receipt_numbers)
take_numbers = _add_numbers.on_conflict_do_update(
    index_elements=["hub_no"],
    set_={"number": receipt_numbers.c.number + _add_numbers.excluded.number},
).returning(receipt_numbers.c.number)

sketch = select(receipt_sketches.c.sketch).where(
    receipt_sketches.c.alert_no == param("alert_no"),
    receipt_sketches.c.fact == param("fact"),
    receipt_sketches.c.action == param("action"),
)
_add_sketch = upsert(receipt_sketches)
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
_named = _of_alerts.join(
    heads, and_(heads.c.hub_no == hubs.c.hub_no, heads.c.user_no == receipts.c.user_no)
)
after = at_most(
    select(*_RECEIPT)
    .select_from(_named)
    .where(receipts.c.hub_no == param("hub_no"), receipts.c.number > param("number"), has_name)
    .order_by(receipts.c.number)
)
of_copy = select(*_RECEIPT).select_from(_named).where(_the_alert, heads.c.user == param("user"))
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
