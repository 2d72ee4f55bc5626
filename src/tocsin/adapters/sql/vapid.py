"""Statements about VAPID keys; there are a few."""

from sqlalchemy import insert, select, update

from tocsin.adapters.sql.parts import param
from tocsin.adapters.sql.schema import vapid_keys

add_vapid_key = insert(vapid_keys)
all_vapid_keys = select(vapid_keys).order_by(vapid_keys.c.created_us, vapid_keys.c.id)
retire_vapid_key = (
    update(vapid_keys)
    .where(vapid_keys.c.id == param("at_id"), vapid_keys.c.retired_us.is_(None))
    .values(retired_us=param("retired_us"))
)
