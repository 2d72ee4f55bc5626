"""A backend of one hub, which asks a whole node by requests that it signs as Microsoft's SDKs do."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import jwt
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.wire.served_node import Served, serving

JSON = Subprotocol("json.webpubsub.azure.v1")
VERSION = "api-version=2024-12-01"


class Plane:
    """A backend of one hub; ``clients`` is the path where its clients connect."""

    def __init__(self, served: Served, keys: tuple[bytes, bytes], hub: str = "Chat") -> None:
        self.served = served
        self.keys = keys
        self.hub = hub
        self.clients = f"/client/hubs/{hub.lower()}"
        self.base = str(served.http.base_url).rstrip("/")

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **claims: Any,
    ) -> httpx.Response:
        """Send a request; a body that is no text and no bytes is JSON."""
        url = f"/api/hubs/{self.hub}{path}"
        signed = self.sign(url, **claims)
        return await self.served.http.request(
            method,
            url,
            content=body if isinstance(body, str | bytes | None) else json.dumps(body),
            headers={
                "authorization": f"Bearer {signed}",
                "content-type": "application/json",
                **(headers or {}),
            },
        )

    def sign(self, path: str, key: bytes | None = None, **claims: Any) -> str:
        """Return a token for a path of the server, with these claims too."""
        said = {"aud": self.base + path, "exp": int(time.time()) + 60} | claims
        return jwt.encode(said, key or self.keys[0], algorithm="HS256")

    async def url(self, user: str, *roles: str) -> str:
        """Return the URL with which a user connects, with a token that the server made."""
        query = urlencode([("userId", user), *(("role", role) for role in roles)])
        answer = await self.ask("POST", f"/:generateToken?{query}")
        return self.url_with(answer.json()["token"])

    def url_with(self, token: str) -> str:
        """Return the URL with which the bearer of a token connects."""
        return f"{self.base.replace('http', 'ws')}{self.clients}?access_token={token}"

    @asynccontextmanager
    async def client(self, user: str, *roles: str) -> AsyncIterator[tuple[ClientConnection, str]]:
        """Connect a user; yields the socket and the id of the connection."""
        async with connect(await self.url(user, *roles), subprotocols=[JSON], proxy=None) as socket:
            yield socket, (await receive(socket))["connectionId"]


@asynccontextmanager
async def data_plane(data_dir: Path, **settings: Any) -> AsyncIterator[Plane]:
    """Serve a node with these settings."""
    async with serving(data_dir, **settings) as served:
        yield Plane(served, await served.node.keyring.open_hub("chat"))


async def receive(socket: ClientConnection) -> Any:
    """Return the next message."""
    async with asyncio.timeout(30):
        return json.loads(await socket.recv())
