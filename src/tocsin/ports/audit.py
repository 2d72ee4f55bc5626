"""Who did what with rights and data: a log that only grows at one end and ages at the other.

Guarantee: a deed is durable when ``note`` returns, and nothing but its age (``StoreLimits.audit_us``) removes it.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class Deed(msgspec.Struct, frozen=True):
    """One action.  ``number`` is the store's, in order of noting.

    ``actor`` is the id of an API key, or ``local`` for the owner of the data folder; ``target`` what it was done to: an id,
    or the pseudonym of a person; ``outcome`` is ``done``, or the code of the refusal.
    """

    hub: str
    actor: str
    actor_name: str
    action: str
    target: str
    outcome: str
    at_us: int
    number: int = 0


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
        """Keep a deed.

        Raises:
            UnavailableError: It was not kept.
        """
        ...

    async def deeds(self, wanted: DeedFilter) -> Sequence[Deed]:
        """List deeds, newest first."""
        ...
