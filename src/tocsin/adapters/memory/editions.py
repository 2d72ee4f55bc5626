"""How often was changed what a process keeps in memory, in memory."""

from collections import Counter
from collections.abc import Mapping

from tocsin.ports.editions import Kept


class MemoryEditions:
    """Counts changes."""

    def __init__(self) -> None:
        self._counts: Counter[Kept] = Counter()

    async def editions(self) -> Mapping[Kept, int]:
        """Return how often each was changed."""
        return dict(self._counts)

    def count(self, kept: Kept) -> None:
        """Count a change, in the step that makes it."""
        self._counts[kept] += 1
