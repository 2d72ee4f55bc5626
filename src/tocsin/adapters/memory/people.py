"""What is decided about persons, in memory."""

from collections.abc import Mapping

from tocsin.adapters.memory.deeds import MemoryDeeds
from tocsin.adapters.memory.editions import MemoryEditions
from tocsin.ports.audit import Deed


class MemoryPeople:
    """Revocations by pseudonym."""

    def __init__(self, deeds: MemoryDeeds, editions: MemoryEditions) -> None:
        self._deeds = deeds
        self._editions = editions
        self._valid_from: dict[str, int] = {}

    async def valid_from_us(self, pseudonym: str) -> int:
        """Return the time up to which issued tokens are void; -1 if none ever were."""
        return self._valid_from.get(pseudonym, -1)

    async def revoked(self, most: int) -> Mapping[str, int] | None:
        """Return that time for everybody who was ever revoked; None if these are more than ``most``."""
        return None if len(self._valid_from) > most else dict(self._valid_from)

    async def revoke_tokens(self, pseudonym: str, now_us: int, deed: Deed | None = None) -> int:
        """Void every token issued until now."""
        holds = max(now_us, self._valid_from.get(pseudonym, -1) + 1)
        self._valid_from[pseudonym] = holds
        self._deeds.keep(deed)
        self._editions.count("revocations")
        return holds
