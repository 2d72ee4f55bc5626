"""An application's own issuer: keys, the set of them as it is published, and tokens."""

import json
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ISSUER = "https://login.example/"
AUDIENCE = "tocsin"
JWKS_URL = "https://login.example/keys"
# Made once: an RSA key takes a tenth of a second.
RSA_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
OTHER_RSA_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def jwk(key: PrivateKey, kid: str | None, **changes: Any) -> dict[str, Any]:
    """Return the public half as it stands in a set."""
    if isinstance(key, rsa.RSAPrivateKey):
        public: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
    else:
        public = json.loads(ECAlgorithm.to_jwk(key.public_key()))
    public.pop("key_ops", None)
    return public | ({} if kid is None else {"kid": kid}) | changes


def key_set(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


def issued(
    now_us: int,
    key: Any = RSA_KEY,
    algorithm: str = "RS256",
    headers: dict[str, Any] | None = None,
    **changes: Any,
) -> str:
    """Sign a token; a claim that is None is left out."""
    now_s = now_us // 1_000_000
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "iat": now_s, "exp": now_s + 60}
    said = {name: value for name, value in (claims | changes).items() if value is not None}
    return jwt.encode(said, key, algorithm=algorithm, headers=headers or {"kid": "r"})
