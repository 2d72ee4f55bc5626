"""Announcements from whoever changed an inbox to the gateways that hold its user.

Guarantee: at most once, unordered.  An announcement may be lost, doubled or overtake another; what it says can always be
rebuilt from the store (I5).
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from tocsin.model.inbox import BroadcastEntry, ChangeSet
from tocsin.model.position import Position
from tocsin.model.wire import PREFERENCES_FRAME, broadcast_frame, change_frame, head_frame
from tocsin.ports.store import Swept


class Announcement(msgspec.Struct, frozen=True):
    """One frame for one user's connections, or with ``user`` None for every inbox connection of the hub.

    ``body`` is the frame's JSON, encoded once.  ``number`` is the frame's ``rev`` (or ``brev`` without a user), 0 for one
    that stands in no stream: after writing it the gateway knows how far the connection got.  ``alert_ids`` are the alerts that it brings to the user
    for the first time, of which receipts are kept.
    """

    hub: str
    user: str | None
    number: int
    body: bytes
    alert_ids: tuple[str, ...] = ()


class Announcer(Protocol):
    """Takes announcements."""

    def announce(self, announcements: Sequence[Announcement]) -> None:
        """Pass announcements on.  Never blocks and never fails; what cannot be passed on is dropped."""
        ...


class Fanout(Announcer, Protocol):
    """Carries announcements from any node to those that hold the users."""

    def listen(
        self,
        heard: Callable[[Sequence[Announcement]], None],
        trouble: Callable[[], None],
        known: Callable[[Sequence[tuple[str, str]]], None] | None = None,
    ) -> None:
        """Call ``heard`` for each batch, and ``trouble`` after announcements may have been lost.

        A batch of this node has any users, one of another node those that are held here, and perhaps more.  ``known`` is
        called with held users once the other nodes know of them: what was announced to these before may be lost.
        """
        ...

    def hold(self, hub: str, user: str) -> None:
        """Have other nodes pass on what is announced for a user; again changes nothing."""
        ...

    def let_go(self, hub: str, user: str) -> None:
        """Have other nodes pass on nothing more for a user; nothing happens if it is not held."""
        ...

    def may_be_elsewhere(self, hub: str, user: str) -> bool:
        """Tell whether another node holds a user, or may.

        False is what every node that was heard of has said; whoever is not sure of that, or just started, says True.
        """
        ...


def announce_changes(hub: str, changes: Sequence[ChangeSet]) -> list[Announcement]:
    """Turn change sets into announcements; one of more than 50 rows becomes a ``head``.

    Such a head says 0 for ``brev``, which is never ahead of a client, so it speaks of ``rev`` alone.
    """
    return [_announcement(hub, change) for change in changes]


def announce_arrivals(hub: str, changes: Sequence[ChangeSet]) -> list[Announcement]:
    """Turn the change sets of a delivery into announcements; every item in them is new to its user."""
    return [
        _announcement(hub, change, tuple(item.alert_id for item in change.items))
        for change in changes
    ]


def _announcement(hub: str, change: ChangeSet, alert_ids: tuple[str, ...] = ()) -> Announcement:
    body = change_frame(change)
    if body is None:
        head = head_frame(Position(change.epoch, change.rev, 0))
        return Announcement(hub, change.user, change.rev, head)
    return Announcement(hub, change.user, change.rev, body, alert_ids)


def announce_broadcasts(entries: Sequence[BroadcastEntry]) -> list[Announcement]:
    """Turn entries of broadcast streams into announcements for everybody."""
    return [Announcement(entry.hub, None, entry.brev, broadcast_frame(entry)) for entry in entries]


def announce_preferences(hub: str, user: str | None) -> Announcement:
    """Tell a user's connections, or all of a hub, that preferences changed."""
    return Announcement(hub, user, 0, PREFERENCES_FRAME)


def announce_swept(swept: Swept) -> list[Announcement]:
    """Turn what a round of the sweeper, or of a withdrawal, changed into announcements."""
    announcements = announce_broadcasts(swept.broadcasts)
    for hub, change in swept.changes:
        announcements += announce_changes(hub, [change])
    return announcements
