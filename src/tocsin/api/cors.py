"""Browsers on another origin: bearer tokens only, no cookies, and only from origins a hub allows."""

from collections.abc import Iterable, Mapping

from tocsin.api.http import Response, Scope
from tocsin.config import Hub

_REQUEST_HEADERS = (
    b"authorization, content-type, idempotency-key, if-match, last-event-id, tocsin-device"
)
_EXPOSED = b"etag, location, retry-after, ratelimit, ratelimit-policy"
_MAX_AGE_S = b"600"
VARY_ORIGIN = (b"vary", b"origin")


class Cors:
    """Says which origins may read answers.

    A preflight carries no token, so it cannot name a hub: an origin that any hub allows passes it.  The token then
    decides what can be reached (I10).
    """

    def __init__(self, hubs: Mapping[str, Hub]) -> None:
        self._allowed = {
            origin.rstrip("/").lower().encode()
            for hub in hubs.values()
            for origin in hub.allowed_origins
        }

    def headers(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """Return what lets the request's origin read the answer.

        Where any origin is allowed every answer depends on it, also that to a request without one.
        """
        if not self._allowed:
            return []
        origin = self._allowed_origin(scope)
        if origin is None:
            return [VARY_ORIGIN]
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", _EXPOSED),
            VARY_ORIGIN,
        ]

    def preflight(self, scope: Scope, methods: Iterable[str]) -> Response:
        """Answer OPTIONS; without an allowed origin it grants nothing."""
        if self._allowed_origin(scope) is None:
            return Response(204)
        granted = [
            (b"access-control-allow-methods", ", ".join(methods).encode()),
            (b"access-control-allow-headers", _REQUEST_HEADERS),
            (b"access-control-max-age", _MAX_AGE_S),
        ]
        return Response(204, headers=granted)

    def _allowed_origin(self, scope: Scope) -> bytes | None:
        origin = _header(scope, b"origin")
        return origin if origin is not None and origin.lower() in self._allowed else None


def _header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for key, value in scope["headers"] if key == name), None)
