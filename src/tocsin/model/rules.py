"""When an item is read, seen and counted (docs/reference/sync.md, section 1).

A watermark says something only of rows without a time of their own, so every decision takes two things: the row's
marks, and what the watermarks say of its place (:class:`Cover`).
"""

from typing import NamedTuple

from tocsin.model.inbox import Broadcast, Counts, Marks, OwnItem, StateRow, Watermarks


class Cover(NamedTuple):
    """Whether the seen and the read watermark reach a row."""

    seen: bool
    read: bool


def cover_of_item(item: OwnItem, watermarks: Watermarks) -> Cover:
    """Tell which watermarks reach an own item: decided by ``sort``."""
    return Cover(item.sort <= watermarks.seen_up_to, item.sort <= watermarks.read_up_to)


def cover_of_state(state: StateRow, watermarks: Watermarks) -> Cover:
    """Tell which watermarks reach a broadcast: by ``sort`` once it woke from snooze, else by ``brev``."""
    if state.sort is not None:
        return Cover(state.sort <= watermarks.seen_up_to, state.sort <= watermarks.read_up_to)
    return Cover(state.brev <= watermarks.b_seen_up_to, state.brev <= watermarks.b_read_up_to)


def is_read(marks: Marks, cover: Cover) -> bool:
    """Tell whether a row is read: its own times first, else the watermark."""
    if marks.read_at is not None:
        return True
    return marks.unread_at is None and cover.read


def is_seen(marks: Marks, cover: Cover) -> bool:
    """Tell whether a row is seen: read, or by its own time, or by the watermark."""
    return marks.seen_at is not None or cover.seen or is_read(marks, cover)


def decide_item(item: OwnItem, watermarks: Watermarks) -> tuple[bool, bool]:
    """Return ``(seen, read)`` of an own item."""
    cover = cover_of_item(item, watermarks)
    return is_seen(item.marks, cover), is_read(item.marks, cover)


def decide_broadcast(
    broadcast: Broadcast, state: StateRow | None, watermarks: Watermarks
) -> tuple[bool, bool]:
    """Return ``(seen, read)`` of a broadcast; a missing state row is a row of Nones."""
    row = state or StateRow(broadcast.brev, 0)
    cover = cover_of_state(row, watermarks)
    return is_seen(row.marks, cover), is_read(row.marks, cover)


def count_item(item: OwnItem | None, watermarks: Watermarks) -> Counts:
    """Return what one own item adds to the counts of its user: nothing unless it is listed."""
    if item is None or not item.marks.listed:
        return Counts()
    seen, read = decide_item(item, watermarks)
    return Counts(int(not seen), int(not read))
