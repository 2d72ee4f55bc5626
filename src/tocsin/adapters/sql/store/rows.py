"""Between rows of the tables and values of the model, and writing what was planned."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from tocsin.adapters.sql import inboxes, items, stream
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.text import sql
from tocsin.model.inbox import Broadcast, Counts, Head, Marks, OwnItem, StateRow, Watermarks
from tocsin.model.plan import Plan
from tocsin.model.stream import Stream

Row = tuple[Any, ...]
NO_MARKS = Marks()
_NO_TIMES = (None,) * 6

_HUB_BY_NAME, _HUB_BY_NO = sql(inboxes.hub_by_name), sql(inboxes.hub_by_no)
_HEAD_OF, _HEADS_OF, _HEADS_BY_NO = map(
    sql, (inboxes.head_of, inboxes.heads_of, inboxes.heads_by_no)
)
_LOCK_HUB, _LOCK_HEADS, _LOCK_HEADS_BY_NO = map(
    sql, (inboxes.lock_hub, inboxes.lock_heads, inboxes.lock_heads_by_no)
)
_WRITE_HEAD, _MARK_ITEM, _WRITE_STATE = map(
    sql, (inboxes.write_head, items.mark_item, stream.write_state)
)
_LIVE, _STATES_OF = sql(stream.live), sql(stream.states_of)


class HubRow(NamedTuple):
    """A hub and its number in the tables."""

    hub_no: int
    stream: Stream


class HeadRow(NamedTuple):
    """A head and the numbers that other rows know it by."""

    user_no: int
    hub_no: int
    head: Head


def as_json(values: Iterable[str] | Iterable[int]) -> str:
    """Write a list as the JSON array that ``among`` takes."""
    return json.dumps(list(values))


def _hub(row: Row | None) -> HubRow | None:
    if row is None:
        return None
    hub_no, name, epoch, brev, last_sort = row
    return HubRow(hub_no, Stream(name, epoch, brev, last_sort))


def hub_named(connection: Connection, name: str) -> HubRow | None:
    """Read a hub by its name."""
    return _hub(connection.execute(_HUB_BY_NAME, {"name": name}).fetchone())


def hub_numbered(connection: Connection, hub_no: int) -> HubRow:
    """Read the hub that a head belongs to."""
    found = _hub(connection.execute(_HUB_BY_NO, {"hub_no": hub_no}).fetchone())
    assert found is not None, hub_no  # noqa: S101 - a foreign key holds it
    return found


def lock_hub(connection: Connection, hub_no: int) -> HubRow:
    """Read a hub as it stands until the transaction ends: the numbers of its stream are given out in the order of commits."""
    found = _hub(connection.execute(_LOCK_HUB, {"hub_no": hub_no}).fetchone())
    assert found is not None, hub_no  # noqa: S101 - a foreign key holds it
    return found


def _head(row: Row) -> HeadRow:
    user_no, hub_no, user, rev, b_start, last_sort, floor = row[:7]
    head = Head(user, rev, b_start, last_sort, floor, Watermarks(*row[7:11]), Counts(*row[11:13]))
    return HeadRow(user_no, hub_no, head)


def head_of(connection: Connection, hub_no: int, user: str) -> HeadRow | None:
    """Read one user's head."""
    row = connection.execute(_HEAD_OF, {"hub_no": hub_no, "user": user}).fetchone()
    return None if row is None else _head(row)


def heads_of(connection: Connection, hub_no: int, users: Iterable[str]) -> dict[str, HeadRow]:
    """Read the heads of those users who have one."""
    found = connection.execute(_HEADS_OF, {"hub_no": hub_no, "users": as_json(users)})
    return {row[2]: _head(row) for row in found}


def lock_heads(connection: Connection, hub_no: int, users: Iterable[str]) -> dict[str, HeadRow]:
    """Read the heads of those users who have one, as they stand until the transaction ends (I3)."""
    found = connection.execute(_LOCK_HEADS, {"hub_no": hub_no, "users": as_json(users)})
    return {row[2]: _head(row) for row in found}


