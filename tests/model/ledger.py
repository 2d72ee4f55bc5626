"""What must hold after every step of a history (sync contract, section 6, second bullet)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tocsin.model.commands import Done, MarkUpTo, Outcome
from tocsin.model.inbox import (
    BroadcastEntry,
    ChangeSet,
    Counts,
    Entry,
    InboxPage,
    Marks,
    Watermarks,
)
from tocsin.model.position import Position

Home = tuple[str, str]
Row = dict[str, Any]


def read(marks: Marks, sort: int, watermarks: Watermarks) -> bool:
    if marks.read_at or marks.unread_at:
        return marks.read_at is not None
    return sort <= watermarks.read_up_to


def seen(marks: Marks, sort: int, watermarks: Watermarks) -> bool:
    told = marks.seen_at is not None or sort <= watermarks.seen_up_to
    return told or read(marks, sort, watermarks)


def recounted(page: InboxPage) -> Counts:
    """Count own listed items from scratch."""
    marks = page.watermarks
    return Counts(
        unseen=sum(not seen(item.marks, item.sort, marks) for item in page.items),
        unread=sum(not read(item.marks, item.sort, marks) for item in page.items),
    )


@dataclass
class Inbox:
    """What is known of one inbox: its last revision, and the revision at which each thing arrived."""

    rev: int = 0
    newest: int = 0
    watermarks: Watermarks | None = None
    alerts: dict[tuple[str, str], int] = field(default_factory=dict)
    sorts: dict[tuple[str, int], int] = field(default_factory=dict)
    answers: dict[str, Outcome] = field(default_factory=dict)

    def copy(self) -> "Inbox":
        return Inbox(
            self.rev,
            self.newest,
            self.watermarks,
            dict(self.alerts),
            dict(self.sorts),
            dict(self.answers),
        )


class Ledger:
    """Watches every change set and every operation."""

    def __init__(self) -> None:
        self._inboxes: dict[Home, Inbox] = {}
        self._brevs: dict[str, int] = {}
        self._at: dict[tuple[Home, str, int], tuple[Row, Row]] = {}
        self.acted_at: dict[str, Position | None] = {}

    def inbox(self, home: Home) -> Inbox:
        return self._inboxes.setdefault(home, Inbox())

    def backup(self) -> Any:
        return {h: i.copy() for h, i in self._inboxes.items()}, dict(self._brevs)

    def restore(self, backup: Any) -> None:
        inboxes, brevs = backup
        self._inboxes = {home: inbox.copy() for home, inbox in inboxes.items()}
        self._brevs = dict(brevs)

    def note_change(self, hub: str, change: ChangeSet, *, swept: bool = False) -> None:
        """Revisions have no gap, watermarks never lower, and what wakes is new and unread."""
        inbox = self.inbox((hub, change.user))
        assert change.rev == inbox.rev + 1, f"revision {change.rev} after {inbox.rev}"
        inbox.rev = change.rev
        marks = change.watermarks
        if inbox.watermarks is not None:
            assert _not_lower(inbox.watermarks, marks), f"{inbox.watermarks} fell to {marks}"
        inbox.watermarks = marks
        for item in change.items:
            if swept:
                self._check_woken(inbox, item.marks, item.sort, marks)
            inbox.alerts.setdefault((item.id, item.alert_id), change.rev)
            inbox.sorts.setdefault((item.id, item.sort), change.rev)
        for row in change.states:
            if swept:
                assert row.sort is not None, f"{row} woke without a sort"
                self._check_woken(inbox, row.marks, row.sort, marks)
            if row.sort is not None:
                inbox.sorts.setdefault((f"brev {row.brev}", row.sort), change.rev)
        sorts = [i.sort for i in change.items] + [s.sort or 0 for s in change.states]
        inbox.newest = max(inbox.newest, *sorts, 0)
        counts = {"unseen": change.counts.unseen, "unread": change.counts.unread}
        levels = {name: getattr(marks, name) for name in marks.__struct_fields__}
        self._at[(hub, change.user), change.epoch, change.rev] = (counts, levels)

    def note_broadcast(self, entry: BroadcastEntry) -> None:
        last = self._brevs.get(entry.hub, 0)
        assert entry.brev == last + 1, f"brev {entry.brev} after {last}"
        self._brevs[entry.hub] = entry.brev

    def check_counts(self, page: InboxPage) -> None:
        """Stored counts are those that counting gives."""
        assert page.counts == recounted(page), f"stored {page.counts}, counted {recounted(page)}"

    def check_client(self, home: Home, snapshot: Row) -> None:
        """A position names one state: a client that stands there has its counts and watermarks."""
        position = snapshot["position"]
        if position is None:
            return
        known = self._at.get((home, position["epoch"], position["rev"]))
        if known is not None:
            counts, watermarks = known
            assert snapshot["counts"] == counts, f"{snapshot['counts']} are not {counts}"
            assert snapshot["watermarks"] == watermarks

    def check_act(
        self,
        home: Home,
        op_id: str,
        command: Any,
        outcome: Outcome,
        before: tuple[Position, Sequence[Entry]],
        after: tuple[Position, Sequence[Entry]],
    ) -> None:
        """No op-id takes effect twice, and no operation reaches what arrived after it was made."""
        inbox = self.inbox(home)
        first = inbox.answers.get(op_id)
        if first is not None:
            assert before == after, f"{op_id} took effect twice"
            told = (type(first), first.epoch, first.rev)
            again = (type(outcome), outcome.epoch, outcome.rev)
            assert told == again, f"{op_id} was told {told}, and then {again}"
            return
        inbox.answers[op_id] = outcome
        if not isinstance(outcome, Done):
            assert before == after, f"{op_id} was refused and took effect"
        made_at = self.acted_at[op_id]
        still = {entry.id: entry for entry in after[1]}
        for entry in before[1]:
            now = still.get(entry.id)
            if isinstance(command, MarkUpTo):
                assert now is not None, f"a mark hid {entry.id}"
                assert now.read or not entry.read, f"a mark made {entry.id} unread"
            if now is None or (now.read and not entry.read):
                self._check_had(inbox, entry, command, made_at, before[0])

    def _check_had(
        self, inbox: Inbox, entry: Entry, command: Any, made_at: Position | None, stood: Position
    ) -> None:
        if made_at is None or made_at.epoch != stood.epoch:
            assert not isinstance(command, MarkUpTo), f"a mark of another epoch reached {entry.id}"
            return
        if entry.brev is not None and entry.brev > made_at.brev:
            msg = f"{entry.id} is of brev {entry.brev}, acted at {made_at}"
            raise AssertionError(msg)
        if isinstance(command, MarkUpTo):
            name = entry.id if entry.brev is None else f"brev {entry.brev}"
            arrived = inbox.sorts.get((name, entry.sort), 0)
        else:
            arrived = inbox.alerts.get((entry.id, entry.alert_id), 0)
        assert arrived <= made_at.rev, f"{entry.id} arrived at {arrived}, acted at {made_at}"

    @staticmethod
    def _check_woken(inbox: Inbox, marks: Marks, sort: int, levels: Watermarks) -> None:
        assert not read(marks, sort, levels), "what woke is read"
        assert not seen(marks, sort, levels), "what woke is seen"
        assert sort > inbox.newest, f"what woke is at {sort}, not above {inbox.newest}"


def _not_lower(before: Watermarks, after: Watermarks) -> bool:
    names = before.__struct_fields__
    return all(getattr(after, name) >= getattr(before, name) for name in names)
