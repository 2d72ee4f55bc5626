"""Client tokens: who a socket or an inbox request belongs to.

HS256 JSON Web Tokens in the shape Microsoft's SDKs sign: ``aud`` is the client URL of a hub, ``sub`` the user.  Tocsin's
own tokens add ``scope``: only ``inbox`` opens an inbox (I10), so a token signed by an SDK never does.

Units:   ``exp`` and ``iat`` are seconds since 1970, with a fraction perhaps, as in the token; names in ``_us`` are microseconds.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Literal, Protocol
from urllib.parse import unquote, urlsplit

import jwt
import msgspec
from jwt.types import Options

from tocsin.clock import US_PER_S
from tocsin.errors import InvalidInputError, UnauthenticatedError
from tocsin.model.ids import canonical_hub, check_id

SKEW_S: Final = 300
ALGORITHM: Final = "HS256"
_LAST_S: Final = 2**53 // US_PER_S
INBOX_SCOPE: Final = "inbox"
Signer = Literal["primary", "secondary"]
ACCESS_KEYS: Final[tuple[Signer, Signer]] = ("primary", "secondary")
# An endpoint may have a path of its own, which stands before this one.
_CLIENT_PATH: Final = re.compile(".*/client/hubs/([^/]+)/?", re.IGNORECASE)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
# Times and audience are judged here, by our own clock and rules.
UNJUDGED: Final[Options] = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}
_jwt = jwt.PyJWT()
# {"alg":"HS256","typ":"JWT"}, as this server and Microsoft's packages write it.
_USUAL_HEADER: Final = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."


class KeyRing(Protocol):
    """Hands out the keys that sign a hub's client tokens."""

    async def access_keys(self, hub: str) -> tuple[bytes, bytes]:
        """Return the hub's primary and secondary key; of a hub that is not there, two that signed nothing.

        Raises:
            UnavailableError: The keys cannot be read now.
        """
        ...

    async def valid_from_us(self, hub: str, user: str) -> int:
        """Return the time up to which, itself included, issued tokens of a user are void; -1 if none ever were.

        Raises:
            UnavailableError: It cannot be read now.
        """
        ...


class Claims(msgspec.Struct, frozen=True):
    """What a good token says.

    ``user`` is None for an anonymous client.  ``signer`` is the key that signed: which access key, or the id of an issuer's
    key.
    ``said`` are all claims, as they stand in it.
    """

    hub: str
    user: str | None
    expires_us: int
    signer: str | None = None
    issued_us: int | None = None
    scopes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    said: Mapping[str, Any] = {}

    @property
    def opens_inbox(self) -> bool:
        """Whether the inbox of ``user`` may be read and changed with it."""
        return self.user is not None and INBOX_SCOPE in self.scopes


def client_url(endpoint: str, hub: str) -> str:
    """Return the address that clients of ``hub`` connect to, as it stands in ``aud``."""
    return f"{endpoint.rstrip('/')}/client/hubs/{hub}"


def sign_token(  # noqa: PLR0913 -- a token is what it says
    keys: tuple[bytes, bytes],
    *,
    endpoint: str,
    hub: str,
    user: str | None,
    ttl_s: int,
    now_us: int,
    scope: str | None = None,
    roles: Sequence[str] = (),
    groups: Sequence[str] = (),
) -> tuple[str, int]:
    """Sign a token with the primary key.

    Its ``iat`` has microseconds, so that one made right after a revocation is told from one made right before.

    Returns:
        The token, and its ``exp`` in seconds since 1970.
    """
    expires = now_us // US_PER_S + ttl_s
    claims: dict[str, Any] = {
        "aud": client_url(endpoint, hub),
        "iat": now_us / US_PER_S,
        "exp": expires,
    }
    optional = {"sub": user, "scope": scope, "role": roles, "webpubsub.group": groups}
    claims |= {name: value for name, value in optional.items() if value}
    return _jwt.encode(claims, keys[0], algorithm=ALGORITHM), expires


def verify_token(
    token: str, *, keys: tuple[bytes, bytes], endpoints: Iterable[str], hub: str, now_us: int
) -> Claims:
    """Check signature, times and audience, and return what the token says.

    Args:
        token: As it came, three base64url parts.
        keys: The hub's primary and secondary key; either may have signed.
        endpoints: The server's public addresses; ``aud`` must be the client URL of one of them.
        hub: The hub that is asked for, in its one form.
        now_us: The time to judge by; ``nbf`` and ``iat`` may be 5 minutes ahead of it.

    Raises:
        UnauthenticatedError: It does not hold; ``code`` says why (``token-malformed``,
            ``token-signature``, ``token-expired``, ``token-not-yet-valid``, ``token-audience``).
    """
    signer, claims = _signed_claims(token, keys)
    _check_audience(claims.get("aud"), {_normal(client_url(e, hub)) for e in endpoints}, hub)
    return claims_of(hub, claims, now_us, signer)


def signed_claims(token: str, *, keys: tuple[bytes, bytes], now_us: int) -> dict[str, Any]:
    """Return the claims of a token that one of ``keys`` signed and that is valid now; its audience is not looked at.

    Raises:
        UnauthenticatedError: It does not hold, as in :func:`verify_token`.
    """
    _, claims = _signed_claims(token, keys)
    _check_times(claims, now_us / US_PER_S)
    return claims


