"""Statements about pushes, and about broadcasts that are spread over the devices of their hub."""

from sqlalchemy import and_, func, null, or_, select, update

from tocsin.adapters.sql.differences import Abandoned, upsert
from tocsin.adapters.sql.inboxes import has_name
from tocsin.adapters.sql.parts import among, at_most, first, param
from tocsin.adapters.sql.schema import Number, alerts, devices, heads, hubs, push_spreads, pushes

_waits = pushes.c.due_us.is_not(None)
_here = pushes.c.push_no == param("at_push")

_add = upsert(pushes).values({c.name: param(c.name) for c in pushes.c if c.name != "push_no"})
# A copy that was shown before its turn came has an ended push already, and a spread that crashed has some of its own.
add_push = _add.on_conflict_do_nothing()

next_due = first(select(pushes.c.due_us).where(_waits).order_by(pushes.c.due_us))
# A process that has just come holds nothing itself.
void_leases = (
    update(pushes)
    .where(
        _waits,
        pushes.c.leased_us.is_not(None),
        or_(Abandoned(pushes.c.leased_by), pushes.c.leased_by == param("holder")),
    )
    .values(due_us=param("now_us"), leased_us=null(), leased_by=null())
)
_due = at_most(
    select(pushes.c.push_no)
    .where(_waits, pushes.c.due_us <= param("now_us"))
    .order_by(pushes.c.due_us)
).with_for_update(skip_locked=True)
lease = (
    update(pushes)
    .where(pushes.c.push_no.in_(_due))
    .values(
        due_us=param("until_us"),
        leased_us=param("now_us"),
        leased_by=param("holder"),
        attempts=pushes.c.attempts + param("one"),
    )
    .returning(pushes.c.push_no)
)
leased = (
    select(
        pushes.c.push_no,
        pushes.c.id,
        hubs.c.name,
        heads.c.user,
        alerts.c.id.label("alert_id"),
        alerts.c.severity,
        pushes.c.kind,
        pushes.c.made_us,
        pushes.c.attempts,
        pushes.c.held_us,
        pushes.c.tag,
        devices,
    )
    .select_from(pushes)
    .join(devices, devices.c.device_no == pushes.c.device_no)
    .join(alerts, alerts.c.alert_no == pushes.c.alert_no)
    .join(heads, heads.c.user_no == pushes.c.user_no)
    .join(hubs, hubs.c.hub_no == heads.c.hub_no)
    .where(among(pushes.c.push_no, "push_nos"), has_name)
)
# Whom to ask about a push; the inbox itself is read with the statements of items and broadcasts.
copies = (
    select(
        pushes.c.push_no,
        pushes.c.user_no,
        pushes.c.alert_no,
        alerts.c.id.label("alert_id"),
        alerts.c.category,
        alerts.c.severity,
        alerts.c.withdrawn_us,
    )
    .join(alerts, alerts.c.alert_no == pushes.c.alert_no)
    .where(among(pushes.c.push_no, "push_nos"), _waits)
)
_itself = pushes.alias("itself")
_held_beside = (
    select(pushes.c.push_no)
    .join(_itself, _itself.c.device_no == pushes.c.device_no)
    .where(
        _itself.c.push_no == param("push_no"),
        pushes.c.push_no != param("push_no"),
        pushes.c.held_us.is_not(None),
        _waits,
    )
)
held_beside = at_most(_held_beside.order_by(pushes.c.push_no.desc()))
held_elsewhere = first(_held_beside.where(pushes.c.leased_by != param("holder")))
put_back = (
    update(pushes)
    .where(_here, _waits)
    .values(
        due_us=param("due_us"),
        leased_us=null(),
        leased_by=null(),
        held_us=func.coalesce(pushes.c.held_us, param("held_us", Number)),
        reason=param("reason"),
        attempts=pushes.c.attempts - param("untried"),
    )
)
_over = {
    "due_us": null(),
    "leased_us": null(),
    "leased_by": null(),
    "push_end": param("push_end"),
    "reason": param("reason"),
    "ended_us": param("at_us"),
    "showing": param("showing"),
}
_shown = {**_over, "tag": param("tag")}
end = update(pushes).where(_here, _waits).values(_shown)
# It was on its way when it was cancelled: what became of it counts.
end_late = update(pushes).where(_here, pushes.c.push_end == param("cancelled")).values(_shown)
end_of_device = update(pushes).where(pushes.c.device_no == param("at_device"), _waits).values(_over)
_showing = pushes.c.showing.is_not(None)
# A device that is gone shows nothing that could be taken back.
_reached = and_(
    devices.c.device_no == pushes.c.device_no,
    devices.c.user_no == pushes.c.user_no,
    devices.c.gone_us.is_(None),
)
_shower = pushes.alias("shower")
shown_to = (
    select(
        pushes.c.push_no,
        pushes.c.user_no,
        pushes.c.alert_no,
        alerts.c.id.label("alert_id"),
        alerts.c.category,
        alerts.c.severity,
        alerts.c.withdrawn_us,
        pushes.c.device_no,
        pushes.c.device,
        pushes.c.platform,
        _shower.c.push_no.label("shower"),
        _shower.c.tag,
    )
    .join(alerts, alerts.c.alert_no == pushes.c.alert_no)
    .join(devices, _reached)
    .join(_shower, _shower.c.push_no == pushes.c.showing)
    .where(among(pushes.c.user_no, "user_nos"), _showing)
)
next_showing = at_most(
    select(pushes.c.user_no)
    .distinct()
    .where(_showing, pushes.c.user_no > param("after"))
    .order_by(pushes.c.user_no)
)
unshow = update(pushes).where(_here).values(showing=null())
device_of = (
    select(devices.c.device_no)
    .join(
        pushes,
        and_(pushes.c.device_no == devices.c.device_no, pushes.c.user_no == devices.c.user_no),
    )
    .where(pushes.c.push_no == param("push_no"))
)
waiting_of_copy = select(pushes.c.push_no).where(
    pushes.c.alert_no == param("alert_no"), pushes.c.user_no == param("user_no"), _waits
)
end_of_copy = (
    update(pushes)
    .where(
        pushes.c.alert_no == param("at_alert"),
        pushes.c.user_no == param("at_user"),
        pushes.c.kind == param("kind"),
        _waits,
    )
    .values(_over)
)
of_copy = (
    select(
        pushes.c.device,
        pushes.c.platform,
        pushes.c.kind,
        pushes.c.made_us,
        pushes.c.attempts,
        pushes.c.due_us,
        pushes.c.push_end,
        pushes.c.reason,
        pushes.c.ended_us,
        pushes.c.held_us,
    )
    .where(pushes.c.alert_no == param("alert_no"), pushes.c.user_no == param("user_no"))
    .order_by(pushes.c.push_no)
)
count_waiting = select(func.count()).select_from(pushes).where(_waits)
oldest_ended = at_most(
    select(pushes.c.push_no, pushes.c.ended_us)
    .where(pushes.c.ended_us.is_not(None))
    .order_by(pushes.c.ended_us)
)
drop_pushes = pushes.delete().where(among(pushes.c.push_no, "push_nos"))

begin_spread = upsert(push_spreads).on_conflict_do_nothing()
oldest_spread = first(select(push_spreads).order_by(push_spreads.c.alert_no))
spread_of = select(push_spreads.c.alert_no).where(push_spreads.c.alert_no == param("alert_no"))
next_devices = at_most(
    select(
        devices.c.device_no, devices.c.user_no, devices.c.id, devices.c.platform, heads.c.b_start
    )
    .join(heads, heads.c.user_no == devices.c.user_no)
    .where(
        devices.c.hub_no == param("hub_no"),
        devices.c.device_no > param("after"),
        devices.c.gone_us.is_(None),
    )
    .order_by(devices.c.device_no)
)
move_spread = (
    update(push_spreads)
    .where(push_spreads.c.alert_no == param("at_alert"))
    .values(after=param("place"))
)
end_spread = push_spreads.delete().where(push_spreads.c.alert_no == param("at_alert"))

alerts_named = select(alerts.c.id, alerts.c.alert_no).where(
    among(alerts.c.id, "ids"), alerts.c.hub_no == param("hub_no")
)
