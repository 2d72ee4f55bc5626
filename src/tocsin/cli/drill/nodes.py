"""The servers under a drill: each request begins at the next of them, and is repeated at the one after that."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from random import random
from typing import Any, NamedTuple, TypeVar

import httpx

from tocsin.cli.link import is_served, served_http
from tocsin.client.async_producer import try_once
from tocsin.client.attempts import Attempt, Attempts, Lost, Patience, Plan, Reply, Request
from tocsin.client.publishing import Publishing
from tocsin.client.remote import find_remote
from tocsin.clock import SystemClock
from tocsin.config import Settings
from tocsin.errors import ConfigError

T = TypeVar("T")


class Node(NamedTuple):
    """One server; ``url`` is None for the one beside the command, whose clients go where it tells them."""

    http: httpx.AsyncClient
    url: str | None


class Nodes:
    """Sends what plans want sent, to one node after the other, so that one that is away costs an attempt and no more."""

    def __init__(self, nodes: Sequence[Node], patience: Patience) -> None:
        self._nodes = nodes
        self._patience = patience
        self._clock = SystemClock()
        self._turn = 0
        self.publishing = Publishing(patience, self._clock, random)

    def __len__(self) -> int:
        return len(self._nodes)

    def of(self, place: int) -> "Nodes":
        """Return one of the nodes, alone."""
        return Nodes([self._nodes[place % len(self._nodes)]], self._patience)

    def client_url(self, given: str) -> str:
        """Lead a client URL, which names the public address, to the first of these nodes."""
        url = self._nodes[0].url
        head, path, rest = given.partition("/client/")
        return f"{head if url is None else url.replace('http', 'ws', 1)}{path}{rest}"

    async def run(self, plan: Plan[T], trail: list[Reply | Lost] | None = None) -> T:
        """Carry out a plan and return its result; ``trail`` gets what came of each attempt.

        Raises:
            RefusedError: The server said no.
            UnsettledError: The deadline came before an answer.
        """
        self._turn += 1
        places = itertools.count(self._turn)
        try:
            attempt = next(plan)
            while True:
                told = await self._try(attempt, next(places))
                if trail is not None:
                    trail.append(told)
                attempt = plan.send(told)
        except StopIteration as done:
            result: T = done.value
            return result

    async def ask(
        self, method: str, path: str, body: bytes | None = None, *, within_s: float | None = None
    ) -> dict[str, Any]:
        """Send a request until it is answered, and return the JSON; it is tried for ``within_s`` seconds, or as publishes are.

        Raises:
            RefusedError: The server said no.
            UnsettledError: The deadline came before an answer.
        """
        deadline_s = self._patience.deadline_s if within_s is None else within_s
        attempts = Attempts(Patience(self._patience.timeout_s, deadline_s), self._clock, random)
        return await self.run(attempts.settle(Request(method, path, body), dict[str, Any]))

    async def _try(self, attempt: Attempt, place: int) -> Reply | Lost:
        await asyncio.sleep(attempt.after_s)
        return await try_once(self._nodes[place % len(self._nodes)].http, attempt)


@asynccontextmanager
async def open_nodes(
    settings: Settings,
    hub: str | None,
    endpoints: Sequence[str],
    key: str | None,
    patience: Patience,
) -> AsyncIterator[Nodes]:
    """Open connections to these endpoints; without any to the server on the data folder.

    Raises:
        ConfigError: There is no server, or an address or the key cannot be what it says.
    """
    if not endpoints and not is_served(settings):
        detail = f"no server runs on {settings.data_dir}; start `tocsin serve`, or name one with --endpoint or TOCSIN_URL"
        raise ConfigError(detail, code="no-server")
    headers = {} if hub is None else {"tocsin-hub": hub}
    async with AsyncExitStack() as stack:
        nodes = []
        for remote in [find_remote(endpoint, key) for endpoint in endpoints]:
            http = httpx.AsyncClient(base_url=remote.url, headers=remote.headers)
            nodes.append(Node(await stack.enter_async_context(http), str(remote.url).rstrip("/")))
        if not endpoints:
            nodes.append(Node(await stack.enter_async_context(served_http(settings)), None))
        for node in nodes:
            node.http.headers.update(headers)
        yield Nodes(nodes, patience)
