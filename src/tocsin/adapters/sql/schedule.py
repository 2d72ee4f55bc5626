"""Statements about alerts that wait for their time."""

from sqlalchemy import func, insert, select

from tocsin.adapters.sql.parts import among, at_most, first, param
from tocsin.adapters.sql.schema import scheduled

schedule = insert(scheduled)
due_now = at_most(
    select(scheduled.c.id, scheduled.c.payload, scheduled.c.expands)
    .where(scheduled.c.due_us <= param("now"))
    .order_by(scheduled.c.due_us, scheduled.c.id)
).with_for_update(skip_locked=True)
payload_of = select(scheduled.c.payload).where(scheduled.c.id == param("id"))
drop = scheduled.delete().where(among(scheduled.c.id, "ids"))
next_time = first(select(scheduled.c.due_us).order_by(scheduled.c.due_us))
count_due = select(func.count()).select_from(scheduled).where(scheduled.c.due_us <= param("now"))
count_all = select(func.count()).select_from(scheduled)
