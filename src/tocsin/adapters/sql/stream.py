"""Statements about the broadcast stream and what users did to its entries."""

from sqlalchemy import insert, select, update

from tocsin.adapters.sql.differences import upsert
from tocsin.adapters.sql.parts import at_most, param
from tocsin.adapters.sql.schema import alerts, broadcasts, states

_BROADCAST = (
    broadcasts.c.brev,
    alerts.c.id.label("alert_id"),
    broadcasts.c.sort,
    alerts.c.content,
    alerts.c.category,
    alerts.c.severity,
    broadcasts.c.expires_us,
)
_told = broadcasts.join(alerts, alerts.c.alert_no == broadcasts.c.alert_no)
_live = broadcasts.c.withdrawn.is_(None)
_here = broadcasts.c.hub_no == param("hub_no")

add_broadcast = insert(broadcasts)
withdraw_broadcast = (
    update(broadcasts)
    .where(broadcasts.c.hub_no == param("at_hub"), broadcasts.c.brev == param("at_brev"))
    .values(withdrawn=param("withdrawn"))
)
live = (
    select(*_BROADCAST)
    .select_from(_told)
    .where(_here, _live, broadcasts.c.brev > param("above"))
    .order_by(broadcasts.c.brev)
)
live_brevs = (
    select(broadcasts.c.brev)
    .where(_here, _live, broadcasts.c.brev > param("above"))
    .order_by(broadcasts.c.brev)
)
live_of_alert = select(broadcasts.c.brev).where(broadcasts.c.alert_no == param("alert_no"), _live)
heard_of_alert = select(broadcasts.c.brev, broadcasts.c.sort, broadcasts.c.withdrawn).where(
    broadcasts.c.alert_no == param("alert_no")
)
to_expire = at_most(
    select(broadcasts.c.hub_no, broadcasts.c.brev)
    .where(_live, broadcasts.c.expires_us <= param("now"))
    .order_by(broadcasts.c.expires_us)
)
dead = at_most(
    select(broadcasts.c.hub_no, broadcasts.c.brev).where(broadcasts.c.withdrawn.is_not(None))
)
drop_broadcast = broadcasts.delete().where(_here, broadcasts.c.brev == param("brev"))

_STATE = (
    states.c.brev,
    states.c.rev,
    states.c.sort,
    states.c.seen_at,
    states.c.read_at,
    states.c.unread_at,
    states.c.archived_at,
    states.c.deleted_at,
    states.c.snoozed_until,
)
states_of = select(*_STATE).where(states.c.user_no == param("user_no"))
states_to_wake = at_most(
    select(*_STATE, states.c.user_no)
    .join(
        broadcasts,
        (broadcasts.c.hub_no == states.c.hub_no) & (broadcasts.c.brev == states.c.brev),
    )
    .where(states.c.deleted_at.is_(None), states.c.snoozed_until <= param("now"), _live)
)
states_of_broadcast = at_most(
    select(states.c.user_no).where(
        states.c.hub_no == param("hub_no"), states.c.brev == param("brev")
    )
)
_add_state = upsert(states)
write_state = _add_state.on_conflict_do_update(
    index_elements=["user_no", "brev"],
    set_={
        c.name: _add_state.excluded[c.name]
        for c in states.c
        if c.name not in ("user_no", "brev", "hub_no")
    },
)
drop_state = states.delete().where(
    states.c.user_no == param("user_no"), states.c.brev == param("brev")
)
