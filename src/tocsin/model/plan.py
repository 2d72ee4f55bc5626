"""What a change makes of one inbox, before anything is written.

A store loads a head row and the rows concerned, asks a planner (``arrival``, ``acting``, ``upkeep``), and writes the plan:
so every store decides alike, and a decision can be tested without one.  A planner returns None where nothing would
change: then no revision is spent (I3).
"""

from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from tocsin.model.inbox import ChangeSet, Counts, Head, OwnItem, StateRow, Watermarks
from tocsin.model.rules import count_item


class Plan(msgspec.Struct, frozen=True):
    """The head as it will be, and the rows to write; every row carries ``head.rev``.

    ``collapses`` are pairs of alerts: one, and the one that took its place in this inbox.
    """

    head: Head
    items: tuple[OwnItem, ...] = ()
    states: tuple[StateRow, ...] = ()
    collapses: tuple[tuple[str, str], ...] = ()

    def change_set(self, epoch: str) -> ChangeSet:
        """Return what the change tells clients: tombstones as ids, everything else in full."""
        return ChangeSet(
            epoch=epoch,
            user=self.head.user,
            rev=self.head.rev,
            watermarks=self.head.watermarks,
            counts=self.head.counts,
            items=tuple(item for item in self.items if item.marks.deleted_at is None),
            removed=tuple(item.id for item in self.items if item.marks.deleted_at is not None),
            states=self.states,
        )


def first_head(user: str, brev: int, rev_floor: int = 0) -> Head:
    """Return the head row made at first contact: broadcasts up to ``brev`` are not in this inbox.

    Its revisions begin at ``rev_floor``, and whoever stands below that must reload: an erased user of the same name
    may have left clients behind (I12).
    """
    watermarks = Watermarks(b_seen_up_to=brev, b_read_up_to=brev)
    return Head(user, rev=rev_floor, floor=rev_floor, b_start=brev, watermarks=watermarks)


ItemChange = tuple[OwnItem | None, OwnItem]
"""An own item before (None if it is new) and after."""


def next_sort(last_sort: int, now_us: int) -> int:
    """Return the sort of whatever comes next: above everything there was."""
    return max(now_us, last_sort + 1)


def moved_counts(counts: Counts, changes: Iterable[ItemChange], watermarks: Watermarks) -> Counts:
    """Return the counts moved by the difference that each change makes."""
    unseen, unread = counts.unseen, counts.unread
    for before, after in changes:
        was, is_now = count_item(before, watermarks), count_item(after, watermarks)
        unseen += is_now.unseen - was.unseen
        unread += is_now.unread - was.unread
    return Counts(unseen, unread)


def plan_rows(
    head: Head,
    changes: Sequence[ItemChange],
    states: Sequence[StateRow] = (),
    *,
    last_sort: int | None = None,
) -> Plan | None:
    """Plan a change of rows under unmoved watermarks; the rows get the next revision.

    Args:
        head: The counter row as it is.
        changes: Own items before and after.
        states: State rows of broadcasts as they will be.
        last_sort: The highest sort that was given out, where one was.
    """
    if not changes and not states:
        return None
    rev = head.rev + 1
    return Plan(
        head=replace(
            head,
            rev=rev,
            last_sort=head.last_sort if last_sort is None else last_sort,
            counts=moved_counts(head.counts, changes, head.watermarks),
        ),
        items=tuple(replace(after, rev=rev) for _, after in changes),
        states=tuple(replace(state, rev=rev) for state in states),
    )