def claims_of(hub: str, claims: dict[str, Any], now_us: int, signer: str | None = None) -> Claims:
    """Return what the claims of a token for ``hub`` say, whose signature and audience are good.

    Raises:
        UnauthenticatedError: It is not valid now, or a claim cannot be what it has to be.
    """
    expires = _check_times(claims, now_us / US_PER_S)
    issued = claims.get("iat")
    return Claims(
        hub=hub,
        user=_user(claims.get("sub")),
        expires_us=int(expires * US_PER_S),
        signer=signer,
        issued_us=None if issued is None else round(issued * US_PER_S),
        scopes=words_in(claims.get("scope")),
        roles=strings_in(claims.get("role")),
        groups=strings_in(claims.get("webpubsub.group")),
        said=claims,
    )


def claimed(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the header and the claims of a token; nothing about them has been verified yet.

    Raises:
        UnauthenticatedError: It is no JSON Web Token.
    """
    try:
        parts = _jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        detail = "this is neither an API key nor a client token of this server"
        raise UnauthenticatedError(detail, code="token-malformed") from None
    return parts["header"], parts["payload"]


def hub_in(audience: object) -> str | None:
    """Return the hub whose client URL stands in an ``aud``; None if none does."""
    for address in strings_in(audience):
        try:
            match = _CLIENT_PATH.fullmatch(urlsplit(address).path)
            if match is not None:
                return canonical_hub(unquote(match[1]))
        except (InvalidInputError, ValueError):
            continue
    return None


def _signed_claims(token: str, keys: tuple[bytes, bytes]) -> tuple[Signer, dict[str, Any]]:
    """Return the claims, and which of ``keys`` signed them."""
    plain = _plain_claims(token, keys[0])
    if plain is not None:
        return "primary", plain
    for signer, key in zip(ACCESS_KEYS, keys, strict=True):
        try:
            claims: dict[str, Any] = _jwt.decode(
                token, key, algorithms=[ALGORITHM], options=UNJUDGED
            )
        except jwt.InvalidSignatureError:
            continue
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            detail = "the token is no JSON Web Token signed with HS256; ask for a new one"
            raise UnauthenticatedError(detail, code="token-malformed") from None
        return signer, claims
    detail = "the token is not signed by a key of this hub; ask for a new one"
    raise UnauthenticatedError(detail, code="token-signature")


def _plain_claims(token: str, key: bytes) -> dict[str, Any] | None:
    """Return the claims of a token with the usual header and a good signature; None leaves the verdict to PyJWT.

    Nearly every token is one of these, and PyJWT takes nine times as long for it, which a crowd of clients that comes back
    at once has to wait for (docs/decisions/0017-a-crowd-at-the-door.md).  Nothing is refused here.
    """
    signed, _, signature = token.rpartition(".")
    if not signed.startswith(_USUAL_HEADER) or not signed.isascii():
        return None
    digest = hmac.digest(key, signed.encode(), hashlib.sha256)
    good = base64.urlsafe_b64encode(digest).rstrip(b"=")
    if not hmac.compare_digest(good, signature.encode()):
        return None
    body = signed[len(_USUAL_HEADER) :]
    try:
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def _check_times(claims: dict[str, Any], now_s: float) -> float:
    """Return ``exp`` if the token is valid now."""
    expires, not_before, issued = (_seconds(claims, name) for name in ("exp", "nbf", "iat"))
    if expires is None:
        raise UnauthenticatedError("the token has no exp", code="token-malformed")
    if expires <= now_s:
        detail = f"the token expired {now_s - expires:.0f} s ago; ask for a new one"
        raise UnauthenticatedError(detail, code="token-expired")
    if max(not_before or 0, issued or 0) > now_s + SKEW_S:
        detail = f"the token begins more than {SKEW_S} s from now; mend the signer's clock"
        raise UnauthenticatedError(detail, code="token-not-yet-valid")
    return expires


def _user(subject: object) -> str | None:
    """Return the user a token names; one without a subject, or with an empty one, is anonymous."""
    if subject in (None, ""):
        return None
    if not isinstance(subject, str):
        raise UnauthenticatedError("the token's sub is no string", code="token-malformed")
    try:
        return check_id(subject, "the token's sub")
    except InvalidInputError as error:
        raise UnauthenticatedError(error.detail, code="token-malformed") from error


def _seconds(claims: dict[str, Any], name: str) -> float | None:
    """Return a claim that is a time; beyond any sensible one it is refused, as are NaN and infinity."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, int | float) and 0 <= value <= _LAST_S:
        return value
    detail = f"the token's {name} is no number of seconds since 1970"
    raise UnauthenticatedError(detail, code="token-malformed")


def _check_audience(audience: object, accepted: set[str], hub: str) -> None:
    given = [audience] if isinstance(audience, str) else audience
    if isinstance(given, list):
        for address in given:
            if isinstance(address, str) and _normal(address) in accepted:
                return
    detail = f"the token's aud {audience!r} is no client URL of hub {hub!r} at this server"
    raise UnauthenticatedError(detail[:300], code="token-audience")


@lru_cache(256)
def _normal(address: str) -> str:
    """Reduce an ``http(s)`` address to what is compared: authority and path, without case.

    The scheme is left out (a proxy may have added TLS), a default port too.  "" if it is no such address.
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in _DEFAULT_PORTS or parts.hostname is None:
        return ""
    authority = parts.hostname
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        authority += f":{port}"
    return f"{authority}{unquote(parts.path)}".rstrip("/").lower()


def strings_in(claim: object) -> tuple[str, ...]:
    """Return a claim that is one string or several."""
    given = [claim] if isinstance(claim, str) else claim
    if not isinstance(given, list):
        return ()
    return tuple(value for value in given if isinstance(value, str))


def words_in(claim: object) -> tuple[str, ...]:
    """Return a scope claim's words; both ``"a b"`` and ``["a", "b"]`` are in use."""
    return tuple(word for value in strings_in(claim) for word in value.split())
