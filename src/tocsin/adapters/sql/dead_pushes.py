"""Statements about pushes that were given up."""

from sqlalchemy import and_, exists, null, select, tuple_, update

from tocsin.adapters.sql.parts import at_most, param
from tocsin.adapters.sql.schema import alerts, devices, heads, hubs, push_is_dead, pushes

_LETTER = (
    select(
        pushes.c.id,
        hubs.c.name,
        heads.c.user,
        alerts.c.id.label("alert_id"),
        pushes.c.device,
        pushes.c.platform,
        pushes.c.push_end,
        pushes.c.reason,
        pushes.c.attempts,
        pushes.c.made_us,
        pushes.c.ended_us,
    )
    .select_from(pushes)
    .join(alerts, alerts.c.alert_no == pushes.c.alert_no)
    .join(heads, heads.c.user_no == pushes.c.user_no)
    .join(hubs, hubs.c.hub_no == heads.c.hub_no)
    .where(push_is_dead)
)
page = at_most(
    _LETTER.where(
        tuple_(pushes.c.ended_us, pushes.c.id) < tuple_(param("ended_us"), param("id"))
    ).order_by(pushes.c.ended_us.desc(), pushes.c.id.desc())
)
named = _LETTER.where(pushes.c.id == param("id"))
_reached = exists().where(
    and_(
        devices.c.device_no == pushes.c.device_no,
        devices.c.user_no == pushes.c.user_no,
        devices.c.gone_us.is_(None),
    )
)
retry = (
    update(pushes)
    .where(push_is_dead, pushes.c.id == param("at_id"), _reached)
    .values(
        made_us=param("now_us"),
        due_us=param("now_us"),
        attempts=param("none"),
        push_end=null(),
        reason=null(),
        ended_us=null(),
        held_us=null(),
    )
)
