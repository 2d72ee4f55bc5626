"""How a command reaches Tocsin: a server elsewhere, the one beside it, or none.

``TOCSIN_URL`` and ``TOCSIN_KEY`` name one elsewhere.  Else the Unix socket in the data folder (mode 0600) is the way to the running
server.  Else no server holds the folder, and the command opens it itself, with the same routes.
"""

import os
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tocsin.client.connections import UNBOUNDED, AsyncConnections
from tocsin.client.refusal import RefusedError, refusal_of
from tocsin.client.remote import find_remote
from tocsin.config import SOCKET_NAME, Settings

TIMEOUT_S = 30.0


class Link:
    """Requests to one server, whichever way they go.

    ``is_live`` is False when there is no server, and this command itself holds the data folder: nothing is processed and nobody
    can connect.
    """

    def __init__(self, http: httpx.AsyncClient, hub: str | None, *, is_live: bool = True) -> None:
        self._http = http
        self.is_live = is_live
        self._headers = {} if hub is None else {"tocsin-hub": hub}

    async def call(self, method: str, path: str, body: object = None, **params: str) -> Any:  # noqa: ANN401 -- JSON
        """Send a request and return the JSON of its answer, None if it has none.

        Raises:
            RefusedError: The answer is a problem, or no answer came.
        """
        try:
            answer = await self._http.request(
                method, path, json=body, params=params, headers=self._headers
            )
        except httpx.HTTPError as error:
            detail = f"no answer from {self._http.base_url}: {error}"
            raise RefusedError(detail, code="no-answer") from error
        if answer.is_error:
            raise refusal_of(answer.status_code, answer.content)
        try:
            return answer.json() if answer.content else None
        except ValueError as error:
            detail = (
                f"{self._http.base_url} answered, but not as Tocsin does; is it the right address?"
            )
            raise RefusedError(detail, code="no-answer") from error

    async def lines(self, path: str) -> AsyncIterator[str]:
        """Send a request and return the lines of its answer as they come.

        Raises:
            RefusedError: The answer is a problem, no answer came, or it broke off.
        """
        try:
            async with self._http.stream("GET", path, headers=self._headers) as answer:
                if answer.is_error:
                    await answer.aread()
                    raise refusal_of(answer.status_code, answer.content)
                async for line in answer.aiter_lines():
                    yield line
        except httpx.HTTPError as error:
            detail = f"no whole answer from {self._http.base_url}: {error}"
            raise RefusedError(detail, code="no-answer") from error


@asynccontextmanager
async def open_link(settings: Settings, hub: str | None = None) -> AsyncIterator[Link]:
    """Open the way to the server that the settings and the environment name.

    Raises:
        ConfigError: The data folder is held by a server that cannot be reached, or ``TOCSIN_URL`` or ``TOCSIN_KEY``
            cannot be what it says.
    """
    if os.environ.get("TOCSIN_URL"):
        url, headers = find_remote()
        async with AsyncConnections(base_url=url, headers=headers, timeout=TIMEOUT_S) as http:
            yield Link(http, hub)
    elif is_served(settings):
        async with open_served(settings, hub) as link:
            yield link
    else:
        from tocsin.node.life import Node  # noqa: PLC0415 -- a second of imports that nobody else needs

        async with (
            Node.opened(settings) as node,
            _local(httpx.ASGITransport(node.local_app)) as http,
        ):
            yield Link(http, hub, is_live=False)


@asynccontextmanager
async def open_served(settings: Settings, hub: str | None = None) -> AsyncIterator[Link]:
    """Open the way to the server that runs on the data folder of these settings, whatever the environment names."""
    async with served_http(settings) as http:
        yield Link(http, hub)


def served_http(settings: Settings) -> httpx.AsyncClient:
    """Return the connections to the server that runs on the data folder of these settings; the caller closes them."""
    # Else the certificates of the machine would be read, which takes 30 ms, and there is no TLS on the socket.
    no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    path = str(settings.data_dir / SOCKET_NAME)
    return _local(httpx.AsyncHTTPTransport(uds=path, verify=no_tls, limits=UNBOUNDED))


def _local(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    return AsyncConnections(transport=transport, base_url="http://tocsin", timeout=TIMEOUT_S)


def is_served(settings: Settings) -> bool:
    """Whether a server runs on the data folder of these settings."""
    return _answers(settings.data_dir / SOCKET_NAME)


def _answers(path: Path) -> bool:
    """Whether a server listens there; a socket file outlives a killed server."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
