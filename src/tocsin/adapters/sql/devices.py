"""Statements about devices."""

from sqlalchemy import select, update

from tocsin.adapters.sql.differences import upsert
from tocsin.adapters.sql.parts import among, at_most, first, param
from tocsin.adapters.sql.schema import devices

_standing = devices.c.gone_us.is_(None)
_mine = devices.c.user_no == param("user_no")
_here = devices.c.device_no == param("at_device")

of_user = select(devices).where(_mine)
with_digest = select(devices).where(
    devices.c.hub_no == param("hub_no"), devices.c.digest == param("digest")
)
_put = upsert(devices).values({c.name: param(c.name) for c in devices.c if c.name != "device_no"})
put_device = _put.on_conflict_do_update(
    index_elements=["user_no", "id"],
    set_={
        c.name: _put.excluded[c.name]
        for c in devices.c
        if c.name not in ("device_no", "hub_no", "user_no", "id", "created_us")
        and not c.name.startswith("last_")
    },
)
drop_device = devices.delete().where(_here)
succeed = update(devices).where(_here).values(last_success_us=param("at_us"))
fail = (
    update(devices)
    .where(_here)
    .values(last_failure_us=param("at_us"), last_failure=param("reason"))
)
# One that registered again since the push was leased has another channel, which nobody tried yet.
go = (
    update(devices)
    .where(_here, _standing, devices.c.registered_us == param("registered_us"))
    .values(gone_us=param("at_us"), gone_reason=param("reason"))
)
with_vapid_key = at_most(
    select(devices.c.device_no, devices.c.registered_us).where(
        devices.c.vapid_key == param("vapid_key"), _standing
    )
)
some_of_hub = first(
    select(devices.c.device_no).where(devices.c.hub_no == param("hub_no"), _standing)
)
to_push = select(devices.c.user_no, devices.c.device_no, devices.c.id, devices.c.platform).where(
    among(devices.c.user_no, "user_nos"), _standing
)
