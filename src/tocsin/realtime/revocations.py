"""Whose client tokens are void, and since when.

Every use of a token asks, and hardly anybody was ever revoked: so all revocations are kept in memory, as long as they are
at most 100,000 (I6), and who is not among them was not revoked.  Where they are more, the latest answers of the store are
kept instead.  What another process revokes is read anew as soon as this one looks (``node/following.py``).
"""

from collections.abc import Callable, Iterable
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
        self._known: dict[str, int] = {}
        self._knows_all = False

    async def load(self) -> None:
        """Read what was ever revoked, if it is not too much; to be called before the first question, or not at all.

        Raises:
            UnavailableError: The store cannot be read.
        """
        revoked = await self._people.revoked(self._kept)
        if revoked is not None:
            self._known = dict(revoked)
            self._knows_all = True

    async def renew(self, connected: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Read anew what was revoked, and return whose tokens of those connected were, elsewhere.

        Raises:
            UnavailableError: The store cannot be read.
        """
        revoked = await self._people.revoked(self._kept)
        if revoked is None:
            self._known, self._knows_all = {}, False
            return []
        fresh = {who for who, us in revoked.items() if us > self._known.get(who, -1)}
        for who in fresh:
            self._learn(who, revoked[who])
        return [(h, u) for h, u in connected if self._pseudonym(h, u) in fresh] if fresh else []

    async def valid_from_us(self, hub: str, user: str) -> int:
        """Return the time up to which, itself included, issued tokens are void; -1 if none ever were.

        Raises:
            UnavailableError: The store cannot be read.
        """
        pseudonym = self._pseudonym(hub, user)
        known = self._known.get(pseudonym, -1 if self._knows_all else None)
        if known is None:
            known = self._learn(pseudonym, await self._people.valid_from_us(pseudonym))
        return known

    async def revoke(self, hub: str, user: str, deed: Deed | None = None) -> int:
        """Void every token of a user that was issued until now; returns the time that holds from here on.

        Raises:
            UnavailableError: Nothing was revoked.
        """
        pseudonym, now_us = self._pseudonym(hub, user), self._clock.now_us()
        return self._learn(pseudonym, await self._people.revoke_tokens(pseudonym, now_us, deed))

    def _learn(self, pseudonym: str, holds: int) -> int:
        """Remember what the store said, unless something later is known by now; returns what holds."""
        holds = max(holds, self._known.get(pseudonym, -1))
        if pseudonym not in self._known and len(self._known) >= self._kept:
            del self._known[next(iter(self._known))]
            self._knows_all = False
        self._known[pseudonym] = holds
        return holds
