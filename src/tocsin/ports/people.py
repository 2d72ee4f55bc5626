"""What is decided about a person, and not by that person.

A person is known here by a pseudonym: a keyed hash of hub and user (``api/seal.py``).  So what must outlive an erasure
names nobody.
"""

from collections.abc import Mapping
from typing import Protocol

from tocsin.ports.audit import Deed


class PeopleStore(Protocol):
    """Revocations of client tokens; durable when a call returns."""

    async def valid_from_us(self, pseudonym: str) -> int:
        """Return the time up to which, itself included, issued tokens are void; -1 if none ever were."""
        ...

    async def revoked(self, most: int) -> Mapping[str, int] | None:
        """Return that time for everybody who was ever revoked; None if these are more than ``most``."""
        ...

    async def revoke_tokens(self, pseudonym: str, now_us: int, deed: Deed | None = None) -> int:
        """Void every token issued until now, and return the time that holds from here on.

        It only rises, by one microsecond at least, even if the clock was set back: whatever was issued before is void.
        """
        ...
