"""The listener: uvicorn's HTTP protocol on sockets of our own.

uvicorn's ``Server`` is not used: it owns the signals and the order of shutdown, and both are ours (I9).
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from uvicorn import Config
from uvicorn.server import ServerState

from tocsin.errors import ConfigError

BACKLOG = 4_096
POLL_S = 0.05


class Listener:
    """Accepts connections on sockets, each with an application of its own, and ends politely."""

    def __init__(self, protocol: Callable[..., asyncio.Protocol], settings: dict[str, Any]) -> None:
        self._protocol = protocol
        self._settings = settings
        self._state = ServerState()
        self._servers: list[asyncio.Server] = []

    async def listen(
        self, bound: socket.socket, app: Callable[..., Any], tls: ssl.SSLContext | None = None
    ) -> None:
        """Serve ``app`` on a bound socket."""
        config = Config(
            app,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,  # it would print query strings, and tokens in them
            server_header=False,
            **self._settings,
        )
        config.load()
        loop = asyncio.get_running_loop()

        def accept() -> asyncio.Protocol:
            return self._protocol(config=config, server_state=self._state, app_state={}, _loop=loop)

        if bound.family == socket.AF_UNIX:
            server = await loop.create_unix_server(accept, sock=bound, backlog=BACKLOG)
        else:
            server = await loop.create_server(accept, sock=bound, ssl=tls, backlog=BACKLOG)
        self._servers.append(server)

    def stop_accepting(self) -> None:
        """Take no new connection; those that are open go on."""
        for server in self._servers:
            server.close()

    async def finish(self, within_s: float) -> None:
        """Let requests under way end, for at most ``within_s`` seconds; idle connections close at once."""
        for connection in list(self._state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(within_s):
                # uvicorn's state has no event to wait for.
                while self._state.tasks or self._state.connections:  # noqa: ASYNC110 -- see above
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            for task in list(self._state.tasks):
                task.cancel()


def bind(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """Bind a TCP socket; with ``shared`` other processes may bind the same, and the system spreads connections over them.

    Raises:
        ConfigError: The address is taken or not of this machine.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, proto)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
    except OSError as error:
        detail = f"cannot listen on {host}:{port}: {error.strerror}; choose another with --host and --port"
        raise ConfigError(detail, code="cannot-listen") from error
    return bound


def bind_unix(path: Path) -> socket.socket:
    """Bind a Unix socket that only its owner may use (0600), in place of one left behind.

    The mode is set before anybody can connect: nothing is accepted until ``listen``.

    Raises:
        ConfigError: The path is too long for a socket (about 100 bytes), or nothing can be made there.
    """
    path.unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX)
    try:
        bound.bind(str(path))
    except OSError as error:
        bound.close()
        detail = f"cannot make the socket {path}: {error}; choose a data folder with a shorter path"
        raise ConfigError(detail, code="cannot-listen") from error
    path.chmod(0o600)
    return bound


def tls_context(cert: Path, key: Path) -> ssl.SSLContext:
    """Load a certificate.

    Raises:
        ConfigError: The files are no certificate and key that belong together.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(cert, key)
    except (ssl.SSLError, OSError) as error:
        detail = f"{cert} and {key} are no certificate and key that belong together: {error}"
        raise ConfigError(detail, code="tls") from error
    return context
