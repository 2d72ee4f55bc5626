"""What producers called their alerts, for as long as ids are remembered (``retention.producer_keys_days``).

What was published with ``keeps_id`` is remembered longer, until its alert was withdrawn, dropped, or is in nobody's inbox
any more; beyond ``StoreLimits.kept_ids_per_hub`` of these it is forgotten as others are.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class IdRange(msgspec.Struct, frozen=True):
    """Ids of one producer key and source, from ``low`` up to ``high``, which is not part of it; compared as bytes."""

    hub: str
    key_id: str
    source: str
    low: str
    high: str


class NamedAlert(msgspec.Struct, frozen=True):
    """An accepted alert, and the id that its producer gave it."""

    producer_id: str
    alert_id: str


class ProducerIds(Protocol):
    """Finds accepted alerts by the ids that one producer gave them; nobody else's are seen (I10)."""

    async def named(self, ids: IdRange, *, limit: int) -> Sequence[NamedAlert]:
        """Return up to ``limit`` alerts of a range, the last id first, from the moment their publish was answered."""
        ...
