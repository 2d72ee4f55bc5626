"""Which server, and with which key: as given, or from ``TOCSIN_URL`` and ``TOCSIN_KEY``."""

import os
from typing import NamedTuple

import httpx

from tocsin.errors import ConfigError


class Remote(NamedTuple):
    """The address of a server, and the headers that every request to it carries."""

    url: httpx.URL
    headers: httpx.Headers


def find_remote(url: str | None = None, key: str | None = None) -> Remote:
    """Take what is given, and the rest from the environment.

    Raises:
        ConfigError: There is no address, or address or key cannot be what it says.
    """
    if url is None:
        url = os.environ.get("TOCSIN_URL", "")
    if key is None:
        key = os.environ.get("TOCSIN_KEY", "")
    return Remote(address_of(url, "TOCSIN_URL"), _headers(key))


def address_of(text: str, name: str) -> httpx.URL:
    """Read the address of a server; ``name`` is what it was given as.

    Raises:
        ConfigError: It is none.
    """
    reason = "it has no scheme http or https and host"
    try:
        url = httpx.URL(text)
        if url.scheme in ("http", "https") and url.host:
            return url
    except httpx.InvalidURL as error:
        reason = str(error)
    detail = f"{name} {text!r} is no address: {reason}; write it as https://HOST:PORT"
    raise ConfigError(detail)


def _headers(key: str) -> httpx.Headers:
    if not (key.isascii() and key.isprintable()):
        detail = (
            "TOCSIN_KEY has a character that no key has; copy it as `tocsin key create` printed it"
        )
        raise ConfigError(detail)
    return httpx.Headers({"authorization": f"Bearer {key}"})
