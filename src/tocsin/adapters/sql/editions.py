"""Statements about editions: how often was changed what processes keep in memory."""

from sqlalchemy import literal_column, select

from tocsin.adapters.sql.differences import upsert
from tocsin.adapters.sql.parts import param
from tocsin.adapters.sql.schema import editions

_first = upsert(editions).values(kept=param("kept"), number=literal_column("1"))
count_up = _first.on_conflict_do_update(
    index_elements=["kept"], set_={"number": editions.c.number + literal_column("1")}
)
edition = select(editions.c.number).where(editions.c.kept == param("kept"))
all_editions = select(editions.c.kept, editions.c.number)
