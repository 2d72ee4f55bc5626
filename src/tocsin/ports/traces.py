"""All that a store knows of one person's copy of one alert, from one snapshot."""

from typing import Literal, NamedTuple, Protocol

import msgspec
from msgspec.structs import replace

from tocsin.model.inbox import Entry
from tocsin.model.push import PushRecord
from tocsin.model.receipt import Receipt
from tocsin.ports.store import AlertStatus


class Replacement(NamedTuple):
    """An alert of the same collapse key, and when one took the place of the other."""

    alert_id: str
    at_us: int


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """One person's copy of one alert, or what is known where there is none.

    ``status`` is the alert's own, without its counts.  ``addressed``: whether the audience names this user; None where
    that is not known (yet), since an audience is not kept longer than it is needed.  ``attempts``, ``failure`` and ``dead_us``
    are of its processing; an alert that was processed has forgotten them.  ``entry`` is the person's row, a deleted one
    too; ``rev`` is the revision of its last change.  ``heard`` is for broadcasts: whether it is in this inbox, was
    withdrawn or expired, or came before the inbox.  ``reachable``: whether the person has a device to push to now.
    """

    status: AlertStatus
    source: str
    addressed: bool | None = None
    attempts: int = 0
    failure: str | None = None
    dead_us: int | None = None
    entry: Entry | None = None
    rev: int | None = None
    deleted_by: str | None = None
    heard: Literal["live", "gone", "before"] | None = None
    taken_by: Replacement | None = None
    took: tuple[Replacement, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    pushes: tuple[PushRecord, ...] = ()
    reachable: bool = False

    @property
    def is_broadcast(self) -> bool:
        """Whether it was broadcast: only then nobody counted its recipients."""
        return self.status.processed_us is not None and self.status.recipients is None


def without_inbox(copy: Copy) -> Copy:
    """Return what is known of an alert for somebody who has no inbox yet: a broadcast came before it."""
    return replace(copy, heard="before") if copy.is_broadcast else copy


class Traces(Protocol):
    """Looks one copy up."""

    async def copy(self, hub: str, alert_id: str, user: str) -> Copy | None:
        """Tell what is known of a user's copy; None if the hub never had that alert."""
        ...
