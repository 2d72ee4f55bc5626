"""Cookies of one connection, so that a load balancer in front of a handler can keep it on one server.

They go back to the origin they came from, and nowhere else; paths, domains and life times do not count.

Bound:  16 cookies of 4096 bytes in all; what comes beyond it is dropped.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from tocsin.ports.outbound import Answer

_MAX_COOKIES = 16
_MAX_BYTES = 4096


class Cookies:
    """What servers asked one connection to send back."""

    __slots__ = ("_of",)

    def __init__(self, kept: Iterable[tuple[str, str, str]] = ()) -> None:
        """Keep cookies that were kept elsewhere: origin, name and value."""
        self._of = {(origin, name): value for origin, name, value in kept}

    def kept(self) -> tuple[tuple[str, str, str], ...]:
        """Return origin, name and value of each."""
        return tuple((origin, name, value) for (origin, name), value in self._of.items())

    def headers(self, url: str) -> list[tuple[str, str]]:
        """Return the header to send to a URL, if any."""
        origin = _origin(url)
        known = [f"{name}={value}" for (of, name), value in self._of.items() if of == origin]
        return [("Cookie", "; ".join(known))] if known else []

    def take(self, url: str, answer: Answer) -> None:
        """Keep what an answer sets."""
        for field in (value for name, value in answer.headers if name == "set-cookie"):
            name, equals, value = field.partition(";")[0].partition("=")
            name, value = name.strip(), value.strip()
            if equals and name and f"{name}{value}".isascii() and f"{name}{value}".isprintable():
                self._keep((_origin(url), name), value)

    def _keep(self, key: tuple[str, str], value: str) -> None:
        others = {known: kept for known, kept in self._of.items() if known != key}
        if not value:
            self._of = others
        elif (
            len(others) < _MAX_COOKIES
            and _size(others.items()) + _size([(key, value)]) <= _MAX_BYTES
        ):
            self._of[key] = value


def _size(cookies: Iterable[tuple[tuple[str, str], str]]) -> int:
    return sum(len(name) + len(value) for (_, name), value in cookies)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
