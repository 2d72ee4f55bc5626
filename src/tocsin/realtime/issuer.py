"""Tokens of an application's own issuer (OpenID Connect or any other that signs JSON Web Tokens), for one hub.

Nothing follows from such a token but what the hub's settings name: which claim is the user, which value of which claim opens
the inbox, which claims are roles and groups.
"""

from typing import Any

import jwt
from msgspec.structs import replace

from tocsin.config import Issuer as IssuerSettings
from tocsin.errors import UnauthenticatedError
from tocsin.realtime.key_set import KeySet
from tocsin.realtime.tokens import (
    INBOX_SCOPE,
    UNJUDGED,
    Claims,
    claimed,
    claims_of,
    strings_in,
    words_in,
)

_jwt = jwt.PyJWT()


class Issuer:
    """Checks the tokens that one issuer made for one hub."""

    def __init__(self, hub: str, settings: IssuerSettings, keys: KeySet) -> None:
        self.hub = hub
        self._settings = settings
        self._keys = keys

    def is_named_by(self, claims: dict[str, Any]) -> bool:
        """Whether claims, verified or not, say that they are this issuer's and for this hub."""
        named = claims.get("iss") == self._settings.issuer
        return named and self._settings.audience in strings_in(claims.get("aud"))

    async def verify(self, token: str, now_us: int) -> Claims:
        """Check signature, times, issuer and audience, and return what the settings make of the token.

        Raises:
            UnauthenticatedError: It does not hold; the codes are those of the hub's own tokens.
            UnavailableError: The issuer's keys cannot be read now.
        """
        header, _ = claimed(token)
        kid = header.get("kid")
        if kid is not None and not isinstance(kid, str):
            raise _unsigned()
        key = await self._keys.find(kid)
        if key is None or header.get("alg") != key.algorithm:
            raise _unsigned()
        try:
            claims = _jwt.decode(token, key.key, algorithms=[key.algorithm], options=UNJUDGED)
        except (jwt.InvalidTokenError, ValueError):
            raise _unsigned() from None
        if not self.is_named_by(claims):
            detail = (
                f"the token is not from {self._settings.issuer!r} for {self._settings.audience!r}"
            )
            raise UnauthenticatedError(detail, code="token-audience")
        return replace(claims_of(self.hub, self._told(claims), now_us, key.id), said=claims)

    def has_key(self, key_id: str) -> bool:
        """Whether a key signs tokens of this issuer, as far as is known."""
        return self._keys.holds(key_id)

    def _told(self, claims: dict[str, Any]) -> dict[str, Any]:
        """Return the claims under the names of the hub's own tokens; a name nobody chose says nothing."""
        settings = self._settings
        told: dict[str, Any] = {
            name: claims[name] for name in ("exp", "nbf", "iat") if name in claims
        }
        told["sub"] = claims.get(settings.user_claim)
        if settings.role_claim is not None:
            told["role"] = claims.get(settings.role_claim)
        if settings.group_claim is not None:
            told["webpubsub.group"] = claims.get(settings.group_claim)
        if settings.inbox_value is not None:
            opens = settings.inbox_value in words_in(claims.get(settings.inbox_claim))
            told["scope"] = INBOX_SCOPE if opens else ""
        return told


def _unsigned() -> UnauthenticatedError:
    detail = "the token is not signed by a key of this hub's issuer; ask for a new one"
    return UnauthenticatedError(detail, code="token-signature")
