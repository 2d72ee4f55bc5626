"""The browser's half of RFC 8291, written from the RFC and not from our sender."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CURVE = ec.SECP256R1()


def encode(raw: bytes) -> str:
    """Write base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Read base64url without padding."""
    assert "=" not in text, "base64url is padded"
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def point_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the public key as an uncompressed point."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@dataclass
class Browser:
    """A subscription's keys."""

    auth: bytes
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(CURVE))

    @property
    def p256dh(self) -> bytes:
        return point_of(self.key)

    def decrypt(self, body: bytes) -> bytes:
        """Decrypt one record; whatever is wrong is an AssertionError or InvalidTag."""
        assert len(body) <= 4096, f"{len(body)} bytes are more than every service takes"
        salt, size, length = body[:16], int.from_bytes(body[16:20]), body[20]
        sender, record = body[21 : 21 + length], body[21 + length :]
        assert length == 65, f"a sender's key of {length} bytes"
        assert len(record) <= size, "more than one record"
        public = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, sender)
        shared = self.key.exchange(ec.ECDH(), public)
        about = b"WebPush: info\0" + self.p256dh + sender
        material = _hkdf(32, self.auth, about).derive(shared)
        key = _hkdf(16, salt, b"Content-Encoding: aes128gcm\0").derive(material)
        nonce = _hkdf(12, salt, b"Content-Encoding: nonce\0").derive(material)
        plain = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\0")
        assert plain.endswith(b"\2"), "no delimiter of a last record"
        return plain[:-1]


def _hkdf(length: int, salt: bytes, info: bytes) -> HKDF:
    return HKDF(hashes.SHA256(), length, salt, info)
