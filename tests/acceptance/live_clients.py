"""Live inbox clients of several users, and the question whether each holds what a fresh fetch gives."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import aiohttp

from tests.acceptance.deadlines import until_async
from tests.acceptance.server_process import ServerProcess
from tocsin.client.live import InboxClient

QUIET_S = 1.5
BACK_S = 60.0  # sockets are tried again after 10 s, then 20 s
PAGE = 200

Position = Mapping[str, Any]  # epoch, rev, brev
# Where it stands, its rows, unseen, unread.
Shown = tuple[Position, list[tuple[str, str, int, bool, bool]], int, int]


class LiveClients:
    """One client for each user; ``requests`` counts what they ask the HTTP API."""

    def __init__(self, server: ServerProcess, key: Mapping[str, str]) -> None:
        self.clients: dict[str, InboxClient] = {}
        self.requests = 0
        self._server = server
        self._key = key
        self._checks = aiohttp.ClientSession(headers=key)
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), trace_configs=[self._counter()]
        )

    async def open(self, users: Sequence[str]) -> None:
        """Connect, and wait until every client knows its inbox."""
        for user in users:
            issued = await asyncio.to_thread(self._server.client_token, self._key, user)
            client = self.clients[user] = InboxClient(
                issued["url"], self._server.url, self._http, options={"page_limit": PAGE}
            )
            client.start()
        for client in self.clients.values():
            await client.synced()

    async def close(self) -> None:
        """End all of them."""
        for client in self.clients.values():
            await client.close()
        await self._http.close()
        await self._checks.close()

    async def become_equal(self, user: str, within_s: float) -> None:
        """Wait until a client holds all that a fresh fetch of its inbox gives, and stands where it does.

        Raises:
            AssertionError: It does not in time.
        """
        client = self.clients[user]

        async def equal() -> bool:
            view = client.view()
            if not view["synced"]:
                return False
            if not view["complete"]:
                client.load_older()
                return False
            shown = _shown(view["position"], view["items"], view["counts"])
            return shown == await self._fetch(user)

        await until_async(equal, f"the client of {user} equals a fresh fetch", within_s)

    async def move(self) -> None:
        """Wait until every client is further than it is now."""
        before = {user: client.view()["position"] for user, client in self.clients.items()}

        async def moved() -> bool:
            return all(self.clients[user].view()["position"] != at for user, at in before.items())

        await until_async(moved, "every client moves on")

    async def become_quiet(self) -> None:
        """Check that clients come to ask for nothing any more.

        Connections that broke soon after one another look like blocked sockets: such a client listens to a stream, and asks
        once more when it is back on a socket.

        Raises:
            AssertionError: One asks on and on.
        """

        async def quiet() -> bool:
            before = self.requests
            await asyncio.sleep(QUIET_S)  # silence can only be listened to
            on_sockets = all(client.transport == "socket" for client in self.clients.values())
            return on_sockets and self.requests == before

        await until_async(quiet, "no client asks any more, for it has everything", BACK_S)

    async def _fetch(self, user: str) -> Shown:
        position = (await self._ask("/v1/inbox", user=user, limit="1"))["position"]
        items: list[dict[str, Any]] = []
        query = {"user": user, "status": "all", "limit": str(PAGE)}
        while True:
            page = await self._ask("/v1/inbox/items", **query)
            items += page["items"]
            if page["page"]["next"] is None:
                return _shown(position, items, page["totals"])
            query["cursor"] = page["page"]["next"]

    async def _ask(self, path: str, **query: str) -> Any:
        async with self._checks.get(self._server.url + path, params=query) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    def _counter(self) -> aiohttp.TraceConfig:
        async def count(_: object, __: object, request: aiohttp.TraceRequestStartParams) -> None:
            self.requests += request.url.path.startswith("/v1/inbox")

        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(count)
        return trace


def _shown(
    position: Position, items: Sequence[Mapping[str, Any]], counts: Mapping[str, int]
) -> Shown:
    rows = [
        (item["id"], item["alert_id"], item["sort"], item["seen"], item["read"]) for item in items
    ]
    return position, rows, counts["unseen"], counts["unread"]


@contextlib.asynccontextmanager
async def live_clients(
    server: ServerProcess, key: Mapping[str, str], users: Sequence[str]
) -> AsyncIterator[LiveClients]:
    """Run a client for each user."""
    clients = LiveClients(server, key)
    try:
        await clients.open(users)
        yield clients
    finally:
        await clients.close()
