"""The encryption of a message for one browser: RFC 8291 in one record of RFC 8188.  No I/O.

Each message has a sender's key and a salt of its own.  It is one record, so that no browser meets a second one, which
Chromium drops in silence.
"""

import hmac
import os
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tocsin.ports.push import WEB_PUSH_BYTES

SALT_BYTES: Final = 16
AUTH_BYTES: Final = 16
POINT_BYTES: Final = 65
# Public keys of the browsers that were pushed to last; 1.4 KB each.
_RECEIVERS: Final = 4_096
_CURVE: Final = ec.SECP256R1()
_ECDH: Final = ec.ECDH()
_RECORD_SIZE: Final = (4_096).to_bytes(4)
_LAST_RECORD: Final = b"\x02"
_FIRST_BLOCK: Final = b"\x01"


def encrypt(plaintext: bytes, p256dh: bytes, auth: bytes) -> bytes:
    """Encrypt for the browser with that public key (an uncompressed point) and secret.

    Raises:
        ValueError: The plaintext is longer than 3,993 bytes, or these are no keys of a subscription.
    """
    return seal(plaintext, p256dh, auth, ec.generate_private_key(_CURVE), os.urandom(SALT_BYTES))


def seal(
    plaintext: bytes, p256dh: bytes, auth: bytes, sender: ec.EllipticCurvePrivateKey, salt: bytes
) -> bytes:
    """Encrypt with that key and salt, neither of which may ever serve twice; for :func:`encrypt` and the RFC's example.

    Raises:
        ValueError: As of :func:`encrypt`.
    """
    if len(plaintext) > WEB_PUSH_BYTES:
        msg = f"the message has {len(plaintext)} bytes; at most {WEB_PUSH_BYTES} fit into a push"
        raise ValueError(msg)
    if len(p256dh) != POINT_BYTES or len(auth) != AUTH_BYTES:
        msg = f"p256dh has {len(p256dh)} bytes and auth {len(auth)}; {POINT_BYTES} and {AUTH_BYTES} are right"
        raise ValueError(msg)
    receiver = _receiver(p256dh)
    sender_point = sender.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = sender.exchange(_ECDH, receiver)
    # RFC 8291 section 3.4: the secret of the subscription, and both keys, go into what the record's keys come from.
    about = b"WebPush: info\x00" + p256dh + sender_point
    material = _hmac(_hmac(auth, shared), about + _FIRST_BLOCK)
    # RFC 8188 sections 2.2 and 2.3.
    source = _hmac(salt, material)
    key = _hmac(source, b"Content-Encoding: aes128gcm\x00" + _FIRST_BLOCK)[:16]
    nonce = _hmac(source, b"Content-Encoding: nonce\x00" + _FIRST_BLOCK)[:12]
    record = AESGCM(key).encrypt(nonce, plaintext + _LAST_RECORD, None)
    return b"".join((salt, _RECORD_SIZE, bytes((POINT_BYTES,)), sender_point, record))


@lru_cache(_RECEIVERS)
def _receiver(p256dh: bytes) -> ec.EllipticCurvePublicKey:
    """Read and check a point.  That a key is kept spares the next push to that browser a tenth of its cost.

    Raises:
        ValueError: It is no point of the curve; nothing is kept.
    """
    return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, p256dh)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")
