"""Statements that list what is not processed: alerts that wait for their time, and those that were given up."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    literal_column,
    or_,
    select,
    tuple_,
)

from tocsin.adapters.sql.differences import Document, JsonText
from tocsin.adapters.sql.parts import absent, at_most, param
from tocsin.adapters.sql.schema import dead_letters, scheduled


def _page(table: Table, reason: ColumnElement[Any], *where: ColumnElement[bool]) -> Select[Any]:
    """One page of a hub's below a cursor, newest acceptance first, perhaps of one source or category."""
    envelope = Document(table.c.payload)
    source, category = JsonText(envelope, 4, "source"), JsonText(envelope, 9)
    return at_most(
        select(table.c.payload, reason)
        .where(
            table.c.hub == param("hub"),
            *where,
            or_(absent("source"), source == param("source")),
            or_(absent("category"), category == param("category")),
            table.c.accepted_us >= param("since_us"),
            tuple_(table.c.accepted_us, table.c.id) < tuple_(param("accepted_us"), param("id")),
        )
        .order_by(table.c.accepted_us.desc(), table.c.id.desc())
    )


_none: ColumnElement[None] = literal_column("NULL")
scheduled_of_hub = _page(scheduled, _none)
scheduled_of_key = _page(scheduled, _none, scheduled.c.key_id == param("key_id"))
dead_of_hub = _page(dead_letters, dead_letters.c.reason)
dead_of_key = _page(dead_letters, dead_letters.c.reason, dead_letters.c.key_id == param("key_id"))
