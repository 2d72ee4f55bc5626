"""Which addresses of an alert may become links: nothing that could run as a script.

The same rule as the web client's ``links.ts``.  Browsers drop blanks around an address, and tabs and line breaks within
it, before they read its scheme; so do we.
"""

import re
from urllib.parse import urljoin, urlsplit

_SCHEMES = frozenset(("http", "https", "mailto", "tel"))
_AROUND = "".join(map(chr, range(0x21)))
_WITHIN = re.compile(r"[\t\n\r]")
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)


def safe_link(address: str | None) -> str | None:
    """Return the address if it may become a link; relative ones may, to whatever they are relative."""
    if not address:
        return None
    read = _WITHIN.sub("", address.strip(_AROUND))
    scheme = _SCHEME.match(read)
    if scheme is not None and scheme[1].lower() not in _SCHEMES:
        return None
    return address if _parses(read) else None


def absolute_link(address: str | None, base: str | None) -> str | None:
    """Return the address as a whole http(s) URL, read relative to ``base``; None if it is, or becomes, none."""
    if safe_link(address) is None or address is None:
        return None
    read = _WITHIN.sub("", address.strip(_AROUND))
    whole = read if base is None else urljoin(base, read)
    parts = urlsplit(whole)
    return whole if parts.scheme in ("http", "https") and parts.hostname else None


def _parses(address: str) -> bool:
    try:
        urlsplit(address)
    except ValueError:
        return False
    return True
