"""The key pairs that Web Push is signed with (RFC 8292), as they are kept.

Guarantee: every write is one transaction, durable when its call returns.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from tocsin.ports.audit import Deed


class SealedVapidKey(msgspec.Struct, frozen=True):
    """A key pair; ``private_key`` is sealed (encrypted), ``public_key`` as browsers take it (base64url, unpadded)."""

    id: str
    private_key: bytes
    public_key: str
    created_us: int
    retired_us: int | None = None


class VapidStore(Protocol):
    """Keeps key pairs."""

    async def add_vapid_key(self, key: SealedVapidKey, deed: Deed | None = None) -> None:
        """Keep a new one."""
        ...

    async def vapid_keys(self) -> Sequence[SealedVapidKey]:
        """List them, retired ones too, oldest first."""
        ...

    async def retire_vapid_key(self, key_id: str, now_us: int, deed: Deed | None = None) -> None:
        """Retire one for good; nothing happens if there is none, or it is retired."""
        ...
