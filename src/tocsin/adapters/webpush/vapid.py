"""Who sends a push: a signed token for each push service (RFC 8292), made seldom and used often."""

from typing import Final

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from tocsin.clock import US_PER_S, Clock
from tocsin.ports.push import VapidKey, VapidKeys

# A service may refuse more than 24 h; Apple asks not to renew more than hourly.
TOKEN_S: Final = 12 * 3_600
RENEWED_BEFORE_S: Final = 3_600
# Clients choose among the hosts of a service, so their number is theirs.
MOST_TOKENS: Final = 1_024


class _Token(msgspec.Struct, frozen=True):
    header: str
    made_s: int


class VapidTokens:
    """Signs for an origin with a key, and keeps what was signed until an hour before it expires."""

    def __init__(self, keys: VapidKeys, subject: str | None, clock: Clock) -> None:
        """Make a signer; ``subject`` is the contact (mailto: or https:) that services may turn to.

        Without one Chromium's service still takes tokens; Apple's and Mozilla's do not.
        """
        self._keys = keys
        self._subject = subject
        self._clock = clock
        self._tokens: dict[tuple[str, str], _Token] = {}

    def authorization(self, origin: str, key_id: str) -> str | None:
        """Return the header's value for calls to an origin (scheme, host and port); None without that key."""
        key = self._keys.vapid_key(key_id)
        if key is None:
            self._tokens.pop((origin, key_id), None)
            return None
        now_s = self._clock.now_us() // US_PER_S
        token = self._tokens.get((origin, key_id))
        # A token of the future was made before the clock was set back.
        if token is None or not 0 <= now_s - token.made_s < TOKEN_S - RENEWED_BEFORE_S:
            token = _Token(self._sign(origin, key, now_s), now_s)
            self._keep((origin, key_id), token)
        return token.header

    def _keep(self, place: tuple[str, str], token: _Token) -> None:
        self._tokens.pop(place, None)
        if len(self._tokens) >= MOST_TOKENS:
            del self._tokens[next(iter(self._tokens))]
        self._tokens[place] = token

    def _sign(self, origin: str, key: VapidKey, now_s: int) -> str:
        claims: dict[str, str | int] = {"aud": origin, "exp": now_s + TOKEN_S}
        if self._subject is not None:
            claims["sub"] = self._subject
        private = ec.derive_private_key(int.from_bytes(key.private_key), ec.SECP256R1())
        token = jwt.encode(claims, private, algorithm="ES256")
        return f"vapid t={token},k={key.public_key}"
