"""Faults put in on purpose: each breaks one rule of the sync contract, and the histories must notice.

A mutation is a subclass, or a name patched for one test; product code has no switches.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from tests.model import server
from tests.model.device import Row
from tests.model.memory_kit import copied, memory_kit
from tests.model.server import Kit
from tocsin.adapters.memory import actions, sweep
from tocsin.adapters.memory.store import MemoryStore
from tocsin.client import core, reading
from tocsin.client.reading import Reading
from tocsin.client.rules import listed
from tocsin.client.state import InboxState
from tocsin.model import acting, answers, wire
from tocsin.model.alert import Envelope
from tocsin.model.commands import Command, Done, MarkUpTo, Outcome, PatchItems
from tocsin.model.inbox import (
    BroadcastEntry,
    Changes,
    ChangeSet,
    Counts,
    Head,
    OwnItem,
    Reload,
    StateRow,
    Watermarks,
)
from tocsin.model.plan import Plan
from tocsin.model.position import Position
from tocsin.model.rules import count_item
from tocsin.model.upkeep import purge, retirable, wake
from tocsin.ports import fanout
from tocsin.ports.fanout import Announcement, announce_broadcasts
from tocsin.ports.store import Delivered, Swept

Patcher = pytest.MonkeyPatch
Mutation = Callable[[Patcher], Kit]


# Reading


class StateBeforePosition(MemoryStore):
    """Every other read takes the rows before a write, and the position after it."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._before = copied(self._tables)
        self._reads = 0

    async def deliver(self, envelopes: Sequence[Envelope]) -> Mapping[str, Delivered]:
        self._before = copied(self._tables)
        return await super().deliver(envelopes)

    async def act(self, hub: str, user: str, command: Command, op_id: str | None) -> Outcome:
        self._before = copied(self._tables)
        return await super().act(hub, user, command, op_id)

    async def changes(self, hub: str, user: str, since: Position) -> Changes | Reload:
        self._reads += 1
        found = await super().changes(hub, user, since)
        if self._reads % 2 or isinstance(found, Reload):
            return found
        now, self._tables = self._tables, copied(self._before)
        early = await super().changes(hub, user, since)
        self._tables = now
        return found if isinstance(early, Reload) else replace(early, position=found.position)


class CutInsideRevision(MemoryStore):
    """Changes are paged, two rows at a time, wherever that falls."""

    async def changes(self, hub: str, user: str, since: Position) -> Changes | Reload:
        found = await super().changes(hub, user, since)
        if isinstance(found, Reload) or len(found.items) <= 2:
            return found
        items = sorted(found.items, key=lambda item: item.rev)[:2]
        rev = items[-1].rev
        return replace(found, items=tuple(items), position=replace(found.position, rev=rev))


class LastRowsRevision(MemoryStore):
    """The position reached is the last row's, not the snapshot's."""

    async def changes(self, hub: str, user: str, since: Position) -> Changes | Reload:
        found = await super().changes(hub, user, since)
        if isinstance(found, Reload):
            return found
        revs = [item.rev for item in found.items] + [row.rev for row in found.states]
        rev = max(revs, default=since.rev)
        return replace(found, position=replace(found.position, rev=rev))


# Numbering


class UserSequence(MemoryStore):
    """Revisions come from a sequence: every third delivery commits after the one that follows it."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._deliveries = 0
        self._open: list[tuple[str, str, OwnItem]] = []

    async def deliver(self, envelopes: Sequence[Envelope]) -> Mapping[str, Delivered]:
        delivered = await super().deliver(envelopes)
        for hub, user, item in self._open:
            self._put(hub, user, item)
        self._open = []
        self._deliveries += 1
        if self._deliveries % 3 == 0:
            for hub, some in delivered.items():
                for change in some.changes:
                    inbox = self._tables.inbox(hub, change.user)
                    for item in change.items:
                        if inbox.items.get(item.id) == item:
                            del inbox.items[item.id]
                            inbox.head = _counting(inbox.head, item, -1)
                            self._open.append((hub, change.user, item))
        return delivered

    def _put(self, hub: str, user: str, item: OwnItem) -> None:
        inbox = self._tables.inbox(hub, user)
        if item.id not in inbox.items:
            inbox.items[item.id] = item
            inbox.head = _counting(inbox.head, item, +1)


def _counting(head: Head, item: OwnItem, sign: int) -> Head:
    added = count_item(item, head.watermarks)
    unseen = head.counts.unseen + sign * added.unseen
    return replace(head, counts=Counts(unseen, head.counts.unread + sign * added.unread))


class HubSequence(MemoryStore):
    """Broadcast numbers come from a sequence: every third one commits after whatever follows it."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._deliveries = 0
        self._open: list[tuple[str, Any]] = []

    async def deliver(self, envelopes: Sequence[Envelope]) -> Mapping[str, Delivered]:
        delivered = await super().deliver(envelopes)
        for hub, add in self._open:
            self._tables.hub(hub).live.setdefault(add.brev, add)
        self._open = []
        self._deliveries += 1
        if self._deliveries % 3 == 0:
            for hub, some in delivered.items():
                for entry in some.broadcasts:
                    if entry.add is not None and entry.brev in self._tables.hub(hub).live:
                        del self._tables.hub(hub).live[entry.brev]
                        self._open.append((hub, entry.add))
        return delivered


