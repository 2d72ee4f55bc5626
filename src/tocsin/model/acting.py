"""What a user does to the inbox: patch, restore, mark (sync.md, section 2).

Each planner is given the head row and the rows the command names, and returns a plan, None where there is nothing to do, or
a :class:`Refusal`.  ``Unread keeps seen``: taking back a read leaves a ``seen_at`` where no watermark says it.
"""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from tocsin.model.commands import (
    Done,
    MarkUpTo,
    Patch,
    PatchItems,
    RefusalCode,
    Refused,
    RestoreItem,
)
from tocsin.model.inbox import Broadcast, Counts, Head, Marks, OwnItem, StateRow, Watermarks
from tocsin.model.plan import ItemChange, Plan, plan_rows
from tocsin.model.rules import Cover, cover_of_item, cover_of_state, is_read, is_seen
from tocsin.model.wire import MAX_FRAME_ROWS

MAX_STORED_ROWS = (
    MAX_FRAME_ROWS  # a larger change set has no frame, so a repeat could not tell it either
)


class Refusal(msgspec.Struct, frozen=True):
    """Why a command has no effect."""

    code: RefusalCode
    detail: str


class Named(msgspec.Struct, frozen=True):
    """The rows that a command names by id: own items, tombstones too; live broadcasts by ``alert_id``; their states."""

    items: Mapping[str, OwnItem]
    broadcasts: Mapping[str, Broadcast]
    states: Mapping[int, StateRow]

    def state_of(self, broadcast: Broadcast) -> StateRow:
        """Return the state row; a missing one is a row of Nones."""
        return self.states.get(broadcast.brev) or StateRow(broadcast.brev, 0)


def patch_items(
    head: Head, command: PatchItems, named: Named, now_us: int
) -> Plan | Refusal | None:
    """Plan a patch: all of it or, if one item is gone, deleted or says something else, nothing."""
    items: dict[str, OwnItem] = {}
    states: dict[int, StateRow] = {}
    for patch in command.patches:
        if (item := items.get(patch.id) or named.items.get(patch.id)) is not None:
            refusal = _stale(patch, item.alert_id, item.marks)
            items[patch.id] = _patched_item(item, patch, head.watermarks, now_us)
        elif (broadcast := named.broadcasts.get(patch.id)) is not None:
            state = states.get(broadcast.brev) or named.state_of(broadcast)
            refusal = _stale(patch, broadcast.alert_id, state.marks)
            marks = _patched(state.marks, patch, cover_of_state(state, head.watermarks), now_us)
            states[broadcast.brev] = replace(state, marks=marks)
        else:
            refusal = Refusal("item-not-found", f"this inbox has no item {patch.id}")
        if refusal is not None:
            return refusal
    changes: list[ItemChange] = [
        (named.items[item.id], item) for item in items.values() if item != named.items[item.id]
    ]
    changed = [row for row in states.values() if row.marks != _marks_before(named, row.brev)]
    return plan_rows(head, changes, changed)


def _marks_before(named: Named, brev: int) -> Marks:
    row = named.states.get(brev)
    return Marks() if row is None else row.marks


def _stale(patch: Patch, alert_id: str, marks: Marks) -> Refusal | None:
    if marks.deleted_at is not None:
        return Refusal("item-changed", f"item {patch.id} is deleted")
    if alert_id != patch.alert_id:
        return Refusal("item-changed", f"item {patch.id} says alert {alert_id} by now")
    return None


def _patched_item(item: OwnItem, patch: Patch, watermarks: Watermarks, now_us: int) -> OwnItem:
    marks = _patched(item.marks, patch, cover_of_item(item, watermarks), now_us)
    deleted_by = "user" if marks.deleted_at is not None else None
    return replace(item, marks=marks, deleted_by=deleted_by)


def _patched(marks: Marks, patch: Patch, cover: Cover, now_us: int) -> Marks:
    if patch.read is not UNSET:
        marks = _read(marks, cover, now_us) if patch.read else _unread(marks, cover, now_us)
    if patch.seen is not UNSET:
        marks = _seen(marks, cover, now_us)
    if patch.archived is not UNSET:
        archived_at = (marks.archived_at or now_us) if patch.archived else None
        marks = replace(marks, archived_at=archived_at)
    if patch.snoozed_until is not UNSET:
        marks = replace(marks, snoozed_until=patch.snoozed_until)
    if patch.deleted is not UNSET:
        marks = replace(marks, deleted_at=now_us)
    return marks


def _read(marks: Marks, cover: Cover, now_us: int) -> Marks:
    if is_read(marks, cover):
        return marks
    return replace(marks, read_at=now_us, unread_at=None)


def _unread(marks: Marks, cover: Cover, now_us: int) -> Marks:
    if not is_read(marks, cover):
        return marks
    seen_at = marks.read_at if marks.seen_at is None and not cover.seen else marks.seen_at
    return replace(marks, read_at=None, unread_at=now_us if cover.read else None, seen_at=seen_at)


def _seen(marks: Marks, cover: Cover, now_us: int) -> Marks:
    return marks if is_seen(marks, cover) else replace(marks, seen_at=now_us)


def restore_item(head: Head, command: RestoreItem, named: Named) -> Plan | Refusal | None:
    """Plan the return of what the user deleted, to the same place."""
    if (item := named.items.get(command.id)) is not None:
        return _restored_item(head, item, command)
    if (broadcast := named.broadcasts.get(command.id)) is not None:
        state = named.state_of(broadcast)
        if state.marks.deleted_at is None:
            return None
        return plan_rows(head, [], [replace(state, marks=_risen(state.marks))])
    return Refusal("item-not-found", f"this inbox has no item {command.id}")


