"""Who may use a hub's data plane: whoever signs with one of its access keys, or holds a server key of it (I10).

A token of Microsoft's SDKs is made out for one request: its ``aud`` is the URL that it is sent to.
"""

from typing import Final
from urllib.parse import unquote, urlsplit

from tocsin.api.auth import Authenticator, bearer
from tocsin.api.endpoints import Endpoints
from tocsin.api.http import Request
from tocsin.api.keyring import PREFIX, KeyRing
from tocsin.clock import Clock
from tocsin.errors import UnauthenticatedError
from tocsin.realtime.tokens import signed_claims, strings_in

_DEFAULT_PORTS: Final = (":80", ":443")


class ServiceAccess:
    """Tells who asks."""

    def __init__(
        self, auth: Authenticator, keyring: KeyRing, endpoints: Endpoints, clock: Clock
    ) -> None:
        self._auth = auth
        self._keyring = keyring
        self._clock = clock
        self._authorities = frozenset(_authority(url) for url in endpoints.accepted)
        # A configured address may have a path of its own, which a proxy takes away.
        self._bases = frozenset(_base(url) for url in endpoints.accepted)

    async def admit(self, request: Request, hub: str) -> str:
        """Return under what name the caller's repeats are known: the id of its API key, or none for access keys.

        Raises:
            UnauthenticatedError: Neither token nor key holds.
            ForbiddenError: It is a key for something else.
            RateLimitedError: It asked too much.
        """
        if request.is_local:
            return self._auth.service(request, hub).key_id
        token = bearer(request)
        if token.startswith(f"{PREFIX}_"):
            return self._auth.service(request, hub).key_id
        keys = await self._keyring.access_keys(hub)
        claims = signed_claims(token, keys=keys, now_us=self._clock.now_us())
        if not any(self._is_here(address, request) for address in strings_in(claims.get("aud"))):
            detail = (
                "the token's aud is not the URL of this request; check the endpoint and other_urls"
            )
            raise UnauthenticatedError(detail, code="token-audience")
        self._auth.count_signed(request, hub)
        return ""

    def _is_here(self, address: str, request: Request) -> bool:
        """Whether this is the request's URL: with its query or without, raw or decoded, in any case of letters.

        The host may be any of the configured ones, or the one in the request: a signature of the hub's key for this
        path is what counts.
        """
        scheme, _, rest = address.partition("://")
        authority, _, target = rest.partition("/")
        path, has_query, query = f"/{target}".partition("?")
        host = _without_port(authority.lower())
        return (
            scheme.lower() in ("http", "https")
            and (host in self._authorities or host == _without_port(_host(request)))
            and self._is_path(path, request.scope["raw_path"].decode("latin-1"))
            and (not has_query or _alike(query, request.scope["query_string"].decode("latin-1")))
        )

    def _is_path(self, path: str, asked: str) -> bool:
        return any(_alike(path, base + asked) for base in self._bases)


def _alike(one: str, other: str) -> bool:
    one, other = one.rstrip("/").lower(), other.rstrip("/").lower()
    return one == other or unquote(one).lower() == unquote(other).lower()


def _host(request: Request) -> str:
    return (request.header(b"host") or "").lower()


def _authority(url: str) -> str:
    return _without_port(urlsplit(url).netloc.lower())


def _base(url: str) -> str:
    return urlsplit(url).path.rstrip("/")


def _without_port(authority: str) -> str:
    """Leave a default port out: whoever is in front may have added TLS."""
    for port in _DEFAULT_PORTS:
        authority = authority.removesuffix(port)
    return authority
