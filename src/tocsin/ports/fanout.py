"""Announcements from whoever changed an inbox to the gateways that hold its user.

Guarantee: at most once, unordered.  An announcement may be lost, doubled or overtake another; what it says can always be
rebuilt from the store (I5).
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec


class Announcement(msgspec.Struct, frozen=True):
    """One frame for one user's connections, or with ``user`` None for every inbox connection of the hub.

    ``body`` is the frame's JSON, encoded once.  ``number`` is the frame's ``rev`` (or ``brev`` without a user): after
    writing it the gateway knows how far the connection got.
    """

    hub: str
    user: str | None
    number: int
    body: bytes


class Fanout(Protocol):
    """Carries announcements; knows nothing of who listens where."""

    def announce(self, announcements: Sequence[Announcement]) -> None:
        """Pass announcements on.  Never blocks and never fails; what cannot be passed on is dropped."""
        ...

    def listen(
        self, heard: Callable[[Sequence[Announcement]], None], trouble: Callable[[], None]
    ) -> None:
        """Call ``heard`` for each batch, and ``trouble`` after announcements may have been lost."""
        ...
