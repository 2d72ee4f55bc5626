"""A cluster as processes: 2 api nodes, 2 gateways, 2 processors and a dispatcher, on one PostgreSQL and one NATS.

Clients and producers come by one address (``front.py``); what is pushed goes to a stand-in for a push service.  The network of the gateways can be made bad: each has a proxy of its own
towards its clients, NATS and PostgreSQL.
"""

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from tests.acceptance.conftest import MakeServer, server_maker
from tests.acceptance.deadlines import until_async
from tests.acceptance.push_browsers import push_environment
from tests.acceptance.server_process import ServerProcess, free_port
from tests.acceptance.tcp_proxy import Streams, TcpProxy, proxy_by, proxy_to
from tests.cluster.front import front_of
from tests.cluster.mistakes import FILE, GAVE_UP, IN_HAND
from tests.ports.nats_cluster import FORMED_S, nats_cluster
from tests.ports.postgres_server import OWNER, PostgresServer, running_postgres
from tests.ports.small_disk import SmallDisk, small_disk
from tests.push_services.running import serving
from tests.push_services.web_push import WebPushService
from tocsin.api.seal import KEY_FILE

ROOT = Path(__file__).parents[2]
PROGRAM = ("-m", "tests.cluster.node_program")
API: Final = ("api-1", "api-2")
GATEWAYS: Final = ("gateway-1", "gateway-2")
PROCESSORS: Final = ("processor-1", "processor-2")
DISPATCHER: Final = "dispatcher"
NODES: Final = (*API, *GATEWAYS, *PROCESSORS, DISPATCHER)
# Seven processes that start at once may be late to let each other in.
PATIENCE = "connect_timeout=60"
# Far more than is written, even in the soak; what is left of it is memory while it is full.
DISK_MB = 512
# Times as outages are here; the drain is spread over as much as rolling restarts take anyway.  A dispatcher that has just come
# would give everybody the grace, for it does not know yet who is there.
SETTINGS = {
    "PYTHONPATH": str(ROOT),
    "TOCSIN_ANTI_ENTROPY_S": "2",
    "TOCSIN_DRAIN_S": "0.5",
    "TOCSIN_RATES__USER_REQUESTS": "0",
    "TOCSIN_PUSH__GRACE_S": "0",
    "TOCSIN_PUSH__STORM_PUSHES": "100000",
}


class Nats(Protocol):
    """One NATS server, or several."""

    @property
    def url(self) -> str:
        """What nodes are led to."""

    @property
    def port(self) -> int:
        """What gateways are led to."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where each tells of itself."""

    def kill(self) -> None:
        """End all at once."""

    def start(self) -> None:
        """Start all."""


class Network(NamedTuple):
    """What is between a gateway and everything else."""

    clients: TcpProxy
    nats: TcpProxy
    postgres: TcpProxy


class Bed:
    """The running cluster.

    ``disk`` has the tables of its database and nothing else, unless nothing can be mounted here; ``push_service`` is where it
    pushes, if it does.
    """

    def __init__(
        self,
        url: str,
        store: str,
        key: str,
        nodes: Mapping[str, ServerProcess],
        networks: Mapping[str, Network],
        postgres: PostgresServer,
        nats: Nats,
        *,
        disk: SmallDisk | None = None,
        push_service: WebPushService | None = None,
    ) -> None:
        self.url = url
        self.store = store
        self.key = key
        self.nodes = nodes
        self.networks = networks
        self.postgres = postgres
        self.nats = nats
        self.disk = disk
        self.push_service = push_service

    async def freeze_with_alerts_in_hand(self, name: str, sign: str = IN_HAND) -> None:
        """Stop a node that dawdles (SIGSTOP), so that it has alerts in hand for as long as is wanted."""
        node = self.nodes[name]
        file = node.folder / sign

        async def is_frozen_so() -> bool:
            if not file.exists():
                return False
            os.kill(node.pid, signal.SIGSTOP)
            await until_async(is_stopped, f"{name} stands still")
            if not file.exists():
                os.kill(node.pid, signal.SIGCONT)
            return file.exists()

        async def is_stopped() -> bool:
            return _state_of(node.pid) == "T"

        await until_async(is_frozen_so, f"{name} has alerts in hand")

    async def gave_up(self, *names: str) -> None:
        """Return when nodes that give up soon have done so."""

        async def have_given_up() -> bool:
            return all((self.nodes[name].folder / GAVE_UP).exists() for name in names)

        await until_async(have_given_up, f"{names} gave up")

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


