"""Which accepted alerts are still on their way."""

from collections.abc import Collection, Sequence
from typing import Protocol


class Arrivals(Protocol):
    """Tells whoever must wait until an alert has arrived, which its publish does not say."""

    async def on_their_way(self, hub: str, alert_ids: Sequence[str]) -> Collection[str]:
        """Return those of a hub's alerts that some people are still to get, from one snapshot.

        Not among them is what is in every inbox it is for, waits for its ``deliver_at``, was withdrawn, expired or given
        up, and what nobody knows (any more).

        Raises:
            UnavailableError: The store was not reached.
        """
        ...
