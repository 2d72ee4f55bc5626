"""Statements about what people and hubs prefer."""

from typing import Any

from sqlalchemy import Table, select

from tocsin.adapters.sql.differences import upsert
from tocsin.adapters.sql.parts import among, param
from tocsin.adapters.sql.schema import heads, hub_preferences, preferences


def _keep(table: Table, whose: str) -> Any:  # noqa: ANN401 -- an insert of one dialect
    keep = upsert(table)
    values = {name: keep.excluded[name] for name in ("settings", "changed_us")}
    return keep.on_conflict_do_update(index_elements=[whose], set_=values)


preferences_of = (
    select(heads.c.user, preferences.c.settings)
    .join(preferences, preferences.c.user_no == heads.c.user_no)
    .where(heads.c.hub_no == param("hub_no"), among(heads.c.user, "users"))
)
keep_preferences = _keep(preferences, "user_no")
preferences_of_hub = select(hub_preferences.c.settings).where(
    hub_preferences.c.hub_no == param("hub_no")
)
keep_hub_preferences = _keep(hub_preferences, "hub_no")