def _state_of(pid: int) -> str:
    """Return the letter that Linux has for what a process does."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _to_socket(postgres: PostgresServer) -> Callable[[asyncio.StreamReader], Awaitable[Streams]]:
    async def dial(_client: asyncio.StreamReader) -> Streams:
        return await asyncio.open_unix_connection(postgres.folder / ".s.PGSQL.5432")

    return dial


def _settings(name: str, url: str, store: str, place: str, nats: Nats) -> dict[str, str]:
    """Say what a node is, and where everything is."""
    return SETTINGS | {
        "TOCSIN_ROLES": name.partition("-")[0],
        "TOCSIN_PUBLIC_URL": url,
        "TOCSIN_STORE": store,
        "TOCSIN_QUEUE": place,
        "TOCSIN_FANOUT": place,
        "TOCSIN_QUEUE_MONITORS": json.dumps(nats.addresses),
        "TOCSIN_QUEUE_REPLICAS": str(len(nats.addresses)),
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
    stack: AsyncExitStack, port: int, postgres: PostgresServer, nats: Nats
) -> Network:
    return Network(
        await stack.enter_async_context(proxy_to(port)),
        await stack.enter_async_context(proxy_to(nats.port)),
        await stack.enter_async_context(proxy_by(_to_socket(postgres))),
    )


@asynccontextmanager
async def open_bed(nats: Nats, names: Sequence[str] = NODES) -> AsyncIterator[Bed]:
    """Start some of the nodes, and all that they need but NATS; and end it all."""
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(running_postgres())
        disk = stack.enter_context(small_disk(DISK_MB, OWNER))
        ports = {name: free_port() for name in names}
        networks = {
            name: await _network(stack, ports[name], postgres, nats)
            for name in names
            if name in GATEWAYS
        }
        live = [network.clients.port for network in networks.values()]
        api = [ports[name] for name in names if name in API]
        front = await stack.enter_async_context(proxy_by(front_of(api, live)))
        url = f"http://127.0.0.1:{front.port}"
        store = f"{postgres.create(disk.make('tables') if disk else None)}&{PATIENCE}"
        make: MakeServer = stack.enter_context(server_maker())
        pushes = None
        if DISPATCHER in names:
            pushes = await stack.enter_async_context(serving(WebPushService()))
        common = push_environment(pushes.origin) if pushes else {}
        nodes = {}
        for name, port in ports.items():
            there, place = store, nats.url
            if name in networks:
                there, place = _through(networks[name], store)
            env = common | _settings(name, url, there, place, nats)
            node = nodes[name] = make(program=PROGRAM, env=env)
            node.port = port
        key = await _start(nodes)
        yield Bed(url, store, key, nodes, networks, postgres, nats, disk=disk, push_service=pushes)


@asynccontextmanager
async def open_bed_on_three(folder: Path, names: Sequence[str] = NODES) -> AsyncIterator[Bed]:
    """Start some of the nodes on three NATS servers, of which one may be killed."""
    with nats_cluster(folder) as nats:
        await until_async(nats.is_formed, "the NATS servers have met", FORMED_S)
        async with open_bed(nats, names) as made:
            yield made


def _through(network: Network, store: str) -> tuple[str, str]:
    """Lead to database and NATS through a gateway's network."""
    database = store.partition("?")[0].rpartition("/")[2]
    return (
        f"postgresql://tocsin@127.0.0.1:{network.postgres.port}/{database}?{PATIENCE}",
        f"nats://127.0.0.1:{network.nats.port}",
    )
