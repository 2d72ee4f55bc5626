"""Three NATS servers of the tests' own, which keep everything on each of them."""

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import httpx
from nats.errors import Error

from tests.acceptance.deadlines import until_async
from tests.acceptance.server_process import NO_TLS, free_port
from tests.ports.nats_server import PROGRAM
from tocsin.adapters.nats.line import Line, Terms
from tocsin.errors import ConfigError, UnavailableError

SERVERS = 3
END_S = 30.0
FORMED_S = 90.0


@asynccontextmanager
async def patient_line(url: str, terms: Terms) -> AsyncIterator[Line]:
    """Open a line as soon as the servers are ready for it."""
    async with AsyncExitStack() as stack:

        async def opened() -> Line | None:
            try:
                return await stack.enter_async_context(Line.opened(url, terms))
            except ConfigError:
                return None

        yield await until_async(opened, "the NATS servers take a line", FORMED_S)


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
    def port(self) -> int:
        """The first one's."""
        return self.ports[0]

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes of those that run."""
        return tuple(process.pid for process in self._processes.values())

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where they tell of themselves."""
        return tuple(f"http://127.0.0.1:{port}" for port in self.monitors)

    @property
    def terms(self) -> Terms:
        """Three replicas, each of whose servers can be asked."""
        return Terms(10_000, 100_000, replicas=SERVERS, monitors=self.addresses)

    def start(self) -> None:
        """Start all of them."""
        for number in range(SERVERS):
            self.start_one(number)

    def start_one(self, number: int) -> None:
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

    def kill_one(self, number: int) -> None:
        """End one at once."""
        process = self._processes.pop(number)
        process.kill()
        process.wait(END_S)

    def kill(self) -> None:
        """End all of them at once."""
        for number in list(self._processes):
            self.kill_one(number)

    async def is_formed(self) -> bool:
        """Whether a stream can be made, and is safe; no server is asked before all of them say that they are well.

        JetStream answers nobody before it has a leader, and a line waits long for the answer that does not come.
        """
        try:
            async with httpx.AsyncClient(verify=NO_TLS) as http:
                well = [await http.get(f"{one}/healthz") for one in self.addresses]
        except httpx.TransportError:
            return False
        if not all(answer.is_success for answer in well):
            return False
        try:
            async with Line.opened(self.url, self.terms) as line:
                await line.check()
        except (ConfigError, UnavailableError):
            return False
        return True

    async def leader(self) -> int:
        """Return which of them leads the queue's stream, once one does."""
        async with patient_line(self.url, self.terms) as line:

            async def name() -> str | None:
                try:
                    found = (await line._jetstream.stream_info(line.stream.name)).cluster
                except (Error, TimeoutError):
                    return None
                return found.leader if found is not None else None

            return int((await until_async(name, "the stream has a leader", FORMED_S))[1:])


@contextmanager
def nats_cluster(folder: Path) -> Iterator[NatsCluster]:
    """Run all of them; they are not formed yet."""
    made = NatsCluster(folder)
    try:
        made.start()
        yield made
    finally:
        made.kill()
