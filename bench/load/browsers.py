"""Subscriptions of browsers, for pushes that nobody reads."""

import os
from base64 import urlsafe_b64encode
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

# An alert of about this size, in bytes of JSON.
PAYLOAD_BYTES = 400


class Subscription(NamedTuple):
    """Where to send, and for whose eyes."""

    endpoint: str
    p256dh: bytes
    auth: bytes

    def said(self) -> dict[str, object]:
        """Return it as a browser says it."""
        keys = {"p256dh": text_of(self.p256dh), "auth": text_of(self.auth)}
        return {"endpoint": self.endpoint, "keys": keys}


def subscriptions(port: int, count: int) -> list[Subscription]:
    """Make subscriptions at the push service on a loopback port."""
    return [
        Subscription(f"http://127.0.0.1:{port}/push/{number}", point(_key()), os.urandom(16))
        for number in range(count)
    ]


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a public key as an uncompressed point."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def text_of(raw: bytes) -> str:
    """Write base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def payload() -> bytes:
    """Return a message of the usual size."""
    return b'{"body":"%s"}' % (b"a" * (PAYLOAD_BYTES - 11))


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())