# Changing


class PatchWithoutAlertId(MemoryStore):
    """A patch reaches the item whatever it says by now."""

    async def act(self, hub: str, user: str, command: Command, op_id: str | None) -> Outcome:
        if isinstance(command, PatchItems):
            items = self._tables.inbox(hub, user).items
            command = PatchItems(
                tuple(
                    replace(patch, alert_id=items[patch.id].alert_id)
                    if patch.id in items
                    else patch
                    for patch in command.patches
                )
            )
        return await super().act(hub, user, command, op_id)


class UpToWithoutEpoch(MemoryStore):
    """A mark counts whatever the epoch it was made under."""

    async def act(self, hub: str, user: str, command: Command, op_id: str | None) -> Outcome:
        if isinstance(command, MarkUpTo):
            command = replace(command, epoch=self._tables.hub(hub).stream.epoch)
        return await super().act(hub, user, command, op_id)


class OpIdNotStored(MemoryStore):
    """Repeats are carried out again."""

    async def act(self, hub: str, user: str, command: Command, op_id: str | None) -> Outcome:
        del op_id
        return await super().act(hub, user, command, None)


class OpIdStoredOnlyWithChange(MemoryStore):
    """The answer of an operation that changed nothing is not remembered."""

    async def act(self, hub: str, user: str, command: Command, op_id: str | None) -> Outcome:
        outcome = await super().act(hub, user, command, op_id)
        if op_id is not None and not (isinstance(outcome, Done) and outcome.changes):
            self._tables.inbox(hub, user).ops.pop(op_id, None)
        return outcome


class RetentionWithoutChange(MemoryStore):
    """Old read items vanish without a revision."""

    async def sweep(self, *, limit: int = 500) -> Swept:
        before_us = self._clock.now_us() - self._limits.read_retention_us
        for hub in self._tables.hubs.values():
            for inbox in hub.inboxes.values():
                marks = inbox.head.watermarks
                for item in list(inbox.items.values()):
                    if retirable(item, marks, before_us):
                        del inbox.items[item.id]
        return await super().sweep(limit=limit)


def lowering_watermark(patcher: Patcher) -> Kit:
    def set_to(watermarks: Watermarks, mark: MarkUpTo) -> Watermarks:
        after = replace(watermarks, seen_up_to=mark.sort, b_seen_up_to=mark.brev)
        if mark.action == "seen":
            return after
        return replace(after, read_up_to=mark.sort, b_read_up_to=mark.brev)

    patcher.setattr(acting, "raised", set_to)
    patcher.setattr(actions, "raised", set_to)
    return memory_kit()


def purge_without_floor(patcher: Patcher) -> Kit:
    def purged(head: Head, revs: Iterable[int]) -> Head:
        return replace(purge(head, revs), floor=head.floor)

    patcher.setattr(sweep, "purge", purged)
    return memory_kit()


def wake_in_place(patcher: Patcher) -> Kit:
    def woken(
        head: Head, items: Sequence[OwnItem], states: Sequence[StateRow], now_us: int
    ) -> Plan | None:
        plan = wake(head, items, states, now_us)
        if plan is None:
            return None
        places = {item.id: item.sort for item in items}
        stayed = tuple(replace(item, sort=places[item.id]) for item in plan.items)
        unmoved = tuple(replace(row, sort=None) for row in plan.states)
        return replace(plan, items=stayed, states=unmoved)

    patcher.setattr(sweep, "wake", woken)
    return memory_kit()


# The client


class CountsOfIgnoredFrame(Reading):
    """A late frame is ignored, but its counts are taken."""

    def _judge_numbered(self, frame: Row, position: Row) -> bool:
        if frame["kind"] == "inbox" and frame["rev"] <= position["rev"]:
            self.state.counts = frame["counts"]
        return super()._judge_numbered(frame, position)


class NoEpochCheck(Reading):
    """A frame of any epoch is taken for one of mine."""

    def _judge(self, frame: Row) -> bool:
        position = self.state.position
        return super()._judge(frame if position is None else {**frame, "epoch": position["epoch"]})


class FramesUnderPage(Reading):
    """Frames are applied while an older page is under way."""

    def _judge(self, frame: Row) -> bool:
        read = self._read
        if read is not None and read[1] == "older":
            self._read = None
        applied = super()._judge(frame)
        self._read = read
        return applied


