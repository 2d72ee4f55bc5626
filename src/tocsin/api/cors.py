"""Browsers on another origin: bearer tokens only, no cookies, and only from origins a hub allows."""

from collections.abc import Iterable, Mapping

from tocsin.api.http import Response, Scope
from tocsin.config import Hub

_REQUEST_HEADERS = b"authorization, content-type, idempotency-key, last-event-id, tocsin-device"
_MAX_AGE_S = b"600"


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
        """Return what lets the request's origin read the answer, perhaps nothing."""
        if not self._allowed:
            return []
        origin = _header(scope, b"origin")
        if origin is None or origin.lower() not in self._allowed:
            return []
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", b"location, retry-after"),
            (b"vary", b"origin"),
        ]

    def preflight(self, scope: Scope, methods: Iterable[str]) -> Response:
        """Answer OPTIONS; without an allowed origin it grants nothing."""
        if not self.headers(scope):  # these themselves are added to every answer
            return Response(204)
        granted = [
            (b"access-control-allow-methods", ", ".join(methods).encode()),
            (b"access-control-allow-headers", _REQUEST_HEADERS),
            (b"access-control-max-age", _MAX_AGE_S),
        ]
        return Response(204, headers=granted)


def _header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for key, value in scope["headers"] if key == name), None)
