"""The two kinds of secrets.

API keys are shown once and kept as a digest.  Access keys sign client tokens, so they must be recoverable: they lie in the
database sealed (``api/seal.py``).
"""

import asyncio
import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from tocsin.api.seal import Seal
from tocsin.clock import Clock
from tocsin.errors import UnauthenticatedError
from tocsin.ports.audit import Deed
from tocsin.ports.store import AccessKeys, ApiKey, KeyName, KeyStore, Role
from tocsin.realtime.revocations import Revocations

PREFIX = "tsk"
_NAMES: Final[tuple[KeyName, KeyName]] = ("primary", "secondary")


class KeyRing:
    """API keys and access keys of all hubs, cached; what another process changes is read anew (``node/following.py``)."""

    def __init__(self, store: KeyStore, seal: Seal, clock: Clock, revocations: Revocations) -> None:
        self._store = store
        self._seal = seal
        self._clock = clock
        self.revocations = revocations
        self._keys: dict[str, ApiKey] = {}
        self._access: dict[str, tuple[bytes, bytes]] = {}
        self._replacing = asyncio.Lock()
        self._unused = (os.urandom(48), os.urandom(48))
        self._revoked: list[Callable[[str], None]] = []

    async def load(self) -> None:
        """Read all API keys and revocations; to be called once before the first request."""
        await self.revocations.load()
        self._keys = {key.id: key for key in await self._store.keys()}

    async def renew_keys(self) -> None:
        """Read the API keys anew; who listens is told of those that were revoked elsewhere."""
        for key in await self._store.keys():
            known = self._keys.get(key.id)
            if known is not None and known.revoked_us is not None:
                continue  # no key comes back
            self._keys[key.id] = key
            if known is not None and key.revoked_us is not None:
                for heard in self._revoked:
                    heard(key.id)

    async def renew_access_keys(self) -> list[tuple[str, KeyName]]:
        """Read the access keys that are in memory anew; returns those that were regenerated elsewhere."""
        async with self._replacing:
            changed: list[tuple[str, KeyName]] = []
            for hub, known in list(self._access.items()):
                sealed = await self._store.access_keys(hub)
                if sealed is not None:
                    self._access[hub] = fresh = self._opened(sealed)
                    pairs = zip(_NAMES, known, fresh, strict=True)
                    changed += [(hub, name) for name, old, now in pairs if old != now]
        return changed

    async def create(
        self, hub: str, role: Role, name: str, deed: Deed | None = None
    ) -> tuple[str, ApiKey]:
        """Make a key; the text returned with it is nowhere else.  The deed is kept with its id as the target."""
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        digest = hashlib.sha256(secret.encode()).digest()
        key = ApiKey(key_id, hub, role, name, digest, self._clock.now_us())
        await self._store.add_key(key, deed and replace(deed, hub=hub, target=key_id))
        self._keys[key_id] = key
        return f"{PREFIX}_{role}_{key_id}_{secret}", key

    def all(self, hub: str | None) -> list[ApiKey]:
        """List keys, of one hub or of all, oldest first."""
        return [key for key in self._keys.values() if hub in (None, key.hub)]

    def on_revoke(self, heard: Callable[[str], None]) -> None:
        """Call ``heard`` with the id of each key that is revoked from now on."""
        self._revoked.append(heard)

    async def revoke(self, key_id: str, deed: Deed | None = None) -> bool:
        """Revoke a key from this moment on, what it holds open included; False if there is none of that id."""
        now_us = self._clock.now_us()
        found = await self._store.revoke_key(key_id, now_us, deed)
        key = self._keys.get(key_id)
        if found and key is not None and key.revoked_us is None:
            self._keys[key_id] = replace(key, revoked_us=now_us)
            for heard in self._revoked:
                heard(key_id)
        return found

    def find(self, key_id: str) -> ApiKey | None:
        """Return a key by its id, revoked or not, of whatever hub."""
        return self._keys.get(key_id)

    def check(self, text: str) -> ApiKey:
        """Return the key that ``text`` is.

        Raises:
            UnauthenticatedError: It is no key, unknown or revoked; which of these is not told apart but for revoked.
        """
        parts = text.split("_", 3)
        key = self._keys.get(parts[2]) if len(parts) == 4 else None  # noqa: PLR2004 -- tsk_ROLE_ID_SECRET
        digest = hashlib.sha256(parts[-1].encode()).digest()
        if key is None or not hmac.compare_digest(digest, key.digest):
            raise UnauthenticatedError(
                "this API key is unknown; create one with `tocsin key create`"
            )
        if key.revoked_us is not None:
            detail = f"the API key {key.id} ({key.name}) was revoked; create another"
            raise UnauthenticatedError(detail, code="key-revoked")
        return key

    async def access_keys(self, hub: str) -> tuple[bytes, bytes]:
        """Return the hub's primary and secondary access key.

        A token may name any hub, so asking never makes one, and whoever asks is not told whether there is one (I10).

        Where nothing was ever done the keys are ones that sign nothing, so that any token fails there as elsewhere.
        """
        known = self._access.get(hub)
        if known is not None:
            return known
        sealed = await self._store.access_keys(hub)
        if sealed is None:
            return self._unused
        return self._remember(hub, sealed)

    async def valid_from_us(self, hub: str, user: str) -> int:
        """Return the time up to which, itself included, issued tokens of a user are void."""
        return await self.revocations.valid_from_us(hub, user)

    async def open_hub(self, hub: str) -> tuple[bytes, bytes]:
        """Return the hub's access keys, made at first use; for callers that hold a key of it."""
        known = self._access.get(hub)
        if known is None:
            fresh = AccessKeys(self._fresh(), self._fresh())
            known = self._remember(hub, await self._store.open_hub(hub, fresh))
        return known

    async def regenerate(
        self, hub: str, which: KeyName, deed: Deed | None = None
    ) -> tuple[bytes, bytes]:
        """Replace one of the hub's access keys from this moment on; returns both as they are now.

        Raises:
            UnavailableError: Nothing was replaced.
        """
        async with self._replacing:
            await self.open_hub(hub)
            sealed = self._fresh()
            await self._store.replace_access_key(hub, which, sealed, deed)
            fresh = self._seal.open(sealed)
            primary, secondary = self._access[hub]
            known = (fresh, secondary) if which == "primary" else (primary, fresh)
            self._access[hub] = known
        return known

    def _remember(self, hub: str, sealed: AccessKeys) -> tuple[bytes, bytes]:
        """Keep what was read, unless a key was regenerated since."""
        return self._access.setdefault(hub, self._opened(sealed))

    def _opened(self, sealed: AccessKeys) -> tuple[bytes, bytes]:
        return self._seal.open(sealed.primary), self._seal.open(sealed.secondary)

    def _fresh(self) -> bytes:
        return self._seal.close(base64.b64encode(os.urandom(48)))
