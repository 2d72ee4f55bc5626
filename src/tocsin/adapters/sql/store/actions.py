"""Carrying out a user's command in one job: look up the op-id, load, plan, write, remember the answer."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from tocsin.adapters.sql import inboxes, items
from tocsin.adapters.sql.store.queries import Snapshot
from tocsin.adapters.sql.store.rows import (
    as_json,
    items_of,
    live_broadcasts,
    states_of,
    write_marked,
)
from tocsin.adapters.sql.store.text import sql
from tocsin.model.acting import (
    Kept,
    Named,
    Refusal,
    cut_mark,
    mark_rows,
    mark_up_to,
    outcome_of,
    patch_items,
    raised,
    restore_item,
    storable,
    takes_state,
)
from tocsin.model.commands import Command, Done, MarkUpTo, Outcome, PatchItems, Refused, RestoreItem
from tocsin.model.inbox import StateRow
from tocsin.model.plan import Plan

_OP_OUTCOME, _ADD_OP = sql(inboxes.op_outcome), sql(inboxes.add_op)
_NAMED, _BY_HAND = sql(items.named), sql(items.unread_by_hand)
_UNSEEN_ABOVE, _UNREAD_ABOVE = sql(items.unseen_above), sql(items.unread_above)
_IN_CATEGORY = {"read": sql(items.unread_in_category), "seen": sql(items.unseen_in_category)}


class _Stored(msgspec.Struct, omit_defaults=True):
    """An outcome as it is kept under its op-id."""

    done: Done | None = None
    refused: Refused | None = None


class Chunk(NamedTuple):
    """How far a mark with a category has come: the cut mark, and the sort below which rows are still to be looked at.

    ``below`` 0 means that only broadcasts are left.
    """

    mark: MarkUpTo
    below: int


def remembered(at: Snapshot, op_id: str | None) -> Outcome | None:
    """Return the answer that this op-id got, if it had one."""
    if op_id is None:
        return None
    for row in at.rows(_OP_OUTCOME, op_id=op_id):
        stored = msgspec.json.decode(row[0], type=_Stored)
        return stored.done or stored.refused
    return None


def remember(at: Snapshot, op_id: str | None, outcome: Outcome, now_us: int) -> Outcome:
    """Store the answer under its op-id and return it."""
    if op_id is not None:
        kept = storable(outcome)
        stored = _Stored(done=kept) if isinstance(kept, Done) else _Stored(refused=kept)
        at.connection.execute(
            _ADD_OP,
            {
                "user_no": at.row.user_no,
                "op_id": op_id,
                "outcome": msgspec.json.encode(stored),
                "at_us": now_us,
            },
        )
    return outcome


def act(at: Snapshot, command: Command, now_us: int) -> Outcome | Chunk:
    """Plan and write a command; a mark with a category is only cut, to be done by ``mark_chunk``."""
    plan: Plan | Refusal | None
    match command:
        case PatchItems():
            named = _named(at, [patch.id for patch in command.patches])
            plan = patch_items(at.head, command, named, now_us)
        case RestoreItem():
            plan = restore_item(at.head, command, _named(at, [command.id]))
        case MarkUpTo():
            mark = cut_mark(at.head, command, at.position.epoch, at.position.brev)
            if isinstance(mark, MarkUpTo) and mark.category is not None:
                return Chunk(mark, mark.sort + 1)
            plan = mark if isinstance(mark, Refusal) else _mark(at, mark, now_us)
    return _written(at, plan)


def _written(at: Snapshot, plan: Plan | Refusal | None) -> Outcome:
    if isinstance(plan, Plan):
        write_marked(at.connection, at.row, plan)
    return outcome_of(plan, at.head, at.position.epoch)


def _named(at: Snapshot, ids: Sequence[str]) -> Named:
    found = {item.id: item for item in items_of(at.rows(_NAMED, ids=as_json(ids)))}
    if len(found) == len(set(ids)):
        return Named(found, {}, {})
    live = live_broadcasts(at.connection, at.hub.hub_no, at.head.b_start)
    broadcasts = {row.alert_id: row for row in live}
    return Named(found, broadcasts, states_of(at.connection, at.row.user_no))


def _mark(at: Snapshot, mark: MarkUpTo, now_us: int) -> Plan | None:
    marks = raised(at.head.watermarks, mark)
    unread = 0
    if mark.action == "read":
        unread = at.rows(_UNREAD_ABOVE, sort=marks.read_up_to)[0][0]
    states = states_of(at.connection, at.row.user_no).values()
    kept = Kept(
        unseen_above=at.rows(_UNSEEN_ABOVE, sort=marks.seen_up_to)[0][0],
        unread_above=unread,
        items=items_of(at.rows(_BY_HAND)),
        states=[s for s in states if s.marks.unread_at is not None and s.marks.deleted_at is None],
    )
    return mark_up_to(at.head, mark, kept, now_us)


def mark_chunk(
    at: Snapshot, chunk: Chunk, now_us: int, chunk_rows: int
) -> tuple[Done, Chunk | None]:
    """Mark the next ``chunk_rows`` rows of the category: own items first, then broadcasts.

    Returns:
        The change set made, if any, and where to go on; None when nothing is left.
    """
    mark, watermarks = chunk.mark, at.head.watermarks
    found = items_of(
        at.rows(
            _IN_CATEGORY[mark.action],
            before=chunk.below,
            category=mark.category,
            read_up_to=watermarks.read_up_to,
            seen_up_to=watermarks.seen_up_to,
            limit=chunk_rows,
        )
    )
    room = chunk_rows - len(found)
    states = _markable_states(at, mark) if room else []
    plan = mark_rows(at.head, mark, found, states[:room], now_us)
    if plan is not None:
        write_marked(at.connection, at.row, plan)
    outcome = outcome_of(plan, at.head, at.position.epoch)
    assert isinstance(outcome, Done)  # noqa: S101 - only a refusal makes another
    if not room:
        return outcome, Chunk(mark, found[-1].sort)
    return outcome, (Chunk(mark, 0) if len(states) > room else None)


def _markable_states(at: Snapshot, mark: MarkUpTo) -> list[StateRow]:
    states = states_of(at.connection, at.row.user_no)
    live = live_broadcasts(at.connection, at.hub.hub_no, at.head.b_start)
    rows = (
        states.get(row.brev) or StateRow(row.brev, 0)
        for row in live
        if row.category == mark.category
    )
    return [row for row in rows if takes_state(row, mark, at.head.watermarks)]
