"""How clients reach this server: the addresses that stand in tokens and connection strings."""

from collections.abc import Sequence

import msgspec

from tocsin.config import ANYWHERE
from tocsin.realtime.tokens import client_url

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class Endpoints(msgspec.Struct, frozen=True):
    """``public`` is the address given to clients; a token's audience may name any of ``accepted``."""

    public: str
    accepted: tuple[str, ...]

    def socket_url(self, hub: str, token: str) -> str:
        """Return the ``ws(s)://`` URL that a client of ``hub`` connects to."""
        return f"{client_url(self.public, hub).replace('http', 'ws', 1)}?access_token={token}"


def find_endpoints(
    host: str, port: int, public_url: str | None, *, tls: bool, others: Sequence[str] = ()
) -> Endpoints:
    """Work out the addresses of a server that listens on ``host`` and ``port``.

    ``others`` are accepted besides, e.g. the address that backends inside the house use, or that of a proxy's path.
    Without ``public_url`` a server on all interfaces calls itself ``127.0.0.1``, since it cannot know its name.
    """
    scheme = "https" if tls else "http"
    named = "127.0.0.1" if host in ANYWHERE else host
    named = f"[{named}]" if ":" in named and not named.startswith("[") else named
    public = public_url or f"{scheme}://{named}:{port}"
    local = [f"{scheme}://{name}:{port}" for name in (named, *_LOOPBACK)]
    return Endpoints(public, tuple(dict.fromkeys([public, *local, *others])))
