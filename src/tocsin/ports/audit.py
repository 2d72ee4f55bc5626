"""Who did what with rights and data: a log that only grows at one end and ages at the other.

Guarantee: a store's operation that takes a deed keeps it in the transaction that makes the change, so after a crash there
is either both or neither.  Where nothing changes (there is no such thing, or it is so already) nothing is kept.  Nothing but
its age (``StoreLimits.audit_us``) removes a deed.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import msgspec

LOCAL: Final = "local"  # the actor who owns the data folder


class Deed(msgspec.Struct, frozen=True):
    """One action.  ``number`` is the store's, in order of keeping.

    ``hub`` is empty for what was done to all hubs at once.  ``actor`` is the id of an API key, or ``local`` for the owner of
    the data folder; ``target`` what it was done to: an id, a topic, or the pseudonym of a person; ``outcome`` is ``done``,
    ``begun``, or the code of the refusal.  ``detail`` is what else there is to know, e.g. of how many.
    """

    hub: str
    actor: str
    actor_name: str
    action: str
    target: str
    outcome: str
    at_us: int
    number: int = 0
    detail: Mapping[str, str | int] = {}


def backup_deed(archive: str, outcome: str, *, with_key: bool, now_us: int) -> Deed:
    """Tell of a backup of all hubs by the owner of the data folder; ``with_key`` if the key file is in it."""
    detail = {"key_file": "in it" if with_key else "left out"}
    return Deed("", LOCAL, LOCAL, "backup.make", archive, outcome, now_us, detail=detail)


class DeedFilter(msgspec.Struct, frozen=True):
    """Which deeds are listed: those whose fields are as given, numbered below ``below``."""

    hub: str | None = None
    actor: str | None = None
    action: str | None = None
    target: str | None = None
    below: int | None = None
    limit: int = 50


class AuditLog(Protocol):
    """Keeps deeds."""

    async def note(self, deed: Deed) -> None:
        """Keep a deed of something that changes nothing in the store: it was shown, refused, or happens elsewhere.

        Raises:
            UnavailableError: It was not kept.
        """
        ...

    async def deeds(self, wanted: DeedFilter) -> Sequence[Deed]:
        """List deeds, newest first."""
        ...
