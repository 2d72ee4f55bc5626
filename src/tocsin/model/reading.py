"""What a reader is answered: from a snapshot of head, rows and stream to pages, changes and merged views."""

from collections.abc import Iterable, Mapping, Sequence
from heapq import nlargest
from typing import Literal

from tocsin.model.inbox import (
    Broadcast,
    Counts,
    Entry,
    Head,
    Marks,
    MergedPage,
    OwnItem,
    StateRow,
    Watermarks,
)
from tocsin.model.position import Position
from tocsin.model.rules import decide_broadcast, decide_item

Status = Literal["all", "unread", "snoozed", "archived"]
"""The views of an inbox; what is both snoozed and archived is among the archived."""


def must_reload(asked: Position | None, stands: Position, floor: int) -> bool:
    """Tell whether a client's position cannot be served from (I12): other epoch, purged past, or ahead."""
    if asked is None:
        return False
    if asked.epoch != stands.epoch or asked.rev < floor:
        return True
    return asked.rev > stands.rev or asked.brev > stands.brev


def page_of(found: Sequence[OwnItem], limit: int) -> tuple[tuple[OwnItem, ...], int | None]:
    """Return a page and its ``end`` from up to ``limit + 1`` items, newest first."""
    page = tuple(found[:limit])
    return page, (page[-1].sort if len(found) > limit and page else None)


def item_entry(item: OwnItem, watermarks: Watermarks) -> Entry:
    """Return an own item as a row of the merged view."""
    seen, read = decide_item(item, watermarks)
    return Entry(item.id, item.alert_id, item.sort, item.content, item.marks, seen, read)


def broadcast_entry(broadcast: Broadcast, state: StateRow | None, watermarks: Watermarks) -> Entry:
    """Return a broadcast as a row of the merged view, at the place where this user has it."""
    seen, read = decide_broadcast(broadcast, state, watermarks)
    woken = None if state is None else state.sort
    return Entry(
        id=broadcast.alert_id,
        alert_id=broadcast.alert_id,
        sort=broadcast.sort if woken is None else woken,
        content=broadcast.content,
        marks=Marks() if state is None else state.marks,
        seen=seen,
        read=read,
        brev=broadcast.brev,
    )


def shows(entry: Entry, status: Status) -> bool:
    """Tell whether a row belongs to a view."""
    match status:
        case "all":
            return entry.marks.listed
        case "unread":
            return entry.marks.listed and not entry.read
        case "snoozed":
            asleep = entry.marks.snoozed_until is not None
            return asleep and entry.marks.archived_at is None and entry.marks.deleted_at is None
        case "archived":
            return entry.marks.archived_at is not None and entry.marks.deleted_at is None


def total_counts(
    head: Head, broadcasts: Iterable[Broadcast], states: Mapping[int, StateRow]
) -> Counts:
    """Return the counts people see: own ones plus live broadcasts listed and not seen (read)."""
    unseen, unread = head.counts.unseen, head.counts.unread
    for broadcast in broadcasts:
        entry = broadcast_entry(broadcast, states.get(broadcast.brev), head.watermarks)
        unseen += entry.marks.listed and not entry.seen
        unread += entry.marks.listed and not entry.read
    return Counts(unseen, unread)


def merge(
    entries: Iterable[Entry], *, limit: int, cursor: tuple[int, str] | None, totals: Counts
) -> MergedPage:
    """Return the newest ``limit`` entries below the cursor, by ``(sort, id)``."""
    below = (e for e in entries if cursor is None or (e.sort, e.id) < cursor)
    newest = nlargest(limit + 1, below, key=lambda e: (e.sort, e.id))
    page = tuple(newest[:limit])
    more = len(newest) > limit and bool(page)
    return MergedPage(page, (page[-1].sort, page[-1].id) if more else None, totals)
