"""First contact: hubs and heads are made when they are first mentioned."""

from collections.abc import Sequence

from tocsin.adapters.sql import inboxes
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.numbers import Numbers
from tocsin.adapters.sql.store.rows import (
    HeadRow,
    HubRow,
    head_values,
    hub_named,
    hub_numbered,
    lock_heads,
)
from tocsin.adapters.sql.store.text import sql
from tocsin.model.plan import first_head
from tocsin.model.stream import new_epoch

_ADD_HUB, _ADD_HEAD = sql(inboxes.add_hub), sql(inboxes.add_head)
_REV_FLOOR = sql(inboxes.rev_floor_of)


def open_hub(connection: Connection, numbers: Numbers, name: str) -> HubRow:
    """Read a hub, made with an epoch of its own if there is none."""
    found = hub_named(connection, name)
    if found is not None:
        return found
    hub_no = numbers.next_hub(connection)
    connection.execute(
        _ADD_HUB,
        {
            "hub_no": hub_no,
            "name": name,
            "epoch": new_epoch(),
            "brev": 0,
            "last_sort": 0,
            "rev_floor": 0,
        },
    )
    return hub_numbered(connection, hub_no)


def open_heads(
    connection: Connection, numbers: Numbers, hub: HubRow, users: Sequence[str]
) -> dict[str, HeadRow]:
    """Lock the heads of users, made where there is none: broadcasts count for them from here on."""
    found = lock_heads(connection, hub.hub_no, users)
    new = [user for user in users if user not in found]
    if new:
        (rev_floor,) = connection.execute(_REV_FLOOR, {"hub_no": hub.hub_no}).fetchone()
        made = [
            HeadRow(user_no, hub.hub_no, first_head(user, hub.stream.brev, rev_floor))
            for user, user_no in zip(new, numbers.next_users(connection, len(new)), strict=True)
        ]
        connection.executemany(_ADD_HEAD, [_columns(row) for row in made])
        found.update((row.head.user, row) for row in made)
    return found


def _columns(row: HeadRow) -> dict[str, int | str]:
    return {
        "user_no": row.user_no,
        "hub_no": row.hub_no,
        "user": row.head.user,
        "b_start": row.head.b_start,
        **head_values(row.head),
    }
