"""Statements about API keys, access keys and the row that proves the disk takes writes."""

from sqlalchemy import insert, select, update

from tocsin.adapters.sql.differences import upsert
from tocsin.adapters.sql.parts import param
from tocsin.adapters.sql.schema import access_keys, keys, probe

add_key = insert(keys)
all_keys = select(keys).order_by(keys.c.created_us, keys.c.id)
keys_of_hub = all_keys.where(keys.c.hub == param("hub"))
key_by_id = select(keys.c.id).where(keys.c.id == param("id"))
revoke_key = (
    update(keys)
    .where(keys.c.id == param("at_id"), keys.c.revoked_us.is_(None))
    .values(revoked_us=param("revoked_us"))
)
access_keys_of = select(access_keys.c.primary_key, access_keys.c.secondary_key).where(
    access_keys.c.hub == param("hub")
)
add_access_keys = upsert(access_keys).on_conflict_do_nothing()
_replace = update(access_keys).where(access_keys.c.hub == param("at_hub"))
replace_primary = _replace.values(primary_key=param("fresh"))
replace_secondary = _replace.values(secondary_key=param("fresh"))

_add_probe = upsert(probe)
write_probe = _add_probe.on_conflict_do_update(
    index_elements=["probe_no"], set_={"at_us": _add_probe.excluded.at_us}
)
