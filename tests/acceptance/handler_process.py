"""Microsoft's middleware for event handlers, unmodified, as an application in a process of its own."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

from tests.acceptance.official_clients import NPM_FOLDER
from tests.acceptance.server_process import free_port

END_S = 60.0
RUN_S = 250.0


class HandlerProcess:
    """The application, and what it told; its port stays the same when it is down."""

    def __init__(self, node: Path, hub: str, allowed: str | None = None) -> None:
        self.port = free_port()
        self.told: list[dict[str, Any]] = []
        self._command = [str(node), str(NPM_FOLDER / "handler.mjs"), hub, str(self.port)]
        self._command += [] if allowed is None else [allowed]
        self._process: subprocess.Popen[str] | None = None
        self._reader: Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events/"

    def names(self) -> list[str]:
        return [said["event"] for said in self.told if said["event"] != "listening"]

    def start(self) -> None:
        """Start it and wait until it listens."""
        process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        first = process.stdout.readline()
        self.told.append(json.loads(first))
        self._process = process
        self._reader = Thread(target=self._read, args=(process,))
        self._reader.start()

    def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        assert self._reader is not None
        process.stdin.close()
        try:
            process.wait(END_S)
        finally:
            process.kill()
            process.wait()
            self._reader.join()
            process.stdout.close()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.told.append(json.loads(line))


@contextlib.contextmanager
def handler_process(node: Path, hub: str, allowed: str | None = None) -> Iterator[HandlerProcess]:
    """Run an application."""
    handler = HandlerProcess(node, hub, allowed)
    handler.start()
    try:
        yield handler
    finally:
        handler.stop()


def raise_events(node: Path, url: str) -> dict[str, Any]:
    """Let Microsoft's client raise events and invoke; return what came of it."""
    done = subprocess.run(
        [node, NPM_FOLDER / "events.mjs", url],
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said
