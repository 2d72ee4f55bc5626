"""The VAPID keys of the memory store."""

from collections.abc import Sequence

from msgspec.structs import replace

from tocsin.adapters.memory.deeds import MemoryDeeds
from tocsin.adapters.memory.editions import MemoryEditions
from tocsin.ports.audit import Deed
from tocsin.ports.vapid import SealedVapidKey


class MemoryVapidKeys:
    """Keeps key pairs in the order in which they were added."""

    def __init__(self, deeds: MemoryDeeds, editions: MemoryEditions) -> None:
        self._deeds = deeds
        self._editions = editions
        self._keys: dict[str, SealedVapidKey] = {}

    async def add_vapid_key(self, key: SealedVapidKey, deed: Deed | None = None) -> None:
        """Keep a new one."""
        self._keys[key.id] = key
        self._deeds.keep(deed)
        self._editions.count("vapid-keys")

    async def vapid_keys(self) -> Sequence[SealedVapidKey]:
        """List them, retired ones too, oldest first."""
        return sorted(self._keys.values(), key=lambda key: (key.created_us, key.id))

    async def retire_vapid_key(self, key_id: str, now_us: int, deed: Deed | None = None) -> None:
        """Retire one."""
        key = self._keys.get(key_id)
        if key is not None and key.retired_us is None:
            self._keys[key_id] = replace(key, retired_us=now_us)
            self._deeds.keep(deed)
            self._editions.count("vapid-keys")