class NoChangeAsFrame(Reading):
    """An answer that changed nothing moves the position."""

    def take(self, frame: Row) -> None:
        super().take(frame)
        position = self.state.position
        if "tocsin" not in frame and position is not None:  # the head that such an answer is
            rev = max(position["rev"], frame["rev"])
            self.state.position = {**position, "rev": rev}


class EndIsOldestHeld(InboxState):
    """The window reaches down to the oldest item that happens to be held."""

    def _put_items(self, items: Any) -> None:
        for item in items:
            if listed(item):
                self.items[item["id"]] = item
            else:
                self.items.pop(item["id"], None)
        if self.end is not None and self.items:
            self.end = min(item["sort"] for item in self.items.values())


class AddResetsState(InboxState):
    """An ``add`` begins with an untouched state row."""

    def apply_broadcast_frame(self, frame: Row) -> None:
        super().apply_broadcast_frame(frame)
        if frame.get("add") is not None:
            self.states.pop(frame["brev"], None)


class UpToFromBroadcast(InboxState):
    """A mark reaches up to the newest thing drawn, a broadcast's own sort included."""

    def up_to(self, top: float) -> Row | None:
        drawn = [row["sort"] for row in self.broadcasts.values() if row["sort"] <= top]
        had = super().up_to(top)
        return had and {**had, "sort": max((had["sort"], *drawn))}


class BroadcastsOfOwnFrames(InboxState):
    """Broadcasts are taken from own frames too."""

    def apply_inbox_frame(self, frame: Row) -> None:
        super().apply_inbox_frame(frame)
        self.broadcasts.update((row["brev"], row) for row in frame.get("broadcasts", ()))


def content_in_own_frames(patcher: Patcher) -> Kit:
    """An own frame that touches a broadcast says again what the broadcast says."""
    said: dict[tuple[str, int], bytes] = {}

    def remembered(entries: Sequence[BroadcastEntry]) -> list[Announcement]:
        for entry in entries:
            if entry.add is not None:
                said[entry.epoch, entry.brev] = wire.broadcast_json(entry.add)
        return announce_broadcasts(entries)

    def with_content(change: ChangeSet) -> bytes | None:
        frame = wire.change_frame(change)
        if frame is None:
            return None
        touched = [said.get((change.epoch, row.brev)) for row in change.states]
        contents = wire.array_json(body for body in touched if body is not None)
        return frame[:-1] + b',"broadcasts":%s}' % contents

    patcher.setattr(server, "announce_broadcasts", remembered)
    patcher.setattr(fanout, "change_frame", with_content)
    patcher.setattr(answers, "change_frame", with_content)
    return state(BroadcastsOfOwnFrames)(patcher)


def store(kind: type[MemoryStore]) -> Mutation:
    return lambda _patcher: memory_kit(new_store=kind)


def client(kind: type[Reading]) -> Mutation:
    def mutate(patcher: Patcher) -> Kit:
        patcher.setattr(core, "Reading", kind)
        return memory_kit()

    return mutate


def state(kind: type[InboxState]) -> Mutation:
    def mutate(patcher: Patcher) -> Kit:
        patcher.setattr(reading, "InboxState", kind)
        return memory_kit()

    return mutate


MUTATIONS: dict[str, Mutation] = {
    "state before position": store(StateBeforePosition),
    "a sequence instead of the user's counter row": store(UserSequence),
    "a sequence instead of the hub's counter row": store(HubSequence),
    "counts of an ignored frame": client(CountsOfIgnoredFrame),
    "a watermark that lowers": lowering_watermark,
    "changes cut inside a revision": store(CutInsideRevision),
    "frames applied without the epoch check": client(NoEpochCheck),
    "window end is the oldest item held": state(EndIsOldestHeld),
    "frames applied under a page request": client(FramesUnderPage),
    "add resets a state": state(AddResetsState),
    "broadcast content in own frames": content_in_own_frames,
    "a no-change answer applied as a frame": client(NoChangeAsFrame),
    "patch without alert_id": store(PatchWithoutAlertId),
    "up_to without epoch": store(UpToWithoutEpoch),
    "up_to from a broadcast's sort": state(UpToFromBroadcast),
    "purge without floor": purge_without_floor,
    "retention without a change": store(RetentionWithoutChange),
    "op-id not stored": store(OpIdNotStored),
    "op-id not stored when nothing changed": store(OpIdStoredOnlyWithChange),
    "position is the last row's revision": store(LastRowsRevision),
    "wake in place": wake_in_place,
}

# What shows these rarely happens by itself, so their histories do more of it.
FOCUS: dict[str, tuple[str, ...]] = {
    "frames applied under a page request": ("load_older", "deliver_own"),
    "add resets a state": ("broadcast", "burst"),
    "broadcast content in own frames": ("broadcast", "burst", "withdraw"),
}
