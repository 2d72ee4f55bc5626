"""A whole node on SQLite behind its own listener, and a client with a server key."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.acceptance.server_process import NO_TLS
from tests.ports.empty_store import put_empty_store
from tocsin.api.endpoints import find_endpoints
from tocsin.api.http_guard import guarded_protocol
from tocsin.api.listener import Listener, bind
from tocsin.api.upgrade import socket_upgrade
from tocsin.config import Settings
from tocsin.node.life import Node


class Event(NamedTuple):
    """One event as ``EventSource`` would give it."""

    kind: str
    id: str
    data: Any


class Reader:
    """Reads one stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def lines(self) -> list[str]:
        """Return the lines up to the next empty one; none at the end."""
        block: list[str] = []
        async with asyncio.timeout(30):
            async for line in self._lines:
                if not line:
                    return block
                block.append(line)
        return block

    async def event(self) -> Event:
        while (block := await self.lines()) == [":"]:
            pass
        fields = dict(line.split(": ", 1) for line in block)
        return Event(
            fields.get("event", "message"), fields.get("id", ""), json.loads(fields["data"])
        )


class Served:
    """A node, its client, and keys."""

    def __init__(self, node: Node, http: httpx.AsyncClient, server_key: str) -> None:
        self.node = node
        self.http = http
        self.key = {"authorization": f"Bearer {server_key}"}

    async def token(self, user: str = "ada") -> str:
        answer = await self.http.post("/v1/client-tokens", json={"user_id": user}, headers=self.key)
        token: str = answer.json()["token"]
        return token

    async def publish(self, title: str, **to: Any) -> None:
        alert = {"to": to or {"users": ["ada"]}, "title": title}
        answer = await self.http.post("/v1/alerts", json=alert, headers=self.key)
        assert answer.status_code == 202

    async def titles(self, count: int) -> list[str]:
        """Wait until Ada's inbox has that many items, and return their titles, newest first."""
        while True:
            answer = await self.http.get("/v1/inbox/items?user=ada", headers=self.key)
            items = answer.json()["items"]
            if len(items) >= count:
                return [item["alert"]["title"] for item in items]

    @asynccontextmanager
    async def stream(self, query: str = "", **headers: str) -> AsyncIterator[Reader]:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        path = f"/v1/inbox/stream{query}"
        async with self.http.stream("GET", path, headers=given) as response:
            assert response.status_code == 200
            yield Reader(response)


@asynccontextmanager
async def serving(data_dir: Path, **settings: Any) -> AsyncIterator[Served]:
    put_empty_store(data_dir)
    bound = bind("127.0.0.1", 0)
    port = bound.getsockname()[1]
    endpoints = find_endpoints(
        "127.0.0.1",
        port,
        settings.get("public_url"),
        tls=False,
        others=settings.get("other_urls", ()),
    )
    async with Node.opened(Settings(data_dir=data_dir, **settings), endpoints) as node:
        limits = node.settings.limits
        protocol = guarded_protocol(limits.head_bytes, limits.head_s, limits.body_s)
        listener = Listener(protocol, {"http": protocol, "ws": socket_upgrade(node.gateway)})
        await listener.listen(bound, node.app)
        node.start()
        key, _ = await node.keyring.create("default", "server", "backend")
        try:
            base = f"http://127.0.0.1:{port}"
            async with httpx.AsyncClient(base_url=base, timeout=30, verify=NO_TLS) as http:
                yield Served(node, http, key)
        finally:
            listener.stop_accepting()
            await node.gateway.drain(0)
            await listener.finish(5)
            await node.finish_work(0)
            node.gateway.close()
