"""Our listener with uvicorn's protocols on uvloop in this process, with a gateway on a tiny store."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.unit.realtime_fakes import NoHandlers, Notes
from tocsin.adapters.memory.fanout import MemoryFanout
from tocsin.adapters.memory.peers import NoPeers
from tocsin.api.listener import Listener, bind
from tocsin.api.upgrade import socket_upgrade
from tocsin.clock import SystemClock
from tocsin.model.position import Position
from tocsin.ports.event_handlers import EventHandlers
from tocsin.ports.fanout import Announcement
from tocsin.realtime.doorkeeper import Doorkeeper
from tocsin.realtime.gateway import Gateway
from tocsin.realtime.settings import GatewaySettings
from tocsin.realtime.tokens import sign_token
from tocsin.supervisor import Supervisor

KEYS = (b"p" * 32, b"s" * 32)


class Positions:
    """The part of a store the gateway uses."""

    def __init__(self) -> None:
        self.of: dict[tuple[str, str], Position] = {}
        self.reads: list[tuple[str, tuple[str, ...]]] = []
        self.first_contacts: list[tuple[str, str]] = []
        self.failure: Exception | None = None

    async def positions(self, hub: str, users: Sequence[str]) -> dict[str, Position]:
        self.reads.append((hub, tuple(users)))
        if self.failure is not None:
            raise self.failure
        return {user: self.of[hub, user] for user in users if (hub, user) in self.of}

    async def first_contact(self, hub: str, user: str) -> None:
        self.first_contacts.append((hub, user))
        self.of.setdefault((hub, user), Position("e", 0, 0))


class FixedKeys:
    """One pair of keys for every hub."""

    async def access_keys(self, hub: str) -> tuple[bytes, bytes]:
        return KEYS

    async def valid_from_us(self, hub: str, user: str) -> int:
        return -1


async def no_app(scope: Any, receive: Any, send: Any) -> None:
    """Answer everything with 404."""
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


class Node:
    """A running gateway and how to reach it."""

    def __init__(
        self, gateway: Gateway, fanout: MemoryFanout, store: Positions, port: int, notes: Notes
    ) -> None:
        self.gateway = gateway
        self.fanout = fanout
        self.store = store
        self.port = port
        self.notes = notes

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, user: str = "u1", hub: str = "chat", **changes: Any) -> str:
        given: dict[str, Any] = {
            "scope": "inbox",
            "ttl_s": 3600,
            "now_us": SystemClock().now_us(),
        } | changes
        return sign_token(KEYS, endpoint=self.endpoint, hub=hub, user=user, **given)[0]

    def url(self, user: str = "u1", hub: str = "chat", **changes: Any) -> str:
        token = self.token(user, hub, **changes)
        return f"ws://127.0.0.1:{self.port}/client/hubs/{hub}?access_token={token}"

    def announce(
        self,
        number: int,
        user: str | None = "u1",
        hub: str = "chat",
        alert_ids: tuple[str, ...] = (),
        **body: Any,
    ) -> None:
        data = msgspec.json.encode({"tocsin": 1, "kind": "test", "rev": number} | body)
        self.fanout.announce([Announcement(hub, user, number, data, alert_ids)])


async def eventually(condition: Callable[[], bool]) -> None:
    """Let the server work until something holds; the test's time limit ends it otherwise."""
    while not condition():  # noqa: ASYNC110 -- what is waited for has no event
        await asyncio.sleep(0.002)


@contextlib.asynccontextmanager
async def running_node(
    settings: GatewaySettings | None = None,
    http: Callable[..., asyncio.Protocol] = HttpToolsProtocol,
    handlers: EventHandlers | None = None,
) -> AsyncIterator[Node]:
    bound = bind("127.0.0.1", 0)
    port = bound.getsockname()[1]
    supervisor = Supervisor()
    fanout, store, notes = MemoryFanout(), Positions(), Notes()
    endpoints = (f"http://127.0.0.1:{port}",)
    gateway = Gateway(
        store=store,  # type: ignore[arg-type]
        doorkeeper=Doorkeeper(FixedKeys(), endpoints, SystemClock()),
        fanout=fanout,
        peers=NoPeers(),
        clock=SystemClock(),
        supervisor=supervisor,
        settings=settings or GatewaySettings(),
        endpoints=endpoints,
        recorder=notes,
        handlers=handlers or NoHandlers(),
    )
    gateway.start()
    listener = Listener(http, {"http": http, "ws": socket_upgrade(gateway)})
    await listener.listen(bound, no_app)
    try:
        yield Node(gateway, fanout, store, port, notes)
    finally:
        listener.stop_accepting()
        await gateway.drain(0)
        gateway.close()
        await listener.finish(5)
        await supervisor.stop()
