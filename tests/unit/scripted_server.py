"""An HTTP server on a real socket that does to each request what a test tells it to."""

import contextlib
import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

DROP, HANG, HALF = "drop", "hang", "half"
Step = str | tuple[int, object] | tuple[int, object, dict[str, str]]


class ScriptedServer(socketserver.ThreadingTCPServer):
    """Takes the steps of ``script`` one by one, the last one for ever; notes what came in."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *script: Step) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = list(script)
        self.bodies: list[Any] = []
        self.keys: list[str | None] = []
        self.connections = 0
        self.heard = threading.Event()
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def step(self) -> Step:
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ScriptedServer

    def setup(self) -> None:
        self.server.connections += 1
        super().setup()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.bodies.append([json.loads(line) for line in body.splitlines()])
        self.server.keys.append(self.headers["authorization"])
        self.server.heard.set()
        step = self.server.step()
        if isinstance(step, str):
            self._misbehave(step)
            return
        status, said, *more = step
        text = json.dumps(said).encode()
        self._head(status, len(text), *more)
        self.wfile.write(text)

    def _misbehave(self, step: str) -> None:
        self.close_connection = True
        if step == HANG:
            self.server.released.wait(30)
        elif step == HALF:
            self._head(202, 100)
            self.wfile.write(b'{"id": ')

    def _head(self, status: int, length: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("content-length", str(length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def scripted(*script: Step) -> Iterator[ScriptedServer]:
    with ScriptedServer(*script) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()
