"""Processes that are measured: started, asked what they use, and ended."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.measure import cpu_s, family, resident_bytes, waited_s

START_S = 30.0
STOP_S = 20.0
POLL_S = 0.05


class Process:
    """A server in a process of its own, perhaps with children, that listens on a loopback port."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self.port = port

    def cpu_s(self) -> float:
        """Return the CPU seconds used so far, its children's too."""
        return sum(map(cpu_s, family(self._process.pid)))

    def waited_s(self) -> float:
        """Return the seconds that its first thread, where an event loop runs, waited for a processor so far."""
        return waited_s(self._process.pid)

    def resident_bytes(self) -> int:
        """Return the resident memory, its children's too."""
        return sum(map(resident_bytes, family(self._process.pid)))


@contextlib.contextmanager
def child(
    command: Sequence[str], extra: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command, which says what it has to say to ``log``; variables of Tocsin's are only those in ``extra``."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
    with log.open("wb") as said:
        process = subprocess.Popen(command, env={**clean, **extra}, stderr=said, stdout=said)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_ready(process: subprocess.Popen[bytes], log: Path) -> int:
    """Return the port, which servers log as ``{"event": "serve.ready", "address": ...}``."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            if (event := _event(line)).get("event") == "serve.ready":
                return urlsplit(event["address"]).port or 80
        time.sleep(POLL_S)
    raise _did_not_start(log)


def wait_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait until a server that logs no port accepts connections on the one it was given."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(POLL_S)
    raise _did_not_start(log)


def free_port() -> int:
    """Return a loopback port that was free a moment ago, for a server that cannot choose one itself."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _did_not_start(log: Path) -> RuntimeError:
    return RuntimeError(f"the server did not start:\n{log.read_text()}")


def _event(line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
