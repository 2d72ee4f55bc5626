"""A NATS server of the tests' own: on loopback, in a folder that goes with it."""

import asyncio
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.server_process import free_port

START_S = 30.0
PROGRAM = Path(sys.executable).with_name("nats-server")


class NatsServer:
    """One server, which may be killed and started again on the same ports and files; ``sync`` is its ``sync_interval``."""

    def __init__(self, *, sync: str = "always", max_payload: str = "1MB") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tocsin-nats-"))
        self.port, self.monitor_port = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        (self.folder / "config").write_text(
            f"""
            listen: "127.0.0.1:{self.port}"
            http: "127.0.0.1:{self.monitor_port}"
            max_payload: {max_payload}
            jetstream {{ store_dir: "{self.folder}/store", max_file_store: 1GB, sync_interval: {sync} }}
            """
        )

    @property
    def url(self) -> str:
        """What a fan-out or a queue is opened with."""
        return f"nats://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def monitor(self) -> str:
        """Where it tells of itself."""
        return f"http://127.0.0.1:{self.monitor_port}"

    @property
    def addresses(self) -> tuple[str, ...]:
        """The same, of all servers that there are."""
        return (self.monitor,)

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, "-c", "config"], cwd=self.folder, stdout=log, stderr=log
            )
        until = time.monotonic() + START_S
        while not self._answers():
            log_text = (self.folder / "log").read_text()
            assert self._process.poll() is None, log_text
            assert time.monotonic() < until, log_text
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as line:
                return line.recv(4) == b"INFO"
        except OSError:
            return False

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(START_S)
            self._process = None

    async def restart(self) -> None:
        """Kill it, and start it on what it kept."""
        self.kill()
        await asyncio.to_thread(self.start)

    def remove(self) -> None:
        """End it and its folder."""
        self.kill()
        shutil.rmtree(self.folder)


@contextmanager
def running_nats() -> Iterator[NatsServer]:
    """Run a server of one's own, and take it away with its folder."""
    server = NatsServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()
