"""The story of one person's copy of an alert: what happened, in order, and a plain sentence of how it ended."""

from collections.abc import Iterator
from typing import Final

import msgspec

from tocsin.inbox.ending import conclusion_of, end_of
from tocsin.model.inbox import Entry
from tocsin.model.push import PushEnd, PushRecord
from tocsin.ports.traces import Copy


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that happened; ``at_us`` is None where the store knows that, and not when."""

    fact: str
    at_us: int | None
    detail: str
    device: str | None = None


class Story(msgspec.Struct, frozen=True):
    """Events in order of time, those without one last."""

    events: tuple[Event, ...]
    conclusion: str


_RANK: Final = {
    fact: rank
    for rank, fact in enumerate(
        (
            *("accepted", "scheduled", "stored", "written", "received"),
            *("push_held", "pushed", "shown", "seen", "read", "acted"),
        )
    )
}


def story_of(copy: Copy, user: str) -> Story:
    """Tell the story of ``user``'s copy."""
    events = (*_of_alert(copy), *_of_copy(copy), *_of_pushes(copy), *_of_devices(copy))
    ordered = sorted(
        events,
        key=lambda event: (
            event.at_us is None,
            event.at_us or 0,
            _RANK.get(event.fact, len(_RANK)),
        ),
    )
    return Story(tuple(ordered), conclusion_of(copy, user))


def _of_alert(copy: Copy) -> Iterator[Event]:
    status = copy.status
    yield Event("accepted", status.accepted_us, f"from key {status.key_id}, source {copy.source!r}")
    if status.deliver_us is not None:
        yield Event("scheduled", status.deliver_us, "the time that its producer set")
    if copy.failure is not None:
        yield Event("failed", None, f"attempt {copy.attempts}: {copy.failure}")
    if copy.dead_us is not None:
        yield Event("dead", copy.dead_us, f"after {copy.attempts} attempts: {status.reason}")
    if status.withdrawn_us is not None:
        yield Event("withdrawn", status.withdrawn_us, "taken back from whoever had not read it")
    if status.expired_us is not None:
        yield Event("expired", status.expired_us, "before it reached anybody")


def _of_copy(copy: Copy) -> Iterator[Event]:
    if copy.entry is not None:
        stored_us = copy.status.processed_us or copy.entry.sort
        yield Event("stored", stored_us, _place(copy.entry, copy.rev))
    for old in copy.took:
        yield Event("collapsed", old.at_us, f"took the place of alert {old.alert_id}")
    if copy.taken_by is not None:
        yield Event("stored", copy.status.processed_us, "in the inbox, until its place was taken")
        yield Event(
            "replaced", copy.taken_by.at_us, f"alert {copy.taken_by.alert_id} took its place"
        )
    if copy.entry is not None:
        yield from _of_marks(copy.entry, copy.deleted_by)


def _place(entry: Entry, rev: int | None) -> str:
    if entry.brev is None:
        return f"item {entry.id}, last changed at revision {rev}"
    return f"broadcast {entry.brev} of the hub, one row for everybody"


def _of_marks(entry: Entry, deleted_by: str | None) -> Iterator[Event]:
    marks = entry.marks
    for fact, at_us, detail in (
        ("seen", marks.seen_at, "the state of the item"),
        ("read", marks.read_at, "the state of the item"),
        ("unread", marks.unread_at, "marked as unread"),
        ("archived", marks.archived_at, ""),
        ("snoozed", marks.snoozed_until, "until then"),
        ("deleted", marks.deleted_at, end_of(deleted_by)),
    ):
        if at_us is not None:
            yield Event(fact, at_us, detail)
    if entry.read and marks.read_at is None:
        yield Event("read", None, "covered by a mark of everything up to a place")


_ENDED: Final[dict[PushEnd, tuple[str, str]]] = {
    "accepted": ("pushed", "taken by the push service"),
    "summed": ("pushed", "taken by the push service"),
    "cancelled": ("push_cancelled", "not sent"),
    "gone": ("push_failed", "the device is reached no more"),
    "rejected": ("push_failed", "the push service will never take it"),
    "expired": ("push_failed", "not taken in time"),
}


def _of_pushes(copy: Copy) -> Iterator[Event]:
    for push in copy.pushes:
        if push.held_us is not None:
            yield Event("push_held", push.held_us, f"{push.platform}, made to wait", push.device)
        if push.end is None:
            detail = _because(push, f"tried {push.attempts} times, looked at again then")
            yield Event("push_waiting", push.due_us, detail, push.device)
        else:
            fact, words = _ENDED[push.end]
            yield Event(fact, push.ended_us, _because(push, words), push.device)


def _because(push: PushRecord, words: str) -> str:
    said = f"{words}: {push.reason}" if push.reason else words
    return f"{push.platform}, {'' if push.kind == 'show' else 'to take it back, '}{said}"


def _of_devices(copy: Copy) -> Iterator[Event]:
    told_by_push = {("pushed", push.device) for push in copy.pushes} | {
        ("push_failed", push.device) for push in copy.pushes
    }
    for receipt in copy.receipts:
        if (receipt.fact, receipt.device) in told_by_push:
            continue
        detail = f"action {receipt.action!r}" if receipt.action else "told by the device"
        if receipt.fact == "written":
            detail = "handed to the connection"
        elif receipt.fact in ("pushed", "push_failed"):
            detail = "told by the push service"
        yield Event(receipt.fact, receipt.at_us, detail, receipt.device)
