"""The processes that are measured: the real server, started as everybody starts it, and the controls."""

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from bench.process import POLL_S, Process, child, wait_ready

from tocsin.api.seal import KEY_FILE

# A measurement asks for more than one caller may; the counting itself is measured with the rest.
_GENEROUS = {
    "RATES__KEY_REQUESTS": 10**9,
    "RATES__USER_REQUESTS": 10**9,
    "RATES__CONNECTION_MESSAGES": 10**9,
}
_WAITING = "tocsin_queue_alerts "


class Server(Process):
    """A server that alerts are published to; ``key`` is what producers send."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, key: str) -> None:
        super().__init__(process, port)
        self.key = key

    def client_paths(self, count: int, first: int = 0) -> list[str]:
        """Return a path to connect a socket to for each of ``count`` users from ``first`` on."""
        return [f"/sockets/{user_name(number)}" for number in range(first, first + count)]

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

    def client_paths(self, count: int, first: int = 0) -> list[str]:
        """Get a client token for each user, as a backend would."""
        backend = HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"authorization": f"Bearer {self.server_key}"}
        with contextlib.closing(backend):
            return [
                self._client_path(backend, headers, user_name(number))
                for number in range(first, first + count)
            ]

    def settle(self) -> None:
        """Wait until the queue is empty, and its last batch in the inboxes."""
        while self.waiting():
            time.sleep(POLL_S)
        time.sleep(0.2)

    def publish(self, alert: Mapping[str, object]) -> None:
        """Publish one alert."""
        self._owner.post("/v1/alerts", json=alert).raise_for_status()

    def register(self, number: int, channel: Mapping[str, object]) -> None:
        """Register a browser of a user."""
        self._owner.put(
            f"/v1/devices/browser?user={user_name(number)}",
            json={"platform": "webpush", "channel": channel},
            headers={"authorization": f"Bearer {self.server_key}"},
        ).raise_for_status()

    def token_answer(self, user: str) -> dict[str, str]:
        """Return what a backend passes on to a page of this user."""
        answer = httpx.post(
            f"http://127.0.0.1:{self.port}/v1/client-tokens",
            json={"user_id": user},
            headers={"authorization": f"Bearer {self.server_key}"},
            timeout=30,
        )
        issued: dict[str, str] = answer.raise_for_status().json()
        return issued

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
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as name:
        data = folder or Path(name) / "data"
        with _served(settings or {}, data, Path(name) / "log") as (process, port):
            yield Tocsin(process, port, data)


@contextlib.contextmanager
def gateway_of(server: Tocsin, settings: Mapping[str, object]) -> Iterator[Process]:
    """Run a process beside a server that only holds live connections; both have the key file of the server."""
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as name:
        folder = Path(name) / "data"
        folder.mkdir()
        shutil.copy(server.folder / KEY_FILE, folder)
        # Tokens are for the address of the server that issued them.
        other = json.dumps([f"http://127.0.0.1:{server.port}"])
        given = {**settings, "ROLES": "gateway", "OTHER_URLS": other}
        with _served(given, folder, Path(name) / "log") as (process, port):
            yield Process(process, port)


@contextlib.contextmanager
def _served(
    settings: Mapping[str, object], folder: Path, log: Path
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run ``tocsin serve`` on a data folder until it is ready; yield the port too."""
    given = {**_GENEROUS, **settings, "LOG_FORMAT": "json"}
    extra = {f"TOCSIN_{name}": str(value) for name, value in given.items()}
    command = [sys.executable, "-m", "tocsin", "--data-dir", str(folder), "serve", "--port", "0"]
    with child(command, extra, log) as process:
        yield process, wait_ready(process, log)


@contextlib.contextmanager
def by_hand() -> Iterator[Server]:
    """Run the control that one would write by hand (``controls/by_hand.py``)."""
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as name:
        log = Path(name) / "log"
        command = [
            sys.executable,
            "-m",
            "bench.controls.by_hand",
            str(Path(name) / "alerts.sqlite3"),
        ]
        with child(command, {}, log) as process:
            yield Server(process, wait_ready(process, log), "by-hand")
