"""Whose client tokens are void, and since when.

Every use of a token asks, so answers are kept in memory, the latest 100,000 of them (I6).  One process owns the store:
what is revoked is revoked here, and the cache cannot be stale.
"""

from collections.abc import Callable
from typing import Final

from tocsin.clock import Clock
from tocsin.ports.audit import Deed
from tocsin.ports.people import PeopleStore

KEPT: Final = 100_000


class Revocations:
    """Times from which tokens are good, by hub and user."""

    def __init__(
        self,
        people: PeopleStore,
        pseudonym: Callable[[str, str], str],
        clock: Clock,
        kept: int = KEPT,
    ) -> None:
        """Make it; ``pseudonym`` turns hub and user into what the store knows, ``kept`` bounds the memory."""
        self._people = people
        self._pseudonym = pseudonym
        self._clock = clock
        self._kept = kept
        self._known: dict[tuple[str, str], int] = {}

    async def valid_from_us(self, hub: str, user: str) -> int:
        """Return the time up to which, itself included, issued tokens are void; -1 if none ever were.

        Raises:
            UnavailableError: The store cannot be read.
        """
        known = self._known.get((hub, user))
        if known is None:
            known = await self._people.valid_from_us(self._pseudonym(hub, user))
            known = self.learn(hub, user, known)
        return known

    async def revoke(self, hub: str, user: str, deed: Deed | None = None) -> int:
        """Void every token of a user that was issued until now; returns the time that holds from here on.

        Raises:
            UnavailableError: Nothing was revoked.
        """
        pseudonym, now_us = self._pseudonym(hub, user), self._clock.now_us()
        holds = await self._people.revoke_tokens(pseudonym, now_us, deed)
        return self.learn(hub, user, holds)

    def learn(self, hub: str, user: str, holds: int) -> int:
        """Remember what the store said, unless something later is known by now; returns what holds."""
        holds = max(holds, self._known.get((hub, user), -1))
        if len(self._known) >= self._kept:
            del self._known[next(iter(self._known))]
        self._known[hub, user] = holds
        return holds
