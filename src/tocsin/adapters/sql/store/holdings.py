"""Reading what is held of a person, page by page."""

from typing import Any, Final

import msgspec

from tocsin.adapters.sql.holdings import HOLDINGS, SUBSCRIPTIONS, WAITING
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.queue import decode_envelope
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.rows import head_of, hub_named
from tocsin.adapters.sql.store.text import sql
from tocsin.model.erasure import events_about
from tocsin.ports.erasure import Held, HeldPage, Place

_READ: Final = [(one.kind, one.start, sql(one.page)) for one in (*HOLDINGS, SUBSCRIPTIONS)]
_NAMED: Final = [(one.kind, sql(one.named), sql(one.payload)) for one in WAITING]
_JSON: Final = frozenset({"alert", "outcome", "receipts", "settings", "tags"})


class SqlHoldings:
    """What one store holds of people."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def held(self, hub: str, user: str, place: Place, *, limit: int) -> HeldPage:
        """Read some of what is held of a person."""
        return await self._readers.run(lambda c: _page(c, hub, user, place, limit))


def _page(connection: Connection, hub: str, user: str, place: Place, limit: int) -> HeldPage:
    if place.kind < len(_READ):
        rows, last = _rows(connection, hub, user, place, limit)
    else:
        rows, last = _on_their_way(connection, hub, user, place, limit)
    if last is not None:
        return HeldPage(rows, Place(place.kind, last))
    more = place.kind + 1 < len(_READ) + len(_NAMED)
    return HeldPage(rows, Place(place.kind + 1) if more else None)


def _rows(
    connection: Connection, hub: str, user: str, place: Place, limit: int
) -> tuple[list[Held], int | str | None]:
    """Read a page of one table; the last key is None at its end."""
    kind, start, query = _READ[place.kind]
    home = hub_named(connection, hub)
    found = None if home is None else head_of(connection, home.hub_no, user)
    if home is None or found is None:
        return [], None
    whose = {"user_no": found.user_no, "hub_no": home.hub_no, "user": user, "limit": limit}
    cursor = connection.execute(
        query, {**whose, "after": start if place.after is None else place.after}
    )
    names = [column[0] for column in cursor.description][1:]
    rows = cursor.fetchall()
    held = [Held(kind, _fields(names, row[1:])) for row in rows]
    return held, rows[-1][0] if len(rows) == limit else None


def _fields(names: list[str], row: tuple[Any, ...]) -> dict[str, object]:
    return {
        name: msgspec.Raw(value if isinstance(value, bytes) else value.encode())
        if name in _JSON and value is not None
        else value
        for name, value in zip(names, row, strict=True)
    }


def _on_their_way(
    connection: Connection, hub: str, user: str, place: Place, limit: int
) -> tuple[list[Held], str | None]:
    """Read a page of alerts that wait; those that only have the name as a word are passed over."""
    kind, named, payload = _NAMED[place.kind - len(_READ)]
    page = {"name": msgspec.json.encode(user), "after": place.after or "", "limit": limit}
    ids = [row[0] for row in connection.execute(named, page)]
    said = [connection.execute(payload, {"at_id": one}).fetchone()[0] for one in ids]
    if kind == "webhook":
        found = (events_about(body, hub, user)[0] for body in said)
        held = [Held(kind, {"events": events}) for events in found if events]
    else:
        held = [
            Held(kind, {"id": told.id, "accepted_us": told.accepted_us, "alert": told.content})
            for told in map(decode_envelope, said)
            if told.hub == hub and user in told.audience.users
        ]
    return held, ids[-1] if len(ids) == limit else None
