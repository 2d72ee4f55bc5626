"""A server with one producer key, the payloads that other products send to it, and what Ada then has."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.unit.api_server import Server, running
from tocsin.config import DefaultAudience, Hub
from tocsin.ports.store import AlertListing, Listing

PAYLOADS = Path(__file__).parent / "payloads"


def payload(product: str) -> Any:
    """Return what a product sends, as it documents it."""
    return json.loads((PAYLOADS / f"{product}.json").read_text())


@dataclass
class Sender:
    """Sends as another product would."""

    server: Server
    key: str

    @property
    def bearer(self) -> dict[str, str]:
        """The key as a header."""
        return {"authorization": f"Bearer {self.key}"}

    async def post(self, path: str, **more: Any) -> httpx.Response:
        """Send to a path below ``/shims`` with the key as bearer, and process what came in."""
        more.setdefault("headers", self.bearer)
        answer = await self.server.http.post(f"/shims/{path}", **more)
        while await self.server.worker.step():
            pass
        return answer

    async def inbox(self, user: str = "ada") -> list[dict[str, Any]]:
        """Return the alerts that a user has, newest first."""
        page = await self.server.store.entries("default", user, Listing(limit=100))
        return [json.loads(bytes(entry.content)) for entry in page.entries]

    async def published(self) -> list[str]:
        """Return the ids of all that the key published."""
        page = await self.server.store.alerts("default", AlertListing(limit=100))
        return [alert.id for alert in page.alerts]

    async def titles(self, user: str = "ada") -> list[str]:
        """Return the titles of these."""
        return [alert["title"] for alert in await self.inbox(user)]


@asynccontextmanager
async def sending(**audience: Any) -> AsyncIterator[Sender]:
    """Run a server whose key ``monitoring`` has a default audience, if one is given."""
    audiences = {"monitoring": DefaultAudience(**audience)} if audience else {}
    async with running(hubs={"default": Hub(audiences=audiences)}) as server:
        text, _ = await server.keyring.create("default", "producer", "monitoring")
        yield Sender(server, text)
