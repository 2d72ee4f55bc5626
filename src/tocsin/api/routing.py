"""Which handler answers: exact paths by one look-up, patterns by their number of segments."""

from collections.abc import Callable, Sequence

import msgspec

from tocsin.api.http import Handler, Response, decode_segment

# Makes the refusal of a request that no route takes: 404 or 405, why, and the methods of the path.
Refuse = Callable[[int, str, Sequence[str]], Response]


class Match(msgspec.Struct, frozen=True):
    """A handler, the name of its route (for metrics) and the decoded parts of the path."""

    handler: Handler
    route: str
    params: dict[str, str]


class Router:
    """Routes of the form ``/v1/inbox/items/{id}``, matched on the raw path."""

    def __init__(self) -> None:
        self._exact: dict[tuple[str, bytes], Match] = {}
        self._patterns: dict[tuple[str, int], list[tuple[tuple[bytes, ...], Handler, str]]] = {}
        self._refusals: list[tuple[bytes, Refuse]] = []

    def add(self, method: str, path: str, handler: Handler) -> None:
        """Answer ``method path`` with ``handler``; a segment in braces matches any non-empty text."""
        raw = path.encode()
        if "{" not in path:
            self._exact[method, raw] = Match(handler, path, {})
            return
        parts = tuple(raw.split(b"/"))
        self._patterns.setdefault((method, len(parts)), []).append((parts, handler, path))

    def refuse_under(self, prefix: str, refuse: Refuse) -> None:
        """Refuse what no route takes under a path in its own way."""
        self._refusals.append((prefix.encode(), refuse))

    def refusal(self, raw_path: bytes) -> Refuse | None:
        """Return how a request is refused that no route takes, None where it is by a problem."""
        for prefix, refuse in self._refusals:
            if raw_path.startswith(prefix):
                return refuse
        return None

    def match(self, method: str, raw_path: bytes) -> Match | None:
        """Find the handler; None when there is none for this method."""
        exact = self._exact.get((method, raw_path))
        if exact is not None:
            return exact
        segments = raw_path.split(b"/")
        for parts, handler, route in self._patterns.get((method, len(segments)), ()):
            params = _params(parts, segments)
            if params is not None:
                return Match(handler, route, params)
        return None

    def routes(self) -> list[tuple[str, str]]:
        """List all routes as ``(method, path)``, exact ones first."""
        exact = [(method, match.route) for (method, _), match in self._exact.items()]
        patterns = (
            (method, route) for (method, _), some in self._patterns.items() for *_, route in some
        )
        return [*exact, *patterns]

    def methods(self, raw_path: bytes) -> list[str]:
        """List the methods this path answers to; empty when there is no such path."""
        known = {method for method, _ in self._exact} | {method for method, _ in self._patterns}
        return sorted(method for method in known if self.match(method, raw_path) is not None)


def _params(parts: tuple[bytes, ...], segments: list[bytes]) -> dict[str, str] | None:
    params = {}
    for part, segment in zip(parts, segments, strict=True):
        if part.startswith(b"{"):
            if not segment:
                return None
            params[part[1:-1].decode()] = decode_segment(segment)
        elif part != segment:
            return None
    return params
