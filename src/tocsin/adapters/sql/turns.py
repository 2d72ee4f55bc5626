"""Statements about whose turn it is to do what one process does at a time."""

from sqlalchemy import case, literal_column, or_, update

from tocsin.adapters.sql.differences import Abandoned, upsert
from tocsin.adapters.sql.parts import param
from tocsin.adapters.sql.schema import turns

_mine = turns.c.holder == param("holder")
_first = upsert(turns).values(
    what=param("what"),
    number=literal_column("1"),
    holder=param("holder"),
    until_us=param("until_us"),
)
# Renew it, or take it from one that let it run out or is gone.
take_turn = _first.on_conflict_do_update(
    index_elements=["what"],
    set_={
        "number": turns.c.number + case((_mine, literal_column("0")), else_=literal_column("1")),
        "holder": param("holder"),
        "until_us": param("until_us"),
    },
    where=or_(_mine, turns.c.until_us <= param("now"), Abandoned(turns.c.holder)),
).returning(turns.c.number)
end_turn = update(turns).where(_mine).values(until_us=literal_column("0"))
