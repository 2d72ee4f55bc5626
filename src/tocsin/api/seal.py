"""What the database alone must not tell: access keys are encrypted, and people who may be gone are keyed hashes.

Both need ``access.key``, a file of mode 0600 beside the database.
"""

import hashlib
import hmac
import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from tocsin.errors import ConfigError

KEY_FILE = "access.key"
_PSEUDONYM_BYTES = 16


class Seal:
    """Encrypts (Fernet: AES-128-CBC with HMAC-SHA256) and makes pseudonyms (HMAC-SHA256) under one key."""

    def __init__(self, key: bytes) -> None:
        """Take a Fernet key.

        Raises:
            ValueError: It is none.
        """
        self._fernet = Fernet(key)
        self._naming = hmac.digest(key.strip(), b"tocsin pseudonyms", hashlib.sha256)

    def close(self, secret: bytes) -> bytes:
        """Encrypt."""
        return self._fernet.encrypt(secret)

    def open(self, sealed: bytes) -> bytes:
        """Decrypt.

        Raises:
            ConfigError: It was sealed under another key.
        """
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken as error:
            detail = (
                f"the access keys were sealed under another {KEY_FILE}; "
                f"put the {KEY_FILE} that belongs to this database back into the data folder"
            )
            raise ConfigError(detail, code="key-file") from error

    def derived(self, purpose: str) -> bytes:
        """Return a secret for one purpose, always the same: 32 bytes."""
        return hmac.digest(self._naming, f"tocsin {purpose}".encode(), hashlib.sha256)

    def pseudonym(self, hub: str, user: str) -> str:
        """Return what stands for a person in records that outlive an erasure: 32 hexadecimal digits.

        Who holds the key can test a name; nobody can read one from it.  The separator is no part of any id.
        """
        digest = hmac.digest(self._naming, f"{hub}\x1f{user}".encode(), hashlib.sha256)
        return digest[:_PSEUDONYM_BYTES].hex()


def open_seal(folder: Path) -> Seal:
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
        return Seal(path.read_bytes())
    except ValueError as error:
        detail = f"{path}: this is no key file; restore it from your backup"
        raise ConfigError(detail, code="key-file") from error
