"""The key pairs that Web Push is signed with: made at first start, replaced on demand, two valid at a time.

A browser's subscription is bound to the key that it was made with, so replacing a key makes subscriptions void.  Hence both
are good for a while: browsers come back, see that the current key is another, and subscribe anew.

Format:  keys on P-256; the public one as the uncompressed point, 65 bytes, base64url without padding (RFC 8292 section 3.2).
"""

import base64
import secrets
from collections.abc import Sequence
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec.structs import replace

from tocsin.clock import Clock
from tocsin.errors import ConflictError, NotFoundError
from tocsin.ports.audit import Deed
from tocsin.ports.devices import DeviceStore
from tocsin.ports.push import VapidKey
from tocsin.ports.vapid import SealedVapidKey, VapidStore

MOST_VALID: Final = 2
_PRIVATE_BYTES: Final = 32
_CHUNK: Final = 500


class Seal(Protocol):
    """Encrypts what lies in the database."""

    def close(self, secret: bytes) -> bytes:
        """Encrypt."""
        ...

    def open(self, sealed: bytes) -> bytes:
        """Decrypt."""
        ...


class VapidRing:
    """The valid key pairs, in memory; what another process changes is read anew (``node/following.py``)."""

    def __init__(self, store: VapidStore, devices: DeviceStore, seal: Seal, clock: Clock) -> None:
        self._store = store
        self._devices = devices
        self._seal = seal
        self._clock = clock
        self._valid: dict[str, VapidKey] = {}

    async def load(self) -> None:
        """Read the keys, made if there are none, before the first request and whenever another process changed them."""
        valid = [key for key in await self._store.vapid_keys() if key.retired_us is None]
        if not valid:
            valid = [await self._make()]
        self._valid = {key.id: self._opened(key) for key in valid}

    def vapid_key(self, key_id: str) -> VapidKey | None:
        """Return a valid key pair; None if there is none of that id, or it was retired."""
        return self._valid.get(key_id)

    @property
    def current(self) -> VapidKey:
        """The newest key: the one to subscribe with."""
        return list(self._valid.values())[-1]

    @property
    def valid(self) -> Sequence[VapidKey]:
        """The keys whose subscriptions are good, oldest first."""
        return list(self._valid.values())

    async def all(self) -> Sequence[SealedVapidKey]:
        """List the keys, retired ones too, oldest first."""
        return await self._store.vapid_keys()

    async def rotate(self, deed: Deed | None = None) -> VapidKey:
        """Make a new current key; the one before it stays valid until it is retired.

        Raises:
            ConflictError: Two are valid already.
        """
        if len(self._valid) >= MOST_VALID:
            detail = f"{MOST_VALID} VAPID keys are valid; retire the older one first"
            raise ConflictError(detail, code="vapid-keys-full")
        made = await self._make(deed)
        self._valid[made.id] = self._opened(made)
        return self._valid[made.id]

    async def retire(self, key_id: str, deed: Deed | None = None) -> int:
        """Make the older key void, and the subscriptions that were made with it; returns how many these are.

        Raises:
            NotFoundError: There is no valid key of that id.
            ConflictError: It is the current one.
        """
        if key_id not in self._valid:
            detail = f"there is no valid VAPID key {key_id[:40]!r}; `tocsin vapid list` shows them"
            raise NotFoundError(detail, code="vapid-key-not-found")
        if key_id == self.current.id:
            detail = "this is the current VAPID key; make another with `tocsin vapid rotate` first"
            raise ConflictError(detail, code="vapid-key-current")
        now_us = self._clock.now_us()
        await self._store.retire_vapid_key(key_id, now_us, deed)
        self._valid.pop(key_id, None)
        gone = 0
        while some := await self._devices.retire_vapid_devices(key_id, now_us, _CHUNK):
            gone += some
        return gone

    async def _make(self, deed: Deed | None = None) -> SealedVapidKey:
        pair = ec.generate_private_key(ec.SECP256R1())
        private = pair.private_numbers().private_value.to_bytes(_PRIVATE_BYTES, "big")
        point = pair.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        public = base64.urlsafe_b64encode(point).rstrip(b"=").decode()
        made = SealedVapidKey(
            secrets.token_hex(6), self._seal.close(private), public, self._clock.now_us()
        )
        await self._store.add_vapid_key(
            made, None if deed is None else replace(deed, target=made.id)
        )
        return made

    def _opened(self, key: SealedVapidKey) -> VapidKey:
        return VapidKey(key.id, self._seal.open(key.private_key), key.public_key)