def _restored_item(head: Head, item: OwnItem, command: RestoreItem) -> Plan | Refusal | None:
    if item.alert_id != command.alert_id:
        return Refusal("item-changed", f"item {item.id} says alert {item.alert_id} by now")
    if item.marks.deleted_at is None:
        return None
    if item.deleted_by != "user":
        return Refusal("not-restorable", f"item {item.id} was {item.deleted_by}")
    return plan_rows(head, [(item, replace(item, marks=_risen(item.marks), deleted_by=None))])


def _risen(marks: Marks) -> Marks:
    return replace(marks, deleted_at=None)


def cut_mark(head: Head, command: MarkUpTo, epoch: str, brev: int) -> MarkUpTo | Refusal:
    """Return the mark cut to what there is, or refuse one that was made under another epoch."""
    if command.epoch != epoch:
        detail = f"the inbox is of epoch {epoch} by now; read it again, then mark"
        return Refusal("epoch-changed", detail)
    return replace(command, sort=min(command.sort, head.last_sort), brev=min(command.brev, brev))


def raised(watermarks: Watermarks, mark: MarkUpTo) -> Watermarks:
    """Return the watermarks after a cut mark: they only rise, and a read one takes the seen one along."""
    after = replace(
        watermarks,
        seen_up_to=max(watermarks.seen_up_to, mark.sort),
        b_seen_up_to=max(watermarks.b_seen_up_to, mark.brev),
    )
    if mark.action == "seen":
        return after
    return replace(
        after,
        read_up_to=max(watermarks.read_up_to, mark.sort),
        b_read_up_to=max(watermarks.b_read_up_to, mark.brev),
    )


class Kept(msgspec.Struct, frozen=True):
    """What a bulk mark needs to know of an inbox, found without touching what it marks.

    ``unseen_above``, ``unread_above``: own listed items above the raised watermarks that are not seen (read).
    ``items``, ``states``: those not deleted that have an ``unread_at``, wherever they are.
    """

    unseen_above: int
    unread_above: int
    items: Sequence[OwnItem] = ()
    states: Sequence[StateRow] = ()


def mark_up_to(head: Head, mark: MarkUpTo, kept: Kept, now_us: int) -> Plan | None:
    """Plan a cut bulk mark: the watermarks rise, and a read mark ends the ``unread_at`` at or below it.

    ``kept`` was read for ``raised(head.watermarks, mark)``; for a seen mark ``unread_above`` is not looked at.
    """
    watermarks = raised(head.watermarks, mark)
    reads = mark.action == "read"
    items = [item for item in kept.items if reads and item.sort <= mark.sort]
    states = [state for state in kept.states if reads and _at_or_below(state, mark)]
    if watermarks == head.watermarks and not items and not states:
        return None
    rev = head.rev + 1
    unread = head.counts.unread
    if reads:
        unread = kept.unread_above + sum(
            item.marks.listed and item.sort > mark.sort for item in kept.items
        )
    return Plan(
        head=replace(
            head, rev=rev, watermarks=watermarks, counts=Counts(kept.unseen_above, unread)
        ),
        items=tuple(replace(item, rev=rev, marks=_ended(item.marks, now_us)) for item in items),
        states=tuple(replace(row, rev=rev, marks=_ended(row.marks, now_us)) for row in states),
    )


def _at_or_below(state: StateRow, mark: MarkUpTo) -> bool:
    return state.brev <= mark.brev if state.sort is None else state.sort <= mark.sort


def _ended(marks: Marks, now_us: int) -> Marks:
    return replace(marks, read_at=now_us, unread_at=None)


def takes_item(item: OwnItem, mark: MarkUpTo, watermarks: Watermarks) -> bool:
    """Tell whether a mark with a category sets a time on an own item (of that category)."""
    cover = cover_of_item(item, watermarks)
    return item.sort <= mark.sort and _takes(item.marks, mark, cover)


def takes_state(state: StateRow, mark: MarkUpTo, watermarks: Watermarks) -> bool:
    """Tell whether a mark with a category sets a time on a broadcast (of that category)."""
    cover = cover_of_state(state, watermarks)
    return _at_or_below(state, mark) and _takes(state.marks, mark, cover)


def _takes(marks: Marks, mark: MarkUpTo, cover: Cover) -> bool:
    had = is_read(marks, cover) if mark.action == "read" else is_seen(marks, cover)
    return marks.listed and not had


def mark_rows(
    head: Head, mark: MarkUpTo, items: Sequence[OwnItem], states: Sequence[StateRow], now_us: int
) -> Plan | None:
    """Plan times on rows that :func:`takes_item` and :func:`takes_state` picked; no watermark moves."""

    def marked(marks: Marks) -> Marks:
        if mark.action == "read":
            return _ended(marks, now_us)
        return replace(marks, seen_at=now_us)

    changes: list[ItemChange] = [(item, replace(item, marks=marked(item.marks))) for item in items]
    return plan_rows(head, changes, [replace(row, marks=marked(row.marks)) for row in states])


def outcome_of(plan: Plan | Refusal | None, head: Head, epoch: str) -> Done | Refused:
    """Return the answer to a command that was planned for ``head``."""
    match plan:
        case None:
            return Done(epoch, head.rev)
        case Refusal():
            return Refused(plan.code, plan.detail, epoch, head.rev)
        case Plan():
            return Done(epoch, plan.head.rev, (plan.change_set(epoch),))


def storable(outcome: Done | Refused) -> Done | Refused:
    """Return the answer as a repeat will get it: without change sets that no frame could carry anyway."""
    if isinstance(outcome, Refused):
        return outcome
    small = tuple(change for change in outcome.changes if change.rows <= MAX_STORED_ROWS)
    return replace(outcome, changes=small if len(small) == len(outcome.changes) else ())
