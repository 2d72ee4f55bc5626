"""When a row is listed, seen and read: section 1 of the sync contract, over the protocol's JSON.

A row is an own item, or the state row of a broadcast (an empty one where the user never touched it).
"""

from typing import Any

Row = dict[str, Any]

MARKS = ("seen_at", "read_at", "unread_at", "archived_at", "deleted_at", "snoozed_until")
NO_STATE: Row = {}


def listed(row: Row) -> bool:
    """Tell whether lists show the row and counts count it."""
    return not (row.get("deleted_at") or row.get("archived_at") or row.get("snoozed_until"))


def covered(row: Row, brev: int | None, watermarks: Row, action: str) -> bool:
    """Tell whether the watermark of ``action`` ("seen" or "read") has risen above the row.

    ``brev`` is None for an own item.  A broadcast that woke from snooze has a ``sort`` in its state row and is judged
    by that, like an own item.
    """
    sort = row.get("sort")
    if sort is not None:
        return bool(sort <= watermarks[f"{action}_up_to"])
    return brev is not None and bool(brev <= watermarks[f"b_{action}_up_to"])


def is_read(row: Row, brev: int | None, watermarks: Row) -> bool:
    """``read_at`` says yes, ``unread_at`` says no, else the watermark decides."""
    if row.get("read_at"):
        return True
    return not row.get("unread_at") and covered(row, brev, watermarks, "read")


def is_seen(row: Row, brev: int | None, watermarks: Row) -> bool:
    """Read, or ``seen_at``, or the seen watermark."""
    if row.get("seen_at") or covered(row, brev, watermarks, "seen"):
        return True
    return is_read(row, brev, watermarks)


def weight(row: Row, brev: int | None, watermarks: Row) -> tuple[int, int]:
    """What the row adds to the counts ``(unseen, unread)``."""
    if not listed(row):
        return 0, 0
    return (
        int(not is_seen(row, brev, watermarks)),
        int(not is_read(row, brev, watermarks)),
    )
