"""Statements about alerts whose place in an inbox was taken by a newer one of the same collapse key."""

from sqlalchemy import insert, select

from tocsin.adapters.sql.parts import at_most, param
from tocsin.adapters.sql.schema import Number, alerts, collapses

_old, _new = alerts.alias("old"), alerts.alias("new")
_mine = collapses.c.user_no == param("user_no")

add_collapse = insert(collapses).from_select(
    ["user_no", "alert_no", "by_alert_no", "at_us"],
    select(param("user_no", Number), _old.c.alert_no, _new.c.alert_no, param("at_us", Number))
    .select_from(_old.join(_new, _new.c.id == param("by_id")))
    .where(_old.c.id == param("id")),
)
taken_by = (
    select(alerts.c.id, collapses.c.at_us)
    .join(alerts, alerts.c.alert_no == collapses.c.by_alert_no)
    .where(_mine, collapses.c.alert_no == param("alert_no"))
)
took = (
    select(alerts.c.id, collapses.c.at_us)
    .join(alerts, alerts.c.alert_no == collapses.c.alert_no)
    .where(_mine, collapses.c.by_alert_no == param("alert_no"))
)
some_of_alert = at_most(
    select(collapses.c.user_no, collapses.c.alert_no).where(
        collapses.c.alert_no == param("alert_no")
    )
)
drop_collapse = collapses.delete().where(_mine, collapses.c.alert_no == param("alert_no"))
