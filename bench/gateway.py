"""The gateway alone, behind uvicorn as in the server, on a store that knows every user and changes nothing.

What is announced goes straight to it, so that its own cost can be told from that of publishing and committing.
"""

import socket
from collections.abc import Sequence
from typing import Any

from tocsin.adapters.memory.fanout import MemoryFanout
from tocsin.adapters.memory.peers import NoPeers
from tocsin.api.http_guard import guarded_protocol
from tocsin.api.listener import Listener
from tocsin.api.upgrade import socket_upgrade
from tocsin.clock import SystemClock
from tocsin.model.position import Position
from tocsin.model.receipt import Fact, Told
from tocsin.ports.event_handlers import Client, Dealings, Line
from tocsin.ports.fanout import Announcement
from tocsin.realtime.doorkeeper import Doorkeeper
from tocsin.realtime.gateway import Gateway
from tocsin.realtime.settings import GatewaySettings
from tocsin.realtime.tokens import sign_token
from tocsin.serving import calm_collector
from tocsin.supervisor import Supervisor

_HUB = "bench"
_KEYS = (b"p" * 48, b"s" * 48)


class GatewayAlone:
    """Run it in a process of its own (``bench.child``)."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=4_096)
        self._fanout = MemoryFanout()

    async def open(self) -> int:
        """Begin to accept clients; return the port."""
        gateway = Gateway(
            store=_NoStore(),  # type: ignore[arg-type]  # all that the gateway asks of it here
            doorkeeper=Doorkeeper(_Keys(), (self._endpoint(),), SystemClock()),
            fanout=self._fanout,
            peers=NoPeers(),
            clock=SystemClock(),
            supervisor=Supervisor(),
            settings=GatewaySettings(),
            endpoints=(self._endpoint(),),
            recorder=_NoReceipts(),
            handlers=_NoHandlers(),
        )
        gateway.start()
        protocol = guarded_protocol(16_384, 10, 30)
        listener = Listener(protocol, {"ws": socket_upgrade(gateway), "http": protocol})
        await listener.listen(self._socket, _no_application)
        calm_collector()  # as the server does
        return self._port()

    async def client_paths(self, count: int) -> list[str]:
        """Return a path with a token for each of ``count`` users."""
        return [f"/client/hubs/{_HUB}?access_token={self._token(n)}" for n in range(count)]

    async def announce(self, body: bytes, times: int) -> None:
        """Send a message to everybody, ``times`` at once."""
        self._fanout.announce([Announcement(_HUB, None, 0, body)] * times)

    def _token(self, number: int) -> str:
        return sign_token(
            _KEYS,
            endpoint=self._endpoint(),
            hub=_HUB,
            user=f"user-{number:06}",
            ttl_s=3_600,
            now_us=SystemClock().now_us(),
            scope="inbox",
        )[0]

    def _endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port()}"

    def _port(self) -> int:
        return int(self._socket.getsockname()[1])


class _NoStore:
    async def positions(self, _hub: str, users: Sequence[str]) -> dict[str, Position]:
        return dict.fromkeys(users, Position("bench", 0, 0))


class _Keys:
    async def access_keys(self, _hub: str) -> tuple[bytes, bytes]:
        return _KEYS

    async def valid_from_us(self, _hub: str, _user: str) -> int:
        return -1


class _NoHandlers:
    def line(self, client: Client, before: Dealings | None = None) -> Line | None:  # noqa: ARG002 -- the port's
        """Return none: no hub has event handlers."""
        return None


class _NoReceipts:
    def keeps(self, _hub: str, _fact: Fact) -> bool:
        return False

    def record(self, _told: Sequence[Told]) -> None:
        """Keep nothing."""

    async def note(self, _told: Sequence[Told]) -> None:
        """Keep nothing."""


async def _no_application(_scope: Any, _receive: Any, send: Any) -> None:  # noqa: ANN401 -- ASGI
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})
