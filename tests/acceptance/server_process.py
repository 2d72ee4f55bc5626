"""A real Tocsin server as a child process, and the real command beside it.

Everything started here is ended by :meth:`ServerProcess.end`, by its own process id.
"""

import json
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.deadlines import until
from tocsin.config import SOCKET_NAME

TOCSIN = ("-m", "tocsin")
START_S = 150.0
STOP_S = 100.0
COMMAND_S = 150.0
LOG_SHOWN = 8_000
# Below what Linux and others take for connections and port 0 (32,768 and above).
PORTS = (15_000, 32_000)
# Of one process that runs tests: more than any of them needs.
MOST_CLAIMS = 200
# Else every request would read what the machine trusts, which takes longer than the request.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_claims = deque[socket.socket]()


class ServerProcess:
    """One data folder, one port, and the process that serves them; it may be killed and started again.

    ``python`` runs ``program``, ``wrapper`` is a command in front of it, ``env`` adds to the environment, ``options`` to those
    of ``serve``.  The server is told its folder by the environment, commands are by their option.
    """

    def __init__(
        self,
        folder: Path,
        *,
        python: str = sys.executable,
        program: Sequence[str] = TOCSIN,
        wrapper: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.log_file = folder / "server.log"
        self.out_file = folder / "server.out"
        self.port = free_port()
        self.env = clean_environment() | dict(env or {})
        self._wrapper = wrapper
        self._python = python
        self._program = program
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self._background: list[subprocess.Popen[str]] = []

    @property
    def url(self) -> str:
        """The address it serves on."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The id of the running process."""
        assert self._process is not None, "the server does not run"
        return self._process.pid

    def start(self) -> "ServerProcess":
        """Start the server and wait until it says that it is ready."""
        before = self._log_size()
        self.launch()
        until(lambda: self._said("serve.ready", before), "the server is ready", START_S)
        return self

    def launch(self) -> None:
        """Start the server and wait for nothing."""
        assert self._process is None, "the server runs already"
        command = [*self._wrapper, self._python, *self._program, "serve"]
        command += ["--port", str(self.port), *self._options]
        with self.log_file.open("ab") as log, self.out_file.open("ab") as out:
            self._process = subprocess.Popen(
                command,
                env=self.env | {"TOCSIN_DATA_DIR": str(self.data_dir)},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
            )

    def kill(self) -> None:
        """End the process at once, as a power cut would (SIGKILL)."""
        process, self._process = self._process, None
        assert process is not None, "the server does not run"
        process.kill()
        process.wait(STOP_S)

    def stop(self) -> None:
        """Ask the process to end (SIGTERM); it has to exit with 0."""
        self.ask_to_stop()
        self.wait_stopped()

    def ask_to_stop(self) -> None:
        """Send SIGTERM."""
        os.kill(self.pid, signal.SIGTERM)

    def wait_stopped(self) -> None:
        """Wait for the end of the process; it has to exit with 0."""
        process, self._process = self._process, None
        assert process is not None, "the server does not run"
        code = process.wait(STOP_S)
        assert code == 0, f"the server exited with {code}:\n{self.log()[-2000:]}"

    def restart(self) -> None:
        """Kill the process and start another on the same folder and port."""
        self.kill()
        self.start()

    def end(self) -> None:
        """End whatever of this is still running; print the log, which pytest shows if the test failed."""
        for command in self._background:
            command.kill()
            command.wait(STOP_S)
            for stream in (command.stdout, command.stderr):
                if stream is not None:
                    stream.close()
        if self._process is not None:
            self.kill()
        print(self.log()[-LOG_SHOWN:])

    def log(self) -> str:
        """Return all that its processes wrote to standard error."""
        return self.log_file.read_text() if self.log_file.exists() else ""

    def rss_bytes(self) -> int:
        """Return the memory that the process holds."""
        return self._memory("VmRSS")

    def peak_rss_bytes(self) -> int:
        """Return the most memory that the process ever held."""
        return self._memory("VmHWM")

    # The command

    def cli(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        """Run ``tocsin`` on this folder and return its standard output; it has to succeed."""
        done = self.try_cli(*arguments, env=env)
        assert done.returncode == 0, f"tocsin {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    def try_cli(
        self, *arguments: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run ``tocsin`` on this folder, whatever comes of it."""
        return subprocess.run(
            [*self._tocsin(), *arguments],
            env=self.env | dict(env or {}),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )

    def start_cli(self, *arguments: str, output: Path) -> subprocess.Popen[str]:
        """Start ``tocsin`` on this folder; both its streams go to ``output``."""
        with output.open("w") as file:
            command = subprocess.Popen(
                [*self._tocsin(), *arguments],
                env=self.env,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self._background.append(command)
        return command

    def key(self, role: str, hub: str = "default") -> dict[str, str]:
        """Make a key by the socket in the data folder, as the command does; return the header that carries it."""
        if self._process is None:
            text = self.cli("key", "create", "--role", role, "--hub", hub, "--name", f"{role}-test")
        else:
            way = httpx.HTTPTransport(uds=str(self.data_dir / SOCKET_NAME), verify=NO_TLS)
            with httpx.Client(transport=way, base_url="http://tocsin", timeout=COMMAND_S) as http:
                body = {"role": role, "hub": hub, "name": f"{role}-test"}
                made = http.post("/v1/admin/keys", json=body)
            assert made.is_success, made.text
            text = made.json()["key"]
        return {"authorization": f"Bearer {text}"}

    # Requests

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send one request."""
        return httpx.request(method, self.url + path, timeout=30, verify=NO_TLS, **more)

    def publish(self, key: Mapping[str, str], **alert: Any) -> httpx.Response:
        """Publish one alert, to Ada unless told otherwise."""
        body = {"to": {"users": ["ada"]}, "title": "Hello", **alert}
        return self.request("POST", "/v1/alerts", json=body, headers=key)

    def client_token(
        self, key: Mapping[str, str], user: str = "ada", **more: Any
    ) -> dict[str, str]:
        """Get a client token: ``token``, ``url`` and ``expires_at``."""
        answer = self.request(
            "POST", "/v1/client-tokens", json={"user_id": user, **more}, headers=key
        )
        assert answer.status_code == 200, answer.text
        issued: dict[str, str] = answer.json()
        return issued

    def titles(self, key: Mapping[str, str], user: str = "ada") -> list[str]:
        """Return the titles in a user's inbox, newest first, broadcasts after own items."""
        inbox = self.request(
            "GET", "/v1/inbox", params={"user": user, "limit": 200}, headers=key
        ).json()
        return [item["alert"]["title"] for item in (*inbox["items"], *inbox["broadcasts"])]

    def _memory(self, name: str) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith(f"{name}:"))
        return int(line.split()[1]) * 1024

    def _tocsin(self) -> list[str]:
        return [self._python, *self._program, "--data-dir", str(self.data_dir)]

    def _log_size(self) -> int:
        return self.log_file.stat().st_size if self.log_file.exists() else 0

    def _said(self, event: str, since: int) -> bool:
        assert self._process is not None
        text = self.log_file.read_bytes()[since:].decode()
        assert self._process.poll() is None, f"the server ended:\n{text[-2000:]}"
        return any(said.get("event") == event for said in log_entries(text))


def log_entries(text: str) -> list[dict[str, Any]]:
    """Return the entries of a JSON log; its last line may not be whole yet."""
    lines = text.splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]


def free_port() -> int:
    """Return a loopback port that nobody listens on; it is kept over restarts.

    It is none of those that the system gives out by itself, or another process would get it before the server does.  For as
    long as a test takes it stays claimed, so that another one that looks for a port does not find it: who is to listen on it
    may bind it beside that, and who connects while nobody listens is refused.
    """
    while True:
        port = random.randrange(*PORTS)
        claim = socket.socket()
        try:
            claim.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        claim.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # not before: another claim would have it too
        _claims.append(claim)
        if len(_claims) > MOST_CLAIMS:
            _claims.popleft().close()
        return port


def clean_environment() -> dict[str, str]:
    """Return this environment without settings of Tocsin."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
