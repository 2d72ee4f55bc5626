"""A gateway behind uvicorn, on a store that knows every user and changes nothing."""

import asyncio
import contextlib
import os
import resource
import socket
from collections.abc import AsyncIterator, Sequence
from multiprocessing.connection import Connection
from typing import Any

import uvicorn

from tocsin.adapters.memory.fanout import MemoryFanout
from tocsin.api.http_guard import guarded_protocol
from tocsin.api.upgrade import socket_upgrade
from tocsin.clock import SystemClock
from tocsin.model.position import Position
from tocsin.realtime.gateway import Gateway
from tocsin.realtime.settings import GatewaySettings
from tocsin.realtime.tokens import sign_token
from tocsin.supervisor import Supervisor

HUB = "bench"
_KEYS = (b"p" * 48, b"s" * 48)


class _NoStore:
    async def positions(self, _hub: str, users: Sequence[str]) -> dict[str, Position]:
        return dict.fromkeys(users, Position("bench", 0, 0))


class _Keys:
    async def access_keys(self, _hub: str) -> tuple[bytes, bytes]:
        return _KEYS


class GatewayServer:
    """A gateway that listens on a free loopback port."""

    def __init__(self, gateway: Gateway, fanout: MemoryFanout, port: int) -> None:
        self.gateway = gateway
        self.fanout = fanout
        self.port = port

    def client_paths(self, count: int) -> list[str]:
        """Make a client path with a token for each of ``count`` users."""
        return [f"/client/hubs/{HUB}?access_token={self._token(i)}" for i in range(count)]

    def _token(self, index: int) -> str:
        return sign_token(
            _KEYS,
            endpoint=f"http://127.0.0.1:{self.port}",
            hub=HUB,
            user=f"user-{index:05}",
            ttl_s=3600,
            now_us=SystemClock().now_us(),
            scope="inbox",
        )[0]


@contextlib.asynccontextmanager
async def gateway_server(settings: GatewaySettings) -> AsyncIterator[GatewayServer]:
    """Run a gateway in this process."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    port = listener.getsockname()[1]
    supervisor, fanout = Supervisor(), MemoryFanout()
    gateway = Gateway(
        store=_NoStore(),  # type: ignore[arg-type]  # all that the gateway asks of it here
        keyring=_Keys(),
        fanout=fanout,
        clock=SystemClock(),
        supervisor=supervisor,
        settings=settings,
        endpoints=(f"http://127.0.0.1:{port}",),
    )
    gateway.start()
    config = uvicorn.Config(
        _nothing_here,
        http=guarded_protocol(16_384, 10, 30),  # type: ignore[arg-type]  # a factory does
        ws=socket_upgrade(gateway),  # type: ignore[arg-type]
        lifespan="off",
        log_config=None,
        access_log=False,
    )
    server = uvicorn.Server(config)
    serving = supervisor.start("uvicorn", server._serve(sockets=[listener]))  # noqa: SLF001 -- without signal handlers
    try:
        yield GatewayServer(gateway, fanout, port)
    finally:
        gateway.close()
        server.should_exit = True
        await serving
        await supervisor.stop()


async def _nothing_here(_scope: Any, _receive: Any, send: Any) -> None:  # noqa: ANN401 -- ASGI
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def cpu_s() -> float:
    """Return the CPU seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def answer_of(pipe: Connection) -> None:
    """Wait for the other process without polling."""
    loop, answered = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(pipe.fileno(), answered.set)
    await answered.wait()
    loop.remove_reader(pipe.fileno())
    os.set_blocking(pipe.fileno(), True)  # as it was before the loop watched it
    pipe.recv()
