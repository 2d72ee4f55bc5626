"""Which servers a Web Push endpoint may name.

Endpoints are chosen by clients, so only known push services are called, and others that the settings name.  What a name
resolves to is another question, which the outbound port answers at every call (I13).
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

# Who hands out endpoints: Chromium (and its builds that are no release), Firefox, Edge, Safari.
KNOWN_PUSH_HOSTS = (
    "fcm.googleapis.com",
    "jmt17.google.com",
    "*.push.services.mozilla.com",
    "*.notify.windows.com",
    "*.push.apple.com",
)
LONGEST_ENDPOINT = 2048
_DEFAULT_PORTS = {"https": "443", "http": "80"}
# So plain that no two readers of URLs can see different servers in it: no user, no escape, no backslash, no fragment.
_ENDPOINT = re.compile(
    r"""
    (?P<scheme> https? ) ://
    (?P<host> (?: [a-z0-9] [a-z0-9-]{0,62} \. )* [a-z0-9] [a-z0-9-]{0,62} | \[ [0-9a-f:.]+ \] )
    (?: : (?P<port> [1-9][0-9]{0,4} ) )?
    (?: [/?] [!"$-\[\]-~]* )?
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)


class Origin(NamedTuple):
    """Where an endpoint lies; ``host`` has its port where that is not the scheme's own.  All in lower case."""

    scheme: str
    host: str

    def __str__(self) -> str:
        """Write it as the audience of a token (RFC 8292 section 2)."""
        return f"{self.scheme}://{self.host}"

    def is_among(self, hosts: Sequence[str]) -> bool:
        """Tell whether it is one of ``hosts``, which are written as in :func:`push_host_allowed`."""
        return any(_covers(pattern.lower(), self.host) for pattern in hosts)


def push_host_allowed(endpoint: str, hosts: Sequence[str]) -> bool:
    """Tell whether an endpoint names one of ``hosts``.

    A host is a name or an address, perhaps with a port: ``push.example.org``, ``127.0.0.1:8443``; without one the scheme's
    own is meant.  ``*.example.org`` is every name below that one.  Whether http is allowed is the outbound port's to say.
    """
    origin = origin_of(endpoint)
    return origin is not None and origin.is_among(hosts)


def push_host(endpoint: str) -> str | None:
    """Return host and port (if it is not the scheme's own) of an endpoint; None if it is not plainly an http(s) URL."""
    origin = origin_of(endpoint)
    return None if origin is None else origin.host


def origin_of(endpoint: str) -> Origin | None:
    """Return where an endpoint lies; None if it is not plainly an http(s) URL."""
    if len(endpoint) > LONGEST_ENDPOINT:
        return None
    match = _ENDPOINT.fullmatch(endpoint)
    if match is None:
        return None
    scheme, host, port = match["scheme"].lower(), match["host"].lower(), match["port"]
    usual = port is None or port == _DEFAULT_PORTS[scheme]
    return Origin(scheme, host if usual else f"{host}:{port}")


def _covers(pattern: str, host: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern
