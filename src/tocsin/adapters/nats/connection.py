"""Connecting to NATS, in the way that every part of Tocsin does it: for ever, and with a dead line noticed soon.

A URL is ``nats://USER:PASSWORD@HOST:PORT,HOST:PORT/DEPLOYMENT``, or ``tls://`` likewise.  The deployment is the first token
of every subject, ``tocsin`` unless said otherwise, so that several can share servers.
"""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import unquote

import msgspec
import nats
import structlog
from nats.aio.client import Client

from tocsin.adapters.nats.subjects import token
from tocsin.errors import ConfigError

log = structlog.get_logger()

CONNECT_S: Final = 5
# The client's own defaults give up after two minutes, and notice a silent partition after four.
_FOR_EVER: Final = -1
_RETRY_S: Final = 1
_PING_S: Final = 10
_UNANSWERED_PINGS: Final = 2
# After which a line that has become silent is taken to be lost.
DEAD_LINE_S: Final = _PING_S * (_UNANSWERED_PINGS + 1)


class Place(msgspec.Struct, frozen=True):
    """Which servers, each with its credentials, and the first token of every subject there."""

    servers: tuple[str, ...]
    deployment: str

    @classmethod
    def of(cls, url: str) -> "Place":
        """Read a URL; the credentials before its first host are those of all its hosts."""
        scheme, _, rest = url.partition("://")
        authority, _, deployment = rest.partition("/")
        credentials, at, hosts = authority.rpartition("@")
        servers = tuple(f"{scheme}://{credentials}{at}{host}" for host in hosts.split(","))
        return cls(servers, token(unquote(deployment.strip("/"))) or "tocsin")


async def _nothing() -> None:
    """Do nothing."""


async def connect(
    place: Place,
    name: str,
    *,
    failed: Callable[[Exception], Awaitable[None]],
    parted: Callable[[], Awaitable[None]] = _nothing,
    returned: Callable[[], Awaitable[None]] = _nothing,
    echo: bool = True,
) -> Client:
    """Connect, and reconnect for ever once it was reached.

    ``failed`` is told what the client does not raise, ``parted`` and ``returned`` of a lost connection and of the next one.
    Without ``echo`` the connection does not hear itself.

    Raises:
        ConfigError: No server was reached, or it does not let us in.
    """
    client = Client()
    tries = iter(range(len(place.servers) - 1))

    async def told(error: Exception) -> None:
        if reached:
            await failed(error)
        elif (
            next(tries, None) is None
        ):  # every server was tried once, and at the start that is enough
            raise error

    reached = False
    try:
        await client.connect(
            list(place.servers),
            name=f"tocsin {name}",
            connect_timeout=CONNECT_S,
            max_reconnect_attempts=_FOR_EVER,
            reconnect_time_wait=_RETRY_S,
            ping_interval=_PING_S,
            max_outstanding_pings=_UNANSWERED_PINGS,
            error_cb=told,
            disconnected_cb=parted,
            reconnected_cb=returned,
            no_echo=not echo,
        )
    except (nats.errors.Error, OSError, TimeoutError) as error:
        detail = (
            f"{name}: no NATS server was reached at {hosts(place)} ({error}): start one there, or mend the URL; "
            "its user and password must be known to the server"
        )
        raise ConfigError(detail) from error
    reached = True
    return client


async def settle(client: Client) -> None:
    """Return when the server has everything that was sent, subscriptions too.

    The client writes its ping past what it has yet to send, so one alone says nothing (seen: 5 of 400 came first).  By the
    answer to the first everything is sent, and the second comes after it.
    """
    await client.flush()
    await client.flush()


def hosts(place: Place) -> str:
    """Name the servers, without credentials."""
    return ", ".join(server.rpartition("@")[2].rpartition("/")[2] for server in place.servers)
