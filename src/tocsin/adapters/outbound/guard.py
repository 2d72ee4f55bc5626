"""What may be called: the rules on URLs, names and addresses, without any I/O."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from yarl import URL

from tocsin.adapters.outbound.addresses import Address, Network, kind_of
from tocsin.adapters.outbound.target import Place, Target

LONGEST_URL = 2048
# Origins that passed: the rules on them cannot change, and pushes ask for the same few all the time.
_REMEMBERED = 1_024
_ORIGIN = re.compile(r"[^/?#]*//[^/?#]*")
# What stays as it is when a URL is written in its normal form.
_NORMAL_PATH = re.compile(r"/[A-Za-z0-9_~:=/-]*")
# How WHATWG's URL standard recognises what some resolvers take for an IPv4 address (decimal, octal, hex).
_NUMBER = re.compile("[0-9]+|0x[0-9a-f]*", re.IGNORECASE)


class NotAllowedError(Exception):
    """A rule forbids the call; the text is for the person who wrote the URL."""


class Guard:
    """Public addresses by https, and what ``allow`` names besides: host names, addresses and networks."""

    def __init__(self, allow: Sequence[str | Network]) -> None:
        self._names = frozenset(plain_name(one) for one in allow if isinstance(one, str))
        self._networks = tuple(n for n in allow if isinstance(n, IPv4Network | IPv6Network))
        self._passed: dict[str, Place] = {}

    def check_url(self, text: str) -> Target:
        """Return what to call; what its name resolves to is checked by :meth:`check_address`.

        Raises:
            NotAllowedError: It is no URL that we call.
        """
        _check_text(text)
        found = _ORIGIN.match(text)
        origin = found[0] if found else ""
        place = self._passed.get(origin) or self._pass(origin)
        path = text[len(origin) :]
        if not _NORMAL_PATH.fullmatch(path):
            path = _parse(text).raw_path_qs
        return Target(place, path)

    def _pass(self, origin: str) -> Place:
        """Check what a URL says of a server before its name is resolved; that it passed is remembered."""
        place = _place(origin)
        literal = _literal(place.host)
        if literal is not None:
            self.check_address(place.host, literal)
        if place.scheme == "http" and not self._allowed(place.host, literal):
            remedy = _remedy(place.host)
            reason = f"{_shown(place.host)} is called by https only; to allow http, {remedy}"
            raise NotAllowedError(reason)
        if len(self._passed) >= _REMEMBERED:
            self._passed.clear()
        self._passed[origin] = place
        return place

    def check_address(self, host: str, address: Address) -> None:
        """Check one address that ``host`` is, or resolves to.

        Raises:
            NotAllowedError: It is not on the public internet, and neither it nor the name is allowed.
        """
        kind = kind_of(address)
        if kind is not None and not self._allowed(host, address):
            reason = (
                f"{_shown(host)} is the address {address}, which is {kind}; "
                f"to call it all the same, {_remedy(host)}"
            )
            raise NotAllowedError(reason)

    def _allowed(self, host: str, address: Address | None) -> bool:
        if plain_name(host) in self._names:
            return True
        return address is not None and any(address in network for network in self._networks)


def plain_name(name: str) -> str:
    """Return a host name as it is compared: in lower case, without the final dot."""
    return name.lower().removesuffix(".")


def _check_text(text: str) -> None:
    if len(text) > LONGEST_URL:
        reason = f"the URL has {len(text)} characters; at most {LONGEST_URL} are allowed"
        raise NotAllowedError(reason)
    if not text.isprintable() or " " in text or "\\" in text:
        raise NotAllowedError(
            "the URL has spaces, backslashes or control characters; percent-encode them"
        )


def _place(origin: str) -> Place:
    url = _parse(origin)
    if url.scheme not in ("https", "http") or not url.raw_host or not url.port:
        raise NotAllowedError("the URL must be https://HOST[:PORT]/PATH")
    if "@" in origin:
        raise NotAllowedError("the URL has a user or password in it; put secrets into headers")
    return Place(url.scheme, url.raw_host, url.port)


def _parse(text: str) -> URL:
    try:
        return URL(text)
    except (ValueError, IndexError) as error:  # the latter for "//[::1]@"
        reason = f"this is no URL: {error}"
        raise NotAllowedError(reason) from error


def _literal(host: str) -> Address | None:
    if "%" in host:
        reason = f"{_shown(host)} names an address with a zone, which only this machine knows"
        raise NotAllowedError(reason)
    try:
        return ip_address(host)
    except ValueError:
        pass
    if ":" in host or _NUMBER.fullmatch(plain_name(host).rpartition(".")[2]):
        reason = f"{_shown(host)} is no plain address; write four decimal numbers, or a name"
        raise NotAllowedError(reason)
    return None


def _shown(host: str) -> str:
    return repr(host[:253])


def _remedy(host: str) -> str:
    return f"add {host[:253]!r} to the setting outbound.allow"
