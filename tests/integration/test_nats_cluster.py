"""The queue on three NATS servers: what is accepted is on most of them, and survives the loss of any one."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.deadlines import until_async
from tests.acceptance.server_process import free_port
from tests.ports.nats_server import PROGRAM
from tests.ports.test_queue import leased
from tests.ports.turned_clock import TurnedClock
from tests.ports.world import World, envelope
from tocsin.adapters.nats.line import Line, Terms
from tocsin.adapters.nats.queue import NatsQueue
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.errors import ConfigError, UnavailableError
from tocsin.ports.limits import StoreLimits

SERVERS = 3
END_S = 30.0


class NatsCluster:
    """Three servers on loopback, of which some may be killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = [free_port() for _ in range(SERVERS)]
        self.monitors = [free_port() for _ in range(SERVERS)]
        self._routes = [free_port() for _ in range(SERVERS)]
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        """All of them."""
        return "nats://" + ",".join(f"127.0.0.1:{port}" for port in self.ports)

    @property
    def terms(self) -> Terms:
        """Three replicas, each of whose servers can be asked."""
        asked = tuple(f"http://127.0.0.1:{port}" for port in self.monitors)
        return Terms(10_000, 100_000, replicas=SERVERS, monitors=asked)

    def start(self, number: int) -> None:
        """Start one; it may have been killed before."""
        routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in self._routes)
        config = self.folder / f"config{number}"
        config.write_text(
            f"""
            server_name: n{number}
            listen: "127.0.0.1:{self.ports[number]}"
            http: "127.0.0.1:{self.monitors[number]}"
            jetstream {{ store_dir: "{self.folder}/store{number}", max_file_store: 1GB, sync_interval: always }}
            cluster {{ name: c, listen: "127.0.0.1:{self._routes[number]}", routes: [{routes}] }}
            """
        )
        with (self.folder / f"log{number}").open("ab") as log:
            self._processes[number] = subprocess.Popen(
                [PROGRAM, "-c", config], stdout=log, stderr=log
            )

    def kill(self, number: int) -> None:
        """End one at once."""
        process = self._processes.pop(number)
        process.kill()
        process.wait(END_S)

    def end(self) -> None:
        """End all of them."""
        for number in list(self._processes):
            self.kill(number)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[NatsCluster]:
    made = NatsCluster(tmp_path)
    try:
        for number in range(SERVERS):
            made.start(number)
        yield made
    finally:
        made.end()


async def test_what_is_accepted_survives_the_loss_of_the_leader(cluster: NatsCluster) -> None:
    clock = TurnedClock()
    store = await SqliteStore.open(cluster.folder, clock, StoreLimits(low_water_bytes=0))

    async def is_formed() -> bool:
        try:
            async with Line.opened(cluster.url, cluster.terms) as line:
                await line.check()
        except (ConfigError, UnavailableError):
            return False
        return True

    own = store.queue
    try:
        await until_async(is_formed, "the cluster is formed", 90)
        async with Line.opened(cluster.url, cluster.terms) as line:
            queue = NatsQueue(line, own, store.handover, clock)
            vars(store)["queue"] = queue
            first = [envelope("ann") for _ in range(300)]
            assert {one.outcome for one in await queue.publish(first)} == {"accepted"}
            leader = (await line._jetstream.stream_info(line.stream.name)).cluster
            assert leader is not None
            assert leader.leader is not None
            cluster.kill(int(leader.leader[1:]))
            accepted = {one.id for one in first}
            more = envelope("ann")

            async def is_taken() -> bool:
                try:
                    (answer,) = await queue.publish([more])
                except UnavailableError:
                    return False
                return answer.outcome == "accepted"

            await until_async(is_taken, "the others go on", 90)
            found: list[str] = []

            async def is_complete() -> bool:
                rows = await leased(World(store, clock))
                found.extend(row.envelope.id for row in rows)
                await queue.ack([row.receipt for row in rows])
                return accepted | {more.id} <= set(found)

            await until_async(is_complete, "everything accepted is there", 90)
            assert len(found) == len(set(found)) == 301
    finally:
        vars(store)["queue"] = own
        await asyncio.wait_for(store.close(), END_S)
