"""Whether what a process keeps in memory of the store is still what the store says.

Guarantee: a change of what is kept is counted in the transaction of that change, whichever process makes it.
"""

from collections.abc import Mapping
from typing import Literal, Protocol

# API keys; the access keys of hubs; whose tokens are void; event handlers; VAPID keys; who is being erased.
Kept = Literal["keys", "access-keys", "revocations", "event-handlers", "vapid-keys", "erasures"]


class EditionStore(Protocol):
    """Counts changes."""

    async def editions(self) -> Mapping[Kept, int]:
        """Return how often each was changed; what never was is not among them."""
        ...
