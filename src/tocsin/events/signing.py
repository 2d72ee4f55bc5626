"""Signatures of webhook messages, by the Standard Webhooks scheme (https://www.standardwebhooks.com).

The receiver computes HMAC-SHA256 over ``id.timestamp.body`` with the shared secret and compares it with each signature
in ``webhook-signature``; the time in ``webhook-timestamp`` (seconds since 1970) bounds replays.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence
from typing import Protocol

_SECRET_BYTES = 32
_PREFIX = "whsec_"


class Seal(Protocol):
    """Encrypts what has to be stored and used again."""

    def close(self, secret: bytes) -> bytes:
        """Encrypt."""
        ...

    def open(self, sealed: bytes) -> bytes:
        """Decrypt.

        Raises:
            ConfigError: It was sealed under another key.
        """
        ...


def new_secret() -> bytes:
    """Draw a secret."""
    return os.urandom(_SECRET_BYTES)


def secret_text(secret: bytes) -> str:
    """Write a secret as receivers' libraries read it."""
    return _PREFIX + base64.b64encode(secret).decode()


def signed_headers(
    secrets: Sequence[bytes], message_id: str, at_s: int, body: bytes
) -> list[tuple[str, str]]:
    """Return the headers that prove who sent a message, with one signature per secret."""
    content = b"%b.%d.%b" % (message_id.encode(), at_s, body)
    return [
        ("webhook-id", message_id),
        ("webhook-timestamp", str(at_s)),
        ("webhook-signature", " ".join(_signature(secret, content) for secret in secrets)),
    ]


def _signature(secret: bytes, content: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode()
