"""Statements about the audit log."""

from sqlalchemy import insert, or_, select

from tocsin.adapters.sql.parts import absent, among, at_most, param
from tocsin.adapters.sql.schema import audit

note = insert(audit).values({c.name: param(c.name) for c in audit.c if c.name != "deed_no"})
_filters = (
    audit.c.deed_no < param("below"),
    *(or_(absent(name), audit.c[name] == param(name)) for name in ("actor", "action", "target")),
)
_page = at_most(
    select(
        audit.c.hub,
        audit.c.actor,
        audit.c.actor_name,
        audit.c.action,
        audit.c.target,
        audit.c.outcome,
        audit.c.at_us,
        audit.c.deed_no,
        audit.c.detail,
    )
    .where(*_filters)
    .order_by(audit.c.deed_no.desc())
)
deeds_of_all = _page
deeds_of_hub = _page.where(audit.c.hub == param("hub"))
oldest = at_most(select(audit.c.deed_no, audit.c.at_us).order_by(audit.c.deed_no))
drop = audit.delete().where(among(audit.c.deed_no, "deed_nos"))
