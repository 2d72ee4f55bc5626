"""What time does to one inbox: wake, expire, withdraw, retire, purge (sync.md, section 2)."""

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec.structs import replace

from tocsin.model.inbox import Head, Marks, OwnItem, StateRow, Watermarks
from tocsin.model.plan import ItemChange, Plan, next_sort, plan_rows
from tocsin.model.rules import decide_item

Reason = Literal["withdrawn", "expired", "retired"]


def wake(
    head: Head, items: Sequence[OwnItem], states: Sequence[StateRow], now_us: int
) -> Plan | None:
    """Plan the return of snoozed rows as new ones: next sort, nothing seen or read; archived ones stay archived.

    In the order in which they were due, own items before broadcasts.
    """
    last_sort = head.last_sort
    changes: list[ItemChange] = []
    woken: list[StateRow] = []
    for item in sorted(items, key=lambda row: (row.marks.snoozed_until or 0, row.sort)):
        last_sort = next_sort(last_sort, now_us)
        changes.append((item, replace(item, sort=last_sort, marks=_awake(item.marks))))
    for state in sorted(states, key=lambda row: (row.marks.snoozed_until or 0, row.brev)):
        last_sort = next_sort(last_sort, now_us)
        woken.append(replace(state, sort=last_sort, marks=_awake(state.marks)))
    return plan_rows(head, changes, woken, last_sort=last_sort)


def _awake(marks: Marks) -> Marks:
    return Marks(archived_at=marks.archived_at, deleted_at=marks.deleted_at)


def bury(head: Head, items: Sequence[OwnItem], reason: Reason, now_us: int) -> Plan | None:
    """Plan tombstones that no user can take back."""
    changes: list[ItemChange] = [
        (item, replace(item, marks=replace(item.marks, deleted_at=now_us), deleted_by=reason))
        for item in items
        if item.marks.deleted_at is None
    ]
    return plan_rows(head, changes)


def retirable(item: OwnItem, watermarks: Watermarks, before_us: int) -> bool:
    """Tell whether retention takes an item: read, not snoozed or deleted, and older than ``before_us``."""
    marks = item.marks
    if marks.deleted_at is not None or marks.snoozed_until is not None or item.sort >= before_us:
        return False
    return decide_item(item, watermarks)[1]


def withdrawable(item: OwnItem, watermarks: Watermarks) -> bool:
    """Tell whether a withdrawal takes an item: not deleted, and still unread."""
    return item.marks.deleted_at is None and not decide_item(item, watermarks)[1]


def purge(head: Head, revs: Iterable[int]) -> Head:
    """Return the head after tombstones of these revisions are gone.

    No revision is spent, but whoever stood before them must reload.
    """
    return replace(head, floor=max(head.floor, *revs, 0))
