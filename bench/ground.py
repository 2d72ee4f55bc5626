"""What Tocsin keeps its alerts in: a file, or servers that are started here as the tests start them, with every flush to disk."""

import asyncio
import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from bench.measure import cpu_s, family
from tests.acceptance.deadlines import until_async
from tests.ports.nats_cluster import FORMED_S, nats_cluster
from tests.ports.nats_server import running_nats
from tests.ports.postgres_server import running_postgres


class Ground(NamedTuple):
    """A store and a queue: the settings that name them, and the servers' processes."""

    name: str
    settings: Mapping[str, object]
    servers: tuple[int, ...] = ()

    def cpu_s(self) -> float:
        """Return the CPU seconds that its servers used so far, all their processes that live."""
        return sum(cpu_s(pid) for server in self.servers for pid in family(server))


Lay = Callable[[], AbstractContextManager[Ground]]


@contextlib.contextmanager
def on_sqlite() -> Iterator[Ground]:
    """Lay the ground of the embedded default."""
    yield Ground("SQLite", {})


@contextlib.contextmanager
def on_postgres() -> Iterator[Ground]:
    """Lay a PostgreSQL with its own settings, for the store and the queue."""
    with running_postgres() as server:
        yield Ground("PostgreSQL", {"STORE": server.create()}, (server.pid,))


@contextlib.contextmanager
def on_jetstream() -> Iterator[Ground]:
    """Lay a PostgreSQL for the store, and a JetStream of one replica before it."""
    with running_postgres() as server, running_nats() as nats:
        settings = {
            "STORE": server.create(),
            "QUEUE": nats.url,
            "QUEUE_MONITORS": json.dumps(nats.addresses),
        }
        yield Ground("PostgreSQL and JetStream", settings, (server.pid, nats.pid))


@contextlib.contextmanager
def on_three_jetstreams() -> Iterator[Ground]:
    """Lay a PostgreSQL for the store, and before it a JetStream that keeps everything on each of three servers."""
    with (
        running_postgres() as server,
        tempfile.TemporaryDirectory(prefix="tocsin-bench-") as name,
        nats_cluster(Path(name)) as nats,
    ):
        asyncio.run(until_async(nats.is_formed, "the NATS servers have met", FORMED_S))
        settings = {
            "STORE": server.create(),
            "QUEUE": nats.url,
            "QUEUE_MONITORS": json.dumps(nats.addresses),
            "QUEUE_REPLICAS": len(nats.pids),
        }
        yield Ground("PostgreSQL and three JetStreams", settings, (server.pid, *nats.pids))


@contextlib.contextmanager
def for_several() -> Iterator[Ground]:
    """Lay a PostgreSQL for several processes, and a NATS by which they announce."""
    with running_postgres() as server, running_nats() as nats:
        settings = {"STORE": server.create(), "FANOUT": nats.url}
        yield Ground("PostgreSQL", settings, (server.pid, nats.pid))
