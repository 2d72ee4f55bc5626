"""The processes that are measured: the real server, started as everybody starts it, and the controls."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from bench.measure import cpu_s, resident_bytes

START_S = 30.0
STOP_S = 20.0
POLL_S = 0.05
# A measurement asks for more than one caller may; the counting itself is measured with the rest.
_GENEROUS = {"RATES__KEY_REQUESTS": 10**9, "RATES__USER_REQUESTS": 10**9}
_WAITING = "tocsin_queue_alerts "


class Server:
    """A child process that answers HTTP on a loopback port; ``key`` is what producers send."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, key: str) -> None:
        self.process = process
        self.port = port
        self.key = key

    def cpu_s(self) -> float:
        """Return the CPU seconds used so far."""
        return cpu_s(self.process.pid)

    def resident_bytes(self) -> int:
        """Return the resident memory."""
        return resident_bytes(self.process.pid)

    def client_paths(self, count: int) -> list[str]:
        """Return a path to connect a socket to for each of the users 0 to ``count``."""
        return [f"/sockets/{user_name(number)}" for number in range(count)]

    def settle(self) -> None:
        """Wait until everything accepted is worked off; the controls do that before they answer."""


class Tocsin(Server):
    """``tocsin serve`` on a data folder of its own."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
        transport = httpx.HTTPTransport(uds=str(folder / "tocsin.sock"))
        self._owner = httpx.Client(transport=transport, base_url="http://tocsin", timeout=30)
        super().__init__(process, port, self._key("producer"))
        self.server_key = self._key("server")
        self.folder = folder

    def client_paths(self, count: int) -> list[str]:
        """Get a client token for each user, as a backend would."""
        backend = HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"authorization": f"Bearer {self.server_key}"}
        with contextlib.closing(backend):
            return [
                self._client_path(backend, headers, user_name(number)) for number in range(count)
            ]

    def settle(self) -> None:
        """Wait until the queue is empty, and its last batch in the inboxes."""
        while self.waiting():
            time.sleep(POLL_S)
        time.sleep(0.2)

    def publish(self, alert: Mapping[str, object]) -> None:
        """Publish one alert."""
        self._owner.post("/v1/alerts", json=alert).raise_for_status()

    def access_key(self) -> str:
        """Return the primary access key of the default hub."""
        answer = self._owner.get("/v1/admin/connection-string").raise_for_status()
        return str(answer.json()["connection_string"]).partition("AccessKey=")[2].partition(";")[0]

    def waiting(self) -> int:
        """Return how many alerts wait on the queue."""
        lines = self._owner.get("/metrics").text.splitlines()
        [line] = [line for line in lines if line.startswith(_WAITING)]
        return int(float(line.removeprefix(_WAITING)))

    def _key(self, role: str) -> str:
        answer = self._owner.post("/v1/admin/keys", json={"role": role, "name": "bench"})
        return str(answer.raise_for_status().json()["key"])

    @staticmethod
    def _client_path(backend: HTTPConnection, headers: dict[str, str], user: str) -> str:
        backend.request("POST", "/v1/client-tokens", json.dumps({"user_id": user}), headers)
        url = urlsplit(json.load(backend.getresponse())["url"])
        return f"{url.path}?{url.query}"


def user_name(number: int) -> str:
    """Return the name of a recipient; all have the same length."""
    return f"user-{number:06}"


@contextlib.contextmanager
def tocsin(
    settings: Mapping[str, object] | None = None, folder: Path | None = None
) -> Iterator[Tocsin]:
    """Run the real server; ``settings`` are variables without their prefix ``TOCSIN_``.

    It gets a data folder of its own, or the one given.
    """
    given = {**_GENEROUS, **(settings or {})}
    extra = {f"TOCSIN_{name}": str(value) for name, value in given.items()}
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as name:
        data = folder or Path(name) / "data"
        command = ["-m", "tocsin", "--data-dir", str(data), "serve", "--port", "0"]
        log = Path(name) / "log"
        with _child(command, {**extra, "TOCSIN_LOG_FORMAT": "json"}, log) as process:
            yield Tocsin(process, _wait_ready(process, log), data)


@contextlib.contextmanager
def by_hand() -> Iterator[Server]:
    """Run the control that one would write by hand (``controls/by_hand.py``)."""
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as name:
        log = Path(name) / "log"
        command = ["-m", "bench.controls.by_hand", str(Path(name) / "alerts.sqlite3")]
        with _child(command, {}, log) as process:
            yield Server(process, _wait_ready(process, log), "by-hand")


@contextlib.contextmanager
def _child(
    command: list[str], extra: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, *command], env={**clean, **extra}, stderr=errors, stdout=errors
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_ready(process: subprocess.Popen[bytes], log: Path) -> int:
    """Return the port, which both kinds of server log as ``{"event": "serve.ready", "address": ...}``."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            if (event := _event(line)).get("event") == "serve.ready":
                return httpx.URL(event["address"]).port or 80
        time.sleep(POLL_S)
    msg = f"the server did not start:\n{log.read_text()}"
    raise RuntimeError(msg)


def _event(line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
