"""The bytes of a request: pure, and nothing in them that the caller did not ask for but what HTTP/1.1 needs."""

from functools import lru_cache
from typing import Final

from tocsin import __version__
from tocsin.adapters.outbound.guard import NotAllowedError, plain_name
from tocsin.adapters.outbound.target import Place, Target
from tocsin.ports.outbound import Call

USER_AGENT: Final = f"Tocsin/{__version__}"
_ALWAYS: Final = f"user-agent: {USER_AGENT}\r\naccept-encoding: identity\r\n"
_WITHOUT_BODY: Final = frozenset(("GET", "HEAD", "OPTIONS", "DELETE"))
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


def request_bytes(call: Call, target: Target) -> bytes:
    """Write a call to a target, which is the call's own URL after it was checked.

    Raises:
        NotAllowedError: A header has a line break in it, and would become several.
    """
    lines = [f"{call.method} {target.path} HTTP/1.1\r\nhost: {_host(target.place)}\r\n{_ALWAYS}"]
    lines += [f"{name}: {value}\r\n" for name, value in call.headers]
    if call.body or call.method not in _WITHOUT_BODY:
        lines.append(f"content-length: {len(call.body)}\r\n")
    head = "".join(lines)
    # The first piece has four lines, every other one.
    if head.count("\n") != len(lines) + 3 or head.count("\r") != len(lines) + 3 or "\0" in head:
        raise NotAllowedError("a header has a line break or a zero in it")
    return b"".join((head.encode(), b"\r\n", call.body))


@lru_cache(1_024)
def _host(place: Place) -> str:
    name = plain_name(place.host)
    host = f"[{name}]" if ":" in name else name
    return host if place.port == _DEFAULT_PORTS[place.scheme] else f"{host}:{place.port}"
