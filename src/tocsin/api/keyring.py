"""The two kinds of secrets.

API keys are shown once and kept as a digest.  Access keys sign client tokens, so they must be recoverable: they lie in the
database sealed (Fernet: AES-128-CBC with HMAC-SHA256) under a key file of mode 0600 beside it.
"""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from msgspec.structs import replace

from tocsin.clock import Clock
from tocsin.errors import ConfigError, UnauthenticatedError
from tocsin.ports.store import AccessKeys, ApiKey, KeyStore, Role

KEY_FILE = "access.key"
PREFIX = "tsk"


class KeyRing:
    """API keys and access keys of all hubs, cached: one process owns the store, so the cache cannot be stale."""

    def __init__(self, store: KeyStore, seal: Fernet, clock: Clock) -> None:
        self._store = store
        self._seal = seal
        self._clock = clock
        self._keys: dict[str, ApiKey] = {}
        self._access: dict[str, tuple[bytes, bytes]] = {}
        self._unused = (os.urandom(48), os.urandom(48))
        self._revoked: list[Callable[[str], None]] = []

    async def load(self) -> None:
        """Read all API keys; to be called once before the first request."""
        self._keys = {key.id: key for key in await self._store.keys()}

    async def create(self, hub: str, role: Role, name: str) -> tuple[str, ApiKey]:
        """Make a key; the text returned with it is nowhere else."""
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        digest = hashlib.sha256(secret.encode()).digest()
        key = ApiKey(key_id, hub, role, name, digest, self._clock.now_us())
        await self._store.add_key(key)
        self._keys[key_id] = key
        return f"{PREFIX}_{role}_{key_id}_{secret}", key

    def all(self, hub: str | None) -> list[ApiKey]:
        """List keys, of one hub or of all, oldest first."""
        return [key for key in self._keys.values() if hub in (None, key.hub)]

    def on_revoke(self, heard: Callable[[str], None]) -> None:
        """Call ``heard`` with the id of each key that is revoked from now on."""
        self._revoked.append(heard)

    async def revoke(self, key_id: str) -> bool:
        """Revoke a key from this moment on, what it holds open included; False if there is none of that id."""
        now_us = self._clock.now_us()
        found = await self._store.revoke_key(key_id, now_us)
        key = self._keys.get(key_id)
        if found and key is not None and key.revoked_us is None:
            self._keys[key_id] = replace(key, revoked_us=now_us)
            for heard in self._revoked:
                heard(key_id)
        return found

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

    async def open_hub(self, hub: str) -> tuple[bytes, bytes]:
        """Return the hub's access keys, made at first use; for callers that hold a key of it."""
        known = self._access.get(hub)
        if known is None:
            fresh = AccessKeys(self._fresh(), self._fresh())
            known = self._remember(hub, await self._store.open_hub(hub, fresh))
        return known

    def _remember(self, hub: str, sealed: AccessKeys) -> tuple[bytes, bytes]:
        known = self._access[hub] = (self._open(sealed.primary), self._open(sealed.secondary))
        return known

    def _fresh(self) -> bytes:
        return self._seal.encrypt(base64.b64encode(os.urandom(48)))

    def _open(self, sealed: bytes) -> bytes:
        try:
            return self._seal.decrypt(sealed)
        except InvalidToken as error:
            detail = (
                f"the access keys were sealed under another {KEY_FILE}; "
                f"put the {KEY_FILE} that belongs to this database back into the data folder"
            )
            raise ConfigError(detail, code="key-file") from error


def open_seal(folder: Path) -> Fernet:
    """Read the key file, made with mode 0600 if it is missing.

    Raises:
        ConfigError: The file is there and is no key.
    """
    path = folder / KEY_FILE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key())
            file.flush()
            os.fsync(file.fileno())
    try:
        return Fernet(path.read_bytes())
    except ValueError as error:
        detail = f"{path}: this is no key file; restore it from your backup"
        raise ConfigError(detail, code="key-file") from error
