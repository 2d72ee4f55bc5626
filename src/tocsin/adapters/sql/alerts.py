"""Statements about processed alerts, whose contents are kept once."""

from sqlalchemy import exists, insert, select, update

from tocsin.adapters.sql.parts import among, first, param
from tocsin.adapters.sql.schema import alerts, broadcasts, hubs, items

add_alert = insert(alerts)
known = select(alerts.c.id).where(among(alerts.c.id, "ids"))
alert_by_id = (
    select(
        alerts.c.alert_no,
        alerts.c.key_id,
        alerts.c.accepted_us,
        alerts.c.processed_us,
        alerts.c.recipients,
        alerts.c.withdrawn_us,
    )
    .join(hubs, hubs.c.hub_no == alerts.c.hub_no)
    .where(alerts.c.id == param("id"), hubs.c.name == param("hub"))
)
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
drop_unused = alerts.delete().where(
    alerts.c.alert_no == param("alert_no"),
    ~exists().where(items.c.alert_no == param("alert_no")),
    ~exists().where(broadcasts.c.alert_no == param("alert_no")),
)
