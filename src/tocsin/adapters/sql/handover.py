"""Statements about what a broker hands over."""

from sqlalchemy import select, union_all

from tocsin.adapters.sql.parts import among, param
from tocsin.adapters.sql.schema import alert_keys, alerts, dead_letters, queue, scheduled

here = union_all(
    *(
        select(table.c.id).where(among(table.c.id, "ids"))
        for table in (alerts, queue, scheduled, dead_letters)
    )
)
standing = select(alert_keys.c.producer_id, alert_keys.c.alert_id, alert_keys.c.fingerprint).where(
    alert_keys.c.hub == param("hub"),
    alert_keys.c.key_id == param("key_id"),
    alert_keys.c.source == param("source"),
    among(alert_keys.c.producer_id, "producer_ids"),
)
