"""What people keep, and the keys of those who may touch it.

Guarantee: serialisable per user; every write is one transaction, durable when its call returns.  A reader gets position
and state from one snapshot.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, Protocol, get_args

import msgspec

from tocsin.model.alert import Envelope
from tocsin.model.commands import Command, Outcome
from tocsin.model.inbox import (
    BroadcastEntry,
    Changes,
    ChangeSet,
    Entry,
    Head,
    InboxPage,
    MergedPage,
    OlderPage,
    Reload,
)
from tocsin.model.position import Position
from tocsin.model.reading import Status
from tocsin.ports.audit import Deed

Role = Literal["producer", "server", "admin"]
KeyName = Literal["primary", "secondary"]


class Delivered(msgspec.Struct, frozen=True):
    """What one processing transaction changed; ``changes`` are per user, in revision order.

    ``unfinished`` are the ids of alerts that more people are to get: deliver them again.
    """

    changes: tuple[ChangeSet, ...] = ()
    broadcasts: tuple[BroadcastEntry, ...] = ()
    unfinished: tuple[str, ...] = ()


class Swept(msgspec.Struct, frozen=True):
    """What one round of the sweeper changed.  ``more``: it stopped at its bound; call again.

    ``changes`` pairs each change set with its hub.
    """

    changes: tuple[tuple[str, ChangeSet], ...] = ()
    broadcasts: tuple[BroadcastEntry, ...] = ()
    more: bool = False


Fate = Literal["withdrawn", "expired"]  # what keeps an alert from reaching anybody


class AlertStatus(msgspec.Struct, frozen=True):
    """Where an alert stands.

    Counts are over its recipients; a broadcast's ``recipients`` is None.  An alert that was withdrawn, or expired, before
    it reached anybody has none, and was processed then.  ``expired_us`` is about these only.
    While the topics of an alert are expanded ``recipients`` counts who got it until now, and ``processed_us`` is None.
    """

    id: str
    hub: str
    key_id: str
    state: Literal["accepted", "scheduled", "processed", "withdrawn", "expired", "dead"]
    accepted_us: int
    deliver_us: int | None = None
    processed_us: int | None = None
    withdrawn_us: int | None = None
    expired_us: int | None = None
    recipients: int | None = None
    seen: int = 0
    read: int = 0
    reason: str | None = None


class Listing(msgspec.Struct, frozen=True):
    """What a merged view shows, and where to go on; ``cursor`` is the ``(sort, id)`` to stay below."""

    status: Status = "all"
    category: str | None = None
    severity: str | None = None
    limit: int = 50
    cursor: tuple[int, str] | None = None


AlertState = Literal["processed", "scheduled", "dead"]
ALERT_STATES: Final[tuple[AlertState, ...]] = get_args(AlertState)
"""What lists of alerts can be asked for."""


class AlertListing(msgspec.Struct, frozen=True):
    """Which alerts of a hub are listed, and where to go on; ``cursor`` is the ``(accepted_us, id)`` to stay below.

    ``key_id`` lists only what was published with that key, ``since_us`` only what was accepted then or later.
    ``processed`` has the withdrawn and the expired too.
    """

    state: AlertState = "processed"
    key_id: str | None = None
    source: str | None = None
    category: str | None = None
    since_us: int = 0
    limit: int = 50
    cursor: tuple[int, str] | None = None


class ListedAlert(msgspec.Struct, frozen=True):
    """One alert of a list; a broadcast's ``recipients`` is None.

    One that is not processed has neither ``processed_us`` nor recipients; a dead one has the ``reason``.
    """

    id: str
    accepted_us: int
    deliver_us: int | None
    processed_us: int | None
    withdrawn_us: int | None
    expired_us: int | None
    recipients: int | None
    content: msgspec.Raw
    reason: str | None = None


class AlertPage(msgspec.Struct, frozen=True):
    """A page of alerts, newest first; ``next`` is the cursor of the page after it, None at the end."""

    alerts: tuple[ListedAlert, ...]
    next: tuple[int, str] | None


def begun_state(letter: object | None) -> Literal["accepted", "dead"]:
    """Name where an alert stands that a part of its audience has: it was accepted, unless it was given up."""
    return "accepted" if letter is None else "dead"


def processed_state(
    withdrawn_us: int | None, expired_us: int | None
) -> Literal["processed", "withdrawn", "expired"]:
    """Name where an alert stands that left the queue for good."""
    if withdrawn_us is not None:
        return "withdrawn"
    return "processed" if expired_us is None else "expired"


def listed_unprocessed(envelope: Envelope, reason: str | None = None) -> ListedAlert:
    """Return an alert as lists show it that waits for its time, or was given up for a ``reason``."""
    return ListedAlert(
        id=envelope.id,
        accepted_us=envelope.accepted_us,
        deliver_us=envelope.deliver_us,
        processed_us=None,
        withdrawn_us=None,
        expired_us=None,
        recipients=None,
        content=envelope.content,
        reason=reason,
    )


def page_of_alerts(found: Sequence[ListedAlert], limit: int) -> AlertPage:
    """Return a page and where the next begins, from up to ``limit + 1`` alerts, newest first."""
    page = tuple(found[:limit])
    more = len(found) > limit
    return AlertPage(page, (page[-1].accepted_us, page[-1].id) if more else None)


class Deliveries(Protocol):
    """What brings alerts into inboxes."""

    async def deliver(self, envelopes: Sequence[Envelope]) -> Mapping[str, Delivered]:
        """Write alerts, items, revisions and counts in one transaction; the result is per hub.

        Envelopes delivered before are dropped silently (I2), so a redelivery changes nothing.  One that has expired by
        now reaches nobody.  All items that one call gives a user may share a revision; users are locked in order, the
        hub's row last.

        One to topics is delivered to the next 125 people, in the order of their names.  The place is kept in the same
        transaction: delivered again it goes on from there, and everybody gets it once, as the topics are when their turn
        comes.  A withdrawal or the expiry ends it.

        Raises:
            UnavailableError: Nothing was written.
        """
        ...


class InboxStore(Deliveries, Protocol):
    """The inboxes and the broadcast streams."""

    async def first_contact(self, hub: str, user: str) -> None:
        """Make the head row if there is none: from here on broadcasts count for this user."""
        ...

    async def inbox(
        self, hub: str, user: str, *, limit: int, position: Position | None = None
    ) -> InboxPage | Reload:
        """Read the newest page; ``position`` is where the client stands, if it stands anywhere."""
        ...

    async def older(
        self, hub: str, user: str, *, limit: int, before: int, position: Position | None = None
    ) -> OlderPage | Reload:
        """Read own listed items with ``sort < before``."""
        ...

    async def changes(self, hub: str, user: str, since: Position) -> Changes | Reload:
        """Read everything after ``since`` in one piece; more than 500 rows is a ``Reload``."""
        ...

    async def entries(self, hub: str, user: str, listing: Listing) -> MergedPage:
        """Read own items and broadcasts merged, newest first, seen and read decided."""
        ...

    async def entry(self, hub: str, user: str, item_id: str) -> Entry | None:
        """Read one row of the merged view, archived and snoozed ones too; None if it is gone or deleted."""
        ...

    async def act(self, hub: str, user: str, command: Command, op_id: str | None) -> Outcome:
        """Carry out a user's command; a repeat under the same ``op_id`` gets the stored answer.

        One transaction, but for a mark with a category over more than 500 rows, which takes several and stores the
        op-id with the last.
        """
        ...

    async def withdraw(self, hub: str, alert_id: str, deed: Deed | None = None) -> Swept:
        """Take an alert back from every inbox where it is unread; a broadcast from everybody.

        One that still waits on the queue or for its time, or is dead, will reach nobody.  Call again while the answer says
        ``more``; what is left when nobody does, because of a crash or a disk that was away, is taken back by the sweep.
        """
        ...

    async def sweep(self, *, limit: int = 500) -> Swept:
        """Wake what is due, expire, finish withdrawals, retire and purge, at most ``limit`` rows."""
        ...

    async def positions(self, hub: str, users: Sequence[str]) -> Mapping[str, Position]:
        """Tell where these users' inboxes stand, in one snapshot; unknown users are left out."""
        ...

    async def head(self, hub: str, user: str) -> tuple[Head, Position]:
        """Read the counter row, made if it was not there."""
        ...

    async def alert(self, hub: str, alert_id: str) -> AlertStatus | None:
        """Tell where an alert stands, from the moment its publish was answered."""
        ...

    async def alerts(self, hub: str, listing: AlertListing) -> AlertPage:
        """List the alerts of a hub in one state, in order of acceptance, newest first."""
        ...


