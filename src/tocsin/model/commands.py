"""What can be done to an inbox: one value per change of the sync contract (docs/reference/sync.md, section 2).

``Unset`` (``msgspec.UNSET``) means: leave that field as it is.
"""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from tocsin.model.inbox import ChangeSet


class Patch(msgspec.Struct, frozen=True):
    """Change the marks of one item that still says ``alert_id``.

    ``seen`` can only be set.  ``snoozed_until`` is microseconds, or None to end a snooze by hand.
    """

    id: str
    alert_id: str
    read: bool | UnsetType = UNSET
    seen: Literal[True] | UnsetType = UNSET
    archived: bool | UnsetType = UNSET
    deleted: Literal[True] | UnsetType = UNSET
    snoozed_until: int | UnsetType | None = UNSET


class PatchItems(msgspec.Struct, frozen=True):
    """At most 500 patches; an item that is gone, deleted or changed refuses the whole command."""

    patches: tuple[Patch, ...]


class RestoreItem(msgspec.Struct, frozen=True):
    """Take back a deletion by the user, while the tombstone exists."""

    id: str
    alert_id: str


class MarkUpTo(msgspec.Struct, frozen=True):
    """Mark everything the user had when acting: own by ``sort``, broadcasts by ``brev``."""

    action: Literal["seen", "read"]
    epoch: str
    sort: int
    brev: int
    category: str | None = None


Command = PatchItems | RestoreItem | MarkUpTo

RefusalCode = Literal["item-not-found", "item-changed", "epoch-changed", "not-restorable"]


class Done(msgspec.Struct, frozen=True):
    """The command took effect or had nothing to do; ``changes`` holds one set per revision spent."""

    epoch: str
    rev: int
    changes: tuple[ChangeSet, ...] = ()


class Refused(msgspec.Struct, frozen=True):
    """The command had no effect, for a reason the client can act on."""

    code: RefusalCode
    detail: str
    epoch: str
    rev: int


Outcome = Done | Refused
