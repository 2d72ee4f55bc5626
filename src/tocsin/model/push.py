"""Pushes: one message to one device about one alert, from the transaction that made it to its end."""

from typing import Literal

import msgspec

from tocsin.model.alert import Severity
from tocsin.model.device import Device, Platform
from tocsin.model.inbox import Entry

PushKind = Literal["show", "withdraw"]
# How a push ends.  ``cancelled``: there was no reason to send it any more; ``gone``: the device is reached no more;
# ``rejected``: the provider will never take it; ``expired``: it was not taken in time; ``summed``: it went out with others,
# in the summary that one of them became.
PushEnd = Literal["accepted", "cancelled", "gone", "rejected", "expired", "summed"]


class PushJob(msgspec.Struct, frozen=True, kw_only=True):
    """A push that is to be sent now.

    ``number`` is the store's name for it; ``delivery_id`` is the same at every try.  ``attempts`` counts the tries, this
    one included.  ``held``: it was made to wait, by preferences or by a storm, and may go with others in a summary.  ``tag``
    is what a withdrawal takes back, where that is a summary.
    """

    number: int
    delivery_id: str
    hub: str
    user: str
    alert_id: str
    severity: Severity
    device: Device
    kind: PushKind
    made_us: int
    attempts: int
    held: bool = False
    tag: str | None = None

    @property
    def summary_tag(self) -> str:
        """What a device knows the summary by that this push becomes: no older one is replaced by it in silence."""
        return f"summary-{self.delivery_id}"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the inbox says, at this moment, about the alert of a push.

    ``expires_us`` is the end of the item or broadcast.  ``unread`` counts what the person has not read, broadcasts
    included: the badge.  ``collapses``: its producer gave a collapse key, so that another alert may take its place.
    """

    entry: Entry
    category: str | None
    severity: Severity
    expires_us: int | None
    withdrawn: bool
    unread: int
    collapses: bool = False


class Ending(msgspec.Struct, frozen=True):
    """The end of a push, and why."""

    end: PushEnd
    reason: str
    at_us: int


class PutBack(msgspec.Struct, frozen=True):
    """A leased push that waits until ``due_us``; ``tried`` if its try counts.  ``reason`` says why it was not taken.

    ``held`` is for one that nobody was to be sent yet; it stays so.
    """

    number: int
    due_us: int
    reason: str | None = None
    tried: bool = False
    held: bool = False


class PushRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a push to one device: under way while ``end`` is None, and then due at ``due_us``.

    ``held_us`` is when it was first made to wait.
    """

    device: str
    platform: Platform
    kind: PushKind
    made_us: int
    attempts: int
    due_us: int | None
    end: PushEnd | None = None
    reason: str | None = None
    ended_us: int | None = None
    held_us: int | None = None


def outlived(standing: Standing | None, now_us: int) -> bool:
    """Tell whether a device should no longer show an alert: it was dealt with elsewhere, or taken back."""
    reason = why_not(standing, now_us)
    return reason not in (None, "seen")


def why_not(standing: Standing | None, now_us: int) -> str | None:
    """Return why nothing is to be shown any more (I8); None if it still is.

    Args:
        standing: What the inbox says; None if it says nothing of that alert (any more).
        now_us: The time.
    """
    if standing is None:
        return "not-in-inbox"
    marks = standing.entry.marks
    reasons = (
        ("withdrawn", standing.withdrawn),
        ("deleted", marks.deleted_at is not None),
        ("read", standing.entry.read),
        ("seen", standing.entry.seen),
        ("archived", marks.archived_at is not None),
        ("snoozed", marks.snoozed_until is not None),
        ("expired", standing.expires_us is not None and standing.expires_us <= now_us),
    )
    return next((reason for reason, holds in reasons if holds), None)
