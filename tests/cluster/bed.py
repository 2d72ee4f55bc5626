"""A cluster as processes: 2 api nodes, 2 gateways, 2 processors and a dispatcher, on one PostgreSQL and one NATS.

Clients and producers come by one address (``front.py``).  The network of the gateways can be made bad: each has a proxy of its own
towards its clients, NATS and PostgreSQL.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from tests.acceptance.conftest import MakeServer, server_maker
from tests.acceptance.server_process import ServerProcess, free_port
from tests.acceptance.tcp_proxy import Streams, TcpProxy, proxy_by, proxy_to
from tests.cluster.front import front_of
from tests.cluster.mistakes import FILE
from tests.ports.nats_server import NatsServer
from tests.ports.postgres_server import PostgresServer
from tocsin.api.seal import KEY_FILE

ROOT = Path(__file__).parents[2]
PROGRAM = ("-m", "tests.cluster.node_program")
API: Final = ("api-1", "api-2")
GATEWAYS: Final = ("gateway-1", "gateway-2")
PROCESSORS: Final = ("processor-1", "processor-2")
DISPATCHER: Final = "dispatcher"
NODES: Final = (*API, *GATEWAYS, *PROCESSORS, DISPATCHER)
# Times as outages are here; the drain is spread over as much as rolling restarts take anyway.
SETTINGS = {
    "PYTHONPATH": str(ROOT),
    "TOCSIN_ANTI_ENTROPY_S": "2",
    "TOCSIN_DRAIN_S": "0.5",
    "TOCSIN_RATES__USER_REQUESTS": "0",
}


class Network(NamedTuple):
    """What is between a gateway and everything else."""

    clients: TcpProxy
    nats: TcpProxy
    postgres: TcpProxy


class Bed:
    """The running cluster."""

    def __init__(
        self,
        url: str,
        store: str,
        key: str,
        nodes: Mapping[str, ServerProcess],
        networks: Mapping[str, Network],
        postgres: PostgresServer,
        nats: NatsServer,
    ) -> None:
        self.url = url
        self.store = store
        self.key = key
        self.nodes = nodes
        self.networks = networks
        self.postgres = postgres
        self.nats = nats

    @contextmanager
    def mistakes(self, mistakes: str, *names: str) -> Iterator[None]:
        """Let nodes make mistakes for a while, beside those they make."""
        files = [self.nodes[name].folder / FILE for name in names]
        before = [file.read_text() if file.exists() else "" for file in files]
        for file, others in zip(files, before, strict=True):
            file.write_text(f"{others} {mistakes}")
        try:
            yield
        finally:
            for file, others in zip(files, before, strict=True):
                file.write_text(others)


@contextmanager
def _ground() -> Iterator[tuple[PostgresServer, NatsServer]]:
    """Run PostgreSQL and NATS; both wait for the disk, as in production."""
    postgres, nats = PostgresServer(), NatsServer()
    try:
        postgres.start()
        nats.start()
        yield postgres, nats
    finally:
        postgres.remove()
        nats.remove()


def _to_socket(postgres: PostgresServer) -> Callable[[asyncio.StreamReader], Awaitable[Streams]]:
    async def dial(_client: asyncio.StreamReader) -> Streams:
        return await asyncio.open_unix_connection(postgres.folder / ".s.PGSQL.5432")

    return dial


def _settings(name: str, url: str, store: str, nats_port: int, nats: NatsServer) -> dict[str, str]:
    """Say what a node is, and where everything is."""
    place = f"nats://127.0.0.1:{nats_port}"
    return SETTINGS | {
        "TOCSIN_ROLES": name.partition("-")[0],
        "TOCSIN_PUBLIC_URL": url,
        "TOCSIN_STORE": store,
        "TOCSIN_QUEUE": place,
        "TOCSIN_FANOUT": place,
        "TOCSIN_QUEUE_MONITORS": f'["{nats.monitor}"]',
    }


async def _start(nodes: Mapping[str, ServerProcess]) -> str:
    """Start the first node, which makes the schema and the keys, and then all others; return a server key."""
    first = nodes[API[0]]
    await asyncio.to_thread(first.start)
    others = [node for node in nodes.values() if node is not first]
    for node in others:
        node.data_dir.mkdir(mode=0o700)
        shutil.copy(first.data_dir / KEY_FILE, node.data_dir)
    key = await asyncio.to_thread(first.key, "server")  # before they start, so that all know it
    await asyncio.gather(*(asyncio.to_thread(one.start) for one in others))
    return key["authorization"].removeprefix("Bearer ")


async def _network(
    stack: AsyncExitStack, port: int, postgres: PostgresServer, nats: NatsServer
) -> Network:
    return Network(
        await stack.enter_async_context(proxy_to(port)),
        await stack.enter_async_context(proxy_to(nats.port)),
        await stack.enter_async_context(proxy_by(_to_socket(postgres))),
    )


@asynccontextmanager
async def open_bed() -> AsyncIterator[Bed]:
    """Start everything, and end it."""
    async with AsyncExitStack() as stack:
        postgres, nats = stack.enter_context(_ground())
        ports = {name: free_port() for name in NODES}
        networks = {name: await _network(stack, ports[name], postgres, nats) for name in GATEWAYS}
        live = [network.clients.port for network in networks.values()]
        front = await stack.enter_async_context(
            proxy_by(front_of([ports[name] for name in API], live))
        )
        url, store = f"http://127.0.0.1:{front.port}", postgres.create()
        make: MakeServer = stack.enter_context(server_maker())
        nodes = {}
        for name, port in ports.items():
            there, nats_port = store, nats.port
            if name in networks:
                network = networks[name]
                nats_port = network.nats.port
                there = f"postgresql://tocsin@127.0.0.1:{network.postgres.port}/{_database(store)}"
            node = nodes[name] = make(
                program=PROGRAM, env=_settings(name, url, there, nats_port, nats)
            )
            node.port = port
        yield Bed(url, store, await _start(nodes), nodes, networks, postgres, nats)


def _database(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]
