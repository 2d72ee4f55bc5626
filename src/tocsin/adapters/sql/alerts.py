"""Statements about processed alerts, whose contents are kept once."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    exists,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from tocsin.adapters.sql.differences import Document, JsonText
from tocsin.adapters.sql.parts import absent, among, at_most, first, param
from tocsin.adapters.sql.schema import alerts, broadcasts, expansions, hubs, items

add_alert = insert(alerts)
_expanding = expansions.c.alert_no == alerts.c.alert_no
known = (
    select(alerts.c.id, alerts.c.alert_no, expansions.c.after)
    .outerjoin(expansions, _expanding)
    .where(among(alerts.c.id, "ids"))
)
lock_alerts = (
    select(alerts.c.alert_no)
    .where(among(alerts.c.id, "ids"))
    .order_by(alerts.c.id)
    .with_for_update(key_share=True)
)
reached = (
    update(alerts)
    .where(alerts.c.alert_no == param("at_alert"))
    .values(recipients=alerts.c.recipients + param("more"), processed_us=param("processed_us"))
)
alert_by_id = (
    select(
        alerts.c.alert_no,
        alerts.c.key_id,
        alerts.c.accepted_us,
        alerts.c.processed_us,
        alerts.c.recipients,
        alerts.c.withdrawn_us,
        alerts.c.deliver_us,
        alerts.c.expired_us,
        expansions.c.after,
    )
    .join(hubs, hubs.c.hub_no == alerts.c.hub_no)
    .outerjoin(expansions, _expanding)
    .where(alerts.c.id == param("id"), hubs.c.name == param("hub"))
)


_processed = ~exists().where(_expanding)


def _page(*where: ColumnElement[bool]) -> Select[Any]:
    """One page of alerts below a cursor, perhaps of one source or category."""
    source = JsonText(Document(alerts.c.content), "source")
    filters = (
        or_(absent("source"), source == param("source")),
        or_(absent("category"), alerts.c.category == param("category")),
        alerts.c.accepted_us >= param("since_us"),
        tuple_(alerts.c.accepted_us, alerts.c.id) < tuple_(param("accepted_us"), param("id")),
    )
    return at_most(
        select(
            alerts.c.id,
            alerts.c.accepted_us,
            alerts.c.deliver_us,
            alerts.c.processed_us,
            alerts.c.withdrawn_us,
            alerts.c.expired_us,
            alerts.c.recipients,
            alerts.c.content,
        )
        .where(alerts.c.hub_no == param("hub_no"), *where, *filters, _processed)
        .order_by(alerts.c.accepted_us.desc(), alerts.c.id.desc())
    )


page_of_hub = _page()
page_of_key = _page(alerts.c.key_id == param("key_id"))
withdraw_alert = (
    update(alerts)
    .where(alerts.c.alert_no == param("at_alert"), alerts.c.withdrawn_us.is_(None))
    .values(withdrawn_us=param("withdrawn_us"))
)
last_alert_no = first(select(alerts.c.alert_no).order_by(alerts.c.alert_no.desc()))
next_processed = first(
    select(alerts.c.alert_no, alerts.c.processed_us)
    .where(alerts.c.alert_no > param("after"))
    .order_by(alerts.c.alert_no)
)
# Once dropped, a repeated delivery of the alert is not known any more; retention is longer than any queue.
_unused = (
    alerts.c.alert_no == param("alert_no"),
    ~exists().where(items.c.alert_no == param("alert_no")),
    ~exists().where(broadcasts.c.alert_no == param("alert_no")),
    ~exists().where(expansions.c.alert_no == param("alert_no")),
)
unused = select(alerts.c.alert_no).where(*_unused)
drop_unused = alerts.delete().where(*_unused)
withdrawn_of = select(alerts.c.withdrawn_us).where(alerts.c.id == param("id"))