def heads_by_no(connection: Connection, user_nos: Iterable[int]) -> dict[int, HeadRow]:
    """Read heads by their numbers."""
    found = connection.execute(_HEADS_BY_NO, {"user_nos": as_json(user_nos)})
    return {row[0]: _head(row) for row in found}


def lock_heads_by_no(connection: Connection, user_nos: Iterable[int]) -> dict[int, HeadRow]:
    """Read heads by their numbers, in order of hub and user, as they stand until the transaction ends (I3)."""
    found = connection.execute(_LOCK_HEADS_BY_NO, {"user_nos": as_json(user_nos)})
    return {row[0]: _head(row) for row in found}


def head_values(head: Head) -> dict[str, int]:
    """Return a head's columns that change."""
    marks, counts = head.watermarks, head.counts
    return {
        "rev": head.rev,
        "last_sort": head.last_sort,
        "floor": head.floor,
        "seen_up_to": marks.seen_up_to,
        "read_up_to": marks.read_up_to,
        "b_seen_up_to": marks.b_seen_up_to,
        "b_read_up_to": marks.b_read_up_to,
        "unseen": counts.unseen,
        "unread": counts.unread,
    }


def write_heads(connection: Connection, heads: Iterable[tuple[int, Head]]) -> None:
    """Write heads as planned."""
    connection.executemany(
        _WRITE_HEAD, [{"at_user": user_no, **head_values(head)} for user_no, head in heads]
    )


def marks_values(marks: Marks) -> dict[str, int | None]:
    """Return the six times as columns."""
    return {
        "seen_at": marks.seen_at,
        "read_at": marks.read_at,
        "unread_at": marks.unread_at,
        "archived_at": marks.archived_at,
        "deleted_at": marks.deleted_at,
        "snoozed_until": marks.snoozed_until,
    }


def item_of(row: Row) -> OwnItem:
    """Make an own item of the columns that every item query begins with."""
    times = row[5:11]
    return OwnItem(
        row[0],
        row[1],
        row[2],
        row[3],
        msgspec.Raw(row[4]),
        NO_MARKS if times == _NO_TIMES else Marks(*times),
        *row[11:16],
    )


def items_of(rows: Iterable[Row]) -> list[OwnItem]:
    """Make own items of rows."""
    return [item_of(row) for row in rows]


def state_of(row: Row) -> StateRow:
    """Make a state row of the columns that every state query begins with."""
    return StateRow(row[0], row[1], row[2], Marks(*row[3:9]))


def states_of(connection: Connection, user_no: int) -> dict[int, StateRow]:
    """Read all state rows of a user by ``brev``; there are few."""
    found = map(state_of, connection.execute(_STATES_OF, {"user_no": user_no}))
    return {state.brev: state for state in found}


def live_broadcasts(connection: Connection, hub_no: int, above: int) -> list[Broadcast]:
    """Read the live broadcasts above ``above``, oldest first."""
    found = connection.execute(_LIVE, {"hub_no": hub_no, "above": above})
    return [Broadcast(r[0], r[1], r[2], msgspec.Raw(r[3]), r[4], r[5], r[6]) for r in found]


def write_marked(connection: Connection, row: HeadRow, plan: Plan) -> None:
    """Write a plan that makes no item and changes none's alert: head, marks and places."""
    write_heads(connection, [(row.user_no, plan.head)])
    connection.executemany(
        _MARK_ITEM,
        [
            {
                "at_user": row.user_no,
                "at_id": item.id,
                "sort": item.sort,
                "rev": item.rev,
                "deleted_by": item.deleted_by,
                **marks_values(item.marks),
            }
            for item in plan.items
        ],
    )
    connection.executemany(
        _WRITE_STATE,
        [
            {
                "user_no": row.user_no,
                "hub_no": row.hub_no,
                "brev": state.brev,
                "rev": state.rev,
                "sort": state.sort,
                **marks_values(state.marks),
            }
            for state in plan.states
        ],
    )
