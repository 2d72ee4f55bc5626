"""Statements about withdrawals that are not finished."""

from sqlalchemy import select

from tocsin.adapters.sql.differences import upsert
from tocsin.adapters.sql.parts import first, param
from tocsin.adapters.sql.schema import alerts, withdrawals

_OPEN = select(alerts.c.alert_no, alerts.c.hub_no, withdrawals.c.after_user).join(
    alerts, alerts.c.alert_no == withdrawals.c.alert_no
)
oldest_open = first(_OPEN.order_by(withdrawals.c.alert_no))
open_of_alert = select(withdrawals.c.after_user).where(withdrawals.c.alert_no == param("alert_no"))
_note = upsert(withdrawals)
note_place = _note.on_conflict_do_update(
    index_elements=["alert_no"], set_={"after_user": _note.excluded.after_user}
)
finish = withdrawals.delete().where(withdrawals.c.alert_no == param("alert_no"))
