"""How the story of one person's copy ended, as a plain sentence."""

from typing import Final

from tocsin.clock import to_rfc3339
from tocsin.model.inbox import Entry
from tocsin.model.push import PushEnd
from tocsin.model.receipt import Receipt
from tocsin.ports.traces import Copy

# The first of these that a device told; the words say what is still missing.
_ENDINGS: Final = (
    ("acted", "pressed {action!r} on device {device} at {at}"),
    ("read", "read on device {device} at {at}"),
    ("seen", "seen on device {device} at {at}, not read"),
    ("shown", "shown on device {device} at {at}, not seen or read"),
    ("pushed", "pushed to device {device} at {at}, not shown or seen yet"),
    ("received", "received by device {device} at {at}, not shown yet"),
    ("written", "written to connection {device} at {at}, not acknowledged yet"),
)
_PUSHED: Final = (
    "it was not pushed to device {device}",
    "its push to device {device} waits",
    "it was pushed to device {device}",
)
_READ: Final = ("acted", "read")


def conclusion_of(copy: Copy, user: str) -> str:
    """Say how far the alert got with ``user``, or why it did not."""
    if copy.taken_by is not None:
        taken = (
            f"alert {copy.taken_by.alert_id} took its place at {to_rfc3339(copy.taken_by.at_us)}"
        )
        return f"{_told(copy) or 'delivered'}; then {taken}"
    if copy.entry is None:
        return f"not delivered: {_missing(copy, user)}"
    got = _got(copy, copy.entry)
    deleted_us = copy.entry.marks.deleted_at
    if deleted_us is None:
        return got
    return f"{got}; then {end_of(copy.deleted_by)} at {to_rfc3339(deleted_us)}"


def end_of(deleted_by: str | None) -> str:
    """Say how a copy went: by its user, or by what time and producers do."""
    return "deleted by the user" if deleted_by in (None, "user") else deleted_by


def _got(copy: Copy, entry: Entry) -> str:
    """Say how far it got; the item's own state where that says more than any device."""
    if entry.read and not any(receipt.fact in _READ for receipt in copy.receipts):
        at_us = entry.marks.read_at
        return "read with a mark of everything" if at_us is None else f"read at {to_rfc3339(at_us)}"
    return _told(copy) or f"in the inbox, and no live connection has had it{_pushed(copy)}"


def _pushed(copy: Copy) -> str:
    """Say how far its pushes got, by the device to which one got furthest, or that there is nowhere to push to."""
    told = [(_reached(push.end), push) for push in copy.pushes if push.kind == "show"]
    if not told:
        return "" if copy.reachable else ", nor is any device registered to push it to"
    reached, push = max(told, key=lambda one: one[0])
    why = f" ({push.reason})" if push.reason else ""
    return f"; {_PUSHED[reached].format(device=push.device)}{why}"


def _reached(end: PushEnd | None) -> int:
    if end is None:
        return 1
    return 2 if end in ("accepted", "summed") else 0


def _told(copy: Copy) -> str | None:
    """Return the furthest that a device told, by the first device that did."""
    first: dict[str, Receipt] = {}
    for receipt in sorted(copy.receipts, key=lambda one: one.at_us):
        first.setdefault(receipt.fact, receipt)
    for fact, words in _ENDINGS:
        if fact in first:
            told = first[fact]
            device, at = told.device or "(unnamed)", to_rfc3339(told.at_us)
            return words.format(action=told.action, device=device, at=at)
    return None


def _missing(copy: Copy, user: str) -> str:
    """Say why there is no copy."""
    status = copy.status
    ended_us = status.withdrawn_us or status.expired_us
    if status.processed_us is None:
        return _not_yet(copy, user)
    if status.recipients == 0 and ended_us is not None:
        return f"{status.state} at {to_rfc3339(ended_us)}, before it reached anybody"
    if copy.heard == "before":
        return f"it was broadcast before the inbox of {user} existed"
    if copy.heard == "gone":
        return "the broadcast was withdrawn or has expired"
    return (
        f"{user} is not in its audience, or the copy was deleted so long ago that it is forgotten"
    )


def _not_yet(copy: Copy, user: str) -> str:
    status = copy.status
    if status.state == "dead":
        return f"given up after {copy.attempts} attempts: {status.reason}"
    if copy.addressed is False:
        return f"{user} is not in its audience"
    if status.state == "scheduled" and status.deliver_us is not None:
        return f"scheduled for {to_rfc3339(status.deliver_us)}"
    failed = "" if copy.failure is None else f"; attempt {copy.attempts} failed: {copy.failure}"
    return f"it waits on the queue{failed}"
