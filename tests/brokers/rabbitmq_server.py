"""A RabbitMQ of the tests' own: with its node name, data, cookie, ports on loopback, and its own epmd."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

from tests.acceptance.deadlines import until
from tests.acceptance.server_process import free_port

START_S = 90.0
STOP_S = 60.0
HOST = "127.0.0.1"


def programs() -> Path:
    """Return where the server's programs are; Debian's on the path insist on a user of their own."""
    named = os.environ.get("TOCSIN_TEST_RABBITMQ")
    found = Path(named or "/usr/lib/rabbitmq/bin")
    assert (found / "rabbitmq-server").exists(), "RabbitMQ is missing; run tests/install_packages"
    return found


class RabbitServer:
    """One broker; it may be killed or stopped, and started again on the same data."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tocsin-mq-"))
        self.port = free_port()
        self._epmd_port, self._dist_port = free_port(), free_port()
        self._epmd: subprocess.Popen[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        (self.folder / "plugins").write_text("[].\n")
        (self.folder / "rabbitmq.conf").write_text("disk_free_limit.absolute = 1MB\n")

    def url(self, vhost: str = "/") -> str:
        """Return what clients connect with."""
        return f"amqp://guest:guest@{HOST}:{self.port}/{quote(vhost, safe='')}"

    def start(self) -> "RabbitServer":
        """Start it and wait until it takes connections."""
        self.launch()
        until(self._listens, f"RabbitMQ listens; its log is\n{self.log()}", START_S)
        return self

    def launch(self) -> None:
        """Start it and wait for nothing."""
        if self._epmd is None:
            self._epmd = subprocess.Popen(
                [shutil.which("epmd") or "epmd", "-port", str(self._epmd_port), "-address", HOST]
            )
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [programs() / "rabbitmq-server"],
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a shell script with Erlang below it: one group, ended as one
            )

    def stop(self) -> None:
        """Ask it to end, in order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._end(signal.SIGKILL)

    def remove(self) -> None:
        """End it and its folder."""
        self.kill()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait(STOP_S)
        shutil.rmtree(self.folder)

    def log(self) -> str:
        """Return the end of what it said."""
        path = self.folder / "log"
        return path.read_text(errors="replace")[-4_000:] if path.exists() else ""

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            os.killpg(process.pid, how)
            process.wait(STOP_S)

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log()
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.port)) == 0

    def _environment(self) -> dict[str, str]:
        folder = str(self.folder)
        return {
            "PATH": os.environ["PATH"],
            "HOME": folder,  # the cookie is there
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": HOST,
            "RABBITMQ_NODENAME": "tocsin@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": HOST,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": folder,
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_CONF_ENV_FILE": f"{folder}/none",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
        }