class ApiKey(msgspec.Struct, frozen=True):
    """An API key as it is kept: ``digest`` is SHA-256 of the secret, which is nowhere."""

    id: str
    hub: str
    role: Role
    name: str
    digest: bytes
    created_us: int
    revoked_us: int | None = None


class AccessKeys(msgspec.Struct, frozen=True):
    """The two keys of a hub that sign client tokens; sealed (encrypted) as they are stored."""

    primary: bytes
    secondary: bytes


class KeyStore(Protocol):
    """API keys and access keys."""

    async def add_key(self, key: ApiKey, deed: Deed | None = None) -> None:
        """Keep a new key."""
        ...

    async def keys(self, hub: str | None = None) -> Sequence[ApiKey]:
        """List keys, revoked ones too, oldest first; of one hub or all."""
        ...

    async def revoke_key(self, key_id: str, now_us: int, deed: Deed | None = None) -> bool:
        """Revoke a key; False if there is none of that id.  Repeating it changes nothing."""
        ...

    async def access_keys(self, hub: str) -> AccessKeys | None:
        """Return the hub's sealed access keys; None if there is no such hub."""
        ...

    async def open_hub(self, hub: str, fresh: AccessKeys) -> AccessKeys:
        """Return the hub's sealed access keys, keeping ``fresh`` if it has none yet."""
        ...

    async def replace_access_key(
        self, hub: str, which: KeyName, fresh: bytes, deed: Deed | None = None
    ) -> bool:
        """Put a sealed key in the place of one of the hub's two; False if there is no such hub."""
        ...


class Store(InboxStore, KeyStore, Protocol):
    """Both, with a life."""

    async def check_writable(self) -> None:
        """Commit a row with an fsync.

        Raises:
            UnavailableError: A publish would not be durable now; the detail says why.
        """
        ...

    async def close(self) -> None:
        """Finish what was begun and close the files."""
        ...
