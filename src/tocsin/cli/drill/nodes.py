"""The servers under a drill: each request begins at the next of them, and is repeated at the one after that."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from random import random
from typing import Any, NamedTuple, TypeVar

import httpx

from tocsin.cli.drill.duties import API, LIVE, as_client, by_key, check_duty
from tocsin.cli.link import is_served, served_http
from tocsin.client.async_producer import try_once
from tocsin.client.attempts import Attempt, Attempts, Lost, Patience, Plan, Reply, Request
from tocsin.client.connections import AsyncConnections
from tocsin.client.publishing import Publishing
from tocsin.client.remote import address_of, find_remote
from tocsin.clock import SystemClock
from tocsin.config import Settings
from tocsin.errors import ConfigError

T = TypeVar("T")


class Node(NamedTuple):
    """One server; ``url`` is None for the one beside the command, whose clients go where it tells them."""

    http: httpx.AsyncClient
    url: str | None


class Addresses(NamedTuple):
    """Where one client goes: ``socket`` has its token in it, ``api`` answers what it asks, ``gateway`` has event streams."""

    socket: str
    api: str
    gateway: str


class Nodes:
    """Sends what plans want sent, to one node after the other, so that one that is away costs an attempt and no more.

    ``gateways`` are where clients are live; without any they are so at the nodes.
    """

    def __init__(
        self, nodes: Sequence[Node], patience: Patience, gateways: Sequence[str] = ()
    ) -> None:
        self._nodes = nodes
        self._gateways = gateways
        self._patience = patience
        self._clock = SystemClock()
        self._turn = 0
        self.publishing = Publishing(patience, self._clock, random)

    def __len__(self) -> int:
        return len(self._nodes)

    def of(self, place: int) -> "Nodes":
        """Return one of the nodes, alone, with one of the gateways."""
        gateways = self._gateways and [self._gateways[place % len(self._gateways)]]
        return Nodes([self._nodes[place % len(self._nodes)]], self._patience, gateways)

    def addresses(self, given: str) -> Addresses:
        """Lead a client URL, which names the public address, to the first of these nodes and gateways."""
        head, path, rest = given.partition("/client/")
        api = self._nodes[0].url or head.replace("ws", "http", 1)
        gateway = self._gateways[0] if self._gateways else api
        return Addresses(f"{gateway.replace('http', 'ws', 1)}{path}{rest}", api, gateway)

    async def check(self) -> None:
        """See that each node serves the API, and that clients can be live at each gateway.

        Raises:
            ConfigError: One has another role, or is not Tocsin.
            UnavailableError: One did not answer.
        """
        for node in self._nodes:
            name = node.url or "the server beside the command"
            await check_duty(API, name, by_key(node.http), self._patience)
        for gateway in self._gateways or [node.url for node in self._nodes if node.url]:
            await check_duty(LIVE, gateway, as_client(gateway), self._patience)

    async def check_told(self, addresses: Addresses) -> None:
        """See likewise that a client finds what it needs where the server beside the command leads it.

        Raises:
            ConfigError: As above.
            UnavailableError: As above.
        """
        if self._nodes[0].url is not None:
            return
        told = f"{addresses.api} (public_url)"
        await check_duty(API, told, as_client(addresses.api), self._patience)
        if not self._gateways:
            await check_duty(LIVE, told, as_client(addresses.gateway), self._patience)

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
    gateways: Sequence[str] = (),
) -> AsyncIterator[Nodes]:
    """Open connections to these endpoints; without any to the server on the data folder.

    Clients are to be live at ``gateways``, or else at the endpoints.

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
            http = AsyncConnections(base_url=remote.url, headers=remote.headers)
            nodes.append(Node(await stack.enter_async_context(http), str(remote.url).rstrip("/")))
        if not endpoints:
            nodes.append(Node(await stack.enter_async_context(served_http(settings)), None))
        for node in nodes:
            node.http.headers.update(headers)
        live = [str(address_of(gateway, "--gateway")).rstrip("/") for gateway in gateways]
        yield Nodes(nodes, patience, live)
