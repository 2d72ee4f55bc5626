"""The values of one person's inbox, as the store keeps them.

All times are microseconds since 1970 or None.  A missing state row of a broadcast is a row of Nones.
"""

import msgspec

from tocsin.model.position import Position


class Marks(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a user did to an item, and when; the part own items and broadcasts share."""

    seen_at: int | None = None
    read_at: int | None = None
    unread_at: int | None = None
    archived_at: int | None = None
    deleted_at: int | None = None
    snoozed_until: int | None = None

    @property
    def listed(self) -> bool:
        """Whether lists show and counts count it: not deleted, archived or snoozed."""
        return self.deleted_at is None and self.archived_at is None and self.snoozed_until is None


class OwnItem(msgspec.Struct, frozen=True):
    """One person's copy of one alert.  ``content`` is the alert's encoded content."""

    id: str
    alert_id: str
    sort: int
    rev: int
    content: msgspec.Raw
    marks: Marks = Marks()
    category: str | None = None
    severity: str = "info"
    collapse_key: str | None = None
    expires_us: int | None = None
    deleted_by: str | None = None  # "user", "withdrawn", "expired" or "retired"


class Broadcast(msgspec.Struct, frozen=True):
    """A live entry of the hub's broadcast stream."""

    brev: int
    alert_id: str
    sort: int
    content: msgspec.Raw
    category: str | None = None
    severity: str = "info"
    expires_us: int | None = None


class StateRow(msgspec.Struct, frozen=True):
    """What one user did to one broadcast; ``sort`` only once it woke from snooze."""

    brev: int
    rev: int
    sort: int | None = None
    marks: Marks = Marks()


class Watermarks(msgspec.Struct, frozen=True):
    """Up to here everything is seen or read: over own ``sort``, and over ``brev``.  They only rise."""

    seen_up_to: int = 0
    read_up_to: int = 0
    b_seen_up_to: int = 0
    b_read_up_to: int = 0


class Counts(msgspec.Struct, frozen=True):
    """Unseen and unread among a user's own listed items; broadcasts are not in it."""

    unseen: int = 0
    unread: int = 0


class Head(msgspec.Struct, frozen=True):
    """The counter row of one inbox; whoever changes the inbox locks it first (I3, I4)."""

    user: str
    rev: int = 0
    b_start: int = 0
    last_sort: int = 0
    floor: int = 0
    watermarks: Watermarks = Watermarks()
    counts: Counts = Counts()


class ChangeSet(msgspec.Struct, frozen=True):
    """What one committed change did to one inbox: all of it has the revision ``rev``.

    ``rows`` counts what changed; above 50 the set is announced as a head and ``items``, ``removed`` and ``states`` may be empty.
    """

    epoch: str
    user: str
    rev: int
    watermarks: Watermarks
    counts: Counts
    items: tuple[OwnItem, ...] = ()
    removed: tuple[str, ...] = ()
    states: tuple[StateRow, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows the change touched."""
        return len(self.items) + len(self.removed) + len(self.states)


class BroadcastEntry(msgspec.Struct, frozen=True):
    """One entry of the broadcast stream: an ``add`` or the ``withdraw`` of an earlier one."""

    epoch: str
    hub: str
    brev: int
    add: Broadcast | None = None
    withdraw: int | None = None


class InboxPage(msgspec.Struct, frozen=True):
    """The newest page of own listed items, and all that belongs to the position (one snapshot)."""

    position: Position
    items: tuple[OwnItem, ...]
    end: int | None
    broadcasts: tuple[Broadcast, ...]
    states: tuple[StateRow, ...]
    watermarks: Watermarks
    counts: Counts


class OlderPage(msgspec.Struct, frozen=True):
    """An older page of own listed items; ``watermarks`` decide seen and read in the answer."""

    position: Position
    items: tuple[OwnItem, ...]
    end: int | None
    watermarks: Watermarks


class Changes(msgspec.Struct, frozen=True):
    """Everything after a position, in one piece.  ``live`` is None when ``brev`` did not move."""

    position: Position
    items: tuple[OwnItem, ...]
    removed: tuple[str, ...]
    states: tuple[StateRow, ...]
    watermarks: Watermarks
    counts: Counts
    broadcasts: tuple[Broadcast, ...] = ()
    live: tuple[int, ...] | None = None


class Reload(msgspec.Struct, frozen=True):
    """The client's position cannot be served from: other epoch, purged past, or ahead of the store (I12)."""

    position: Position


class Entry(msgspec.Struct, frozen=True):
    """One row of a merged view: an own item or a broadcast with this user's marks, decided.

    ``brev`` is None for own items.  ``sort`` is the one it is drawn at.
    """

    id: str
    alert_id: str
    sort: int
    content: msgspec.Raw
    marks: Marks
    seen: bool
    read: bool
    brev: int | None = None


class MergedPage(msgspec.Struct, frozen=True):
    """A page of a merged view.  ``next`` is the cursor ``(sort, id)`` of the following page, or None at the end."""

    entries: tuple[Entry, ...]
    next: tuple[int, str] | None
    totals: Counts
