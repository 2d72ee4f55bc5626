"""What may be called: the rules on URLs, names and addresses, without any I/O."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from yarl import URL

from tocsin.adapters.outbound.addresses import Address, Network, kind_of

LONGEST_URL = 2048
# Schemes and hosts that passed: the rules on them cannot change, and pushes ask for the same few all the time.
_REMEMBERED = 1_024
# How WHATWG's URL standard recognises what some resolvers take for an IPv4 address (decimal, octal, hex).
_NUMBER = re.compile("[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
_AUTHORITY_ENDS = re.compile("[/?#]")


class NotAllowedError(Exception):
    """A rule forbids the call; the text is for the person who wrote the URL."""


class Guard:
    """Public addresses by https, and what ``allow`` names besides: host names, addresses and networks."""

    def __init__(self, allow: Sequence[str | Network]) -> None:
        self._names = frozenset(plain_name(one) for one in allow if isinstance(one, str))
        self._networks = tuple(n for n in allow if isinstance(n, IPv4Network | IPv6Network))
        self._passed: set[tuple[str, str]] = set()

    def check_url(self, text: str) -> URL:
        """Return the URL to call; what its name resolves to is checked by :meth:`check_address`.

        Raises:
            NotAllowedError: It is no URL that we call.
        """
        url = _parse(text)
        self._check_host(url.scheme, url.raw_host or "")
        return url

    def _check_host(self, scheme: str, host: str) -> None:
        """Check what a URL says of a host before it is resolved; that a host passed is remembered."""
        if (scheme, host) in self._passed:
            return
        literal = _literal(host)
        if literal is not None:
            self.check_address(host, literal)
        if scheme == "http" and not self._allowed(host, literal):
            reason = f"{_shown(host)} is called by https only; to allow http, {_remedy(host)}"
            raise NotAllowedError(reason)
        if len(self._passed) < _REMEMBERED:
            self._passed.add((scheme, host))

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


def _parse(text: str) -> URL:
    if len(text) > LONGEST_URL:
        reason = f"the URL has {len(text)} characters; at most {LONGEST_URL} are allowed"
        raise NotAllowedError(reason)
    if not text.isprintable() or " " in text or "\\" in text:
        raise NotAllowedError(
            "the URL has spaces, backslashes or control characters; percent-encode them"
        )
    try:
        url = URL(text)
        port = url.port
    except ValueError as error:
        reason = f"this is no URL: {error}"
        raise NotAllowedError(reason) from error
    if url.scheme not in ("https", "http") or not url.raw_host or not port:
        raise NotAllowedError("the URL must be https://HOST[:PORT]/PATH")
    if "@" in _AUTHORITY_ENDS.split(text.partition("://")[2], 1)[0]:
        raise NotAllowedError("the URL has a user or password in it; put secrets into headers")
    return url


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
