"""Carrying out a user's command on the memory store's rows."""

from tocsin.adapters.memory.tables import Hub, Inbox
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
    takes_item,
    takes_state,
)
from tocsin.model.commands import Command, Done, MarkUpTo, Outcome, PatchItems, RestoreItem
from tocsin.model.inbox import ChangeSet, Marks, StateRow
from tocsin.model.plan import Plan


def act(hub: Hub, inbox: Inbox, command: Command, now_us: int, chunk_rows: int) -> Outcome:
    """Plan the command, write the plan, and return the answer."""
    epoch = hub.stream.epoch
    if isinstance(command, MarkUpTo):
        mark = cut_mark(inbox.head, command, epoch, hub.stream.brev)
        if isinstance(mark, Refusal):
            return outcome_of(mark, inbox.head, epoch)
        if mark.category is not None:
            return _mark_category(hub, inbox, mark, now_us, chunk_rows)
        plan: Plan | Refusal | None = mark_up_to(inbox.head, mark, _kept(inbox, mark), now_us)
    else:
        plan = _plan_named(hub, inbox, command, now_us)
    return _written(hub, inbox, plan)


def _written(hub: Hub, inbox: Inbox, plan: Plan | Refusal | None) -> Outcome:
    outcome = outcome_of(plan, inbox.head, hub.stream.epoch)
    if isinstance(plan, Plan):
        inbox.write(plan)
    return outcome


def _plan_named(
    hub: Hub, inbox: Inbox, command: PatchItems | RestoreItem, now_us: int
) -> Plan | Refusal | None:
    broadcasts = {row.alert_id: row for row in hub.visible(inbox.head)}
    named = Named(inbox.items, broadcasts, inbox.states)
    if isinstance(command, PatchItems):
        return patch_items(inbox.head, command, named, now_us)
    return restore_item(inbox.head, command, named)


def _kept(inbox: Inbox, mark: MarkUpTo) -> Kept:
    watermarks = raised(inbox.head.watermarks, mark)
    above = [
        item for item in inbox.items.values() if item.marks.listed and item.marks.read_at is None
    ]
    return Kept(
        unseen_above=sum(
            item.sort > watermarks.seen_up_to and item.marks.seen_at is None for item in above
        ),
        unread_above=sum(item.sort > watermarks.read_up_to for item in above),
        items=[row for row in inbox.items.values() if _unread_by_hand(row.marks)],
        states=[row for row in inbox.states.values() if _unread_by_hand(row.marks)],
    )


def _unread_by_hand(marks: Marks) -> bool:
    return marks.unread_at is not None and marks.deleted_at is None


def _mark_category(hub: Hub, inbox: Inbox, mark: MarkUpTo, now_us: int, chunk_rows: int) -> Outcome:
    """Mark in change sets of at most ``chunk_rows`` rows, own items first."""
    items = [
        item
        for item in inbox.items.values()
        if item.category == mark.category and takes_item(item, mark, inbox.head.watermarks)
    ]
    states = [
        state
        for row in hub.visible(inbox.head)
        if row.category == mark.category
        and takes_state(
            state := inbox.states.get(row.brev) or StateRow(row.brev, 0),
            mark,
            inbox.head.watermarks,
        )
    ]
    changes: list[ChangeSet] = []
    for start in range(0, len(items) + len(states), chunk_rows):
        some_items = items[start : start + chunk_rows]
        first = max(0, start - len(items))
        some_states = states[first : max(0, start + chunk_rows - len(items))]
        plan = mark_rows(inbox.head, mark, some_items, some_states, now_us)
        if plan is not None:
            inbox.write(plan)
            changes.append(plan.change_set(hub.stream.epoch))
    return Done(hub.stream.epoch, inbox.head.rev, tuple(changes))
