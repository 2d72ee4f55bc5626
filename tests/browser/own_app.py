"""An application of its own on another origin: one page, a worker that is a module, and an address that gives out tokens."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec

_PAGE = """<!doctype html>
<title>Own app</title>
<button disabled>Turn on</button>
<output></output>
<script type="module">
  import { TocsinClient } from "TOCSIN/tocsin/core.js";
  import { PushDevice } from "TOCSIN/tocsin/push.js";
  await navigator.serviceWorker.register("/worker.js", { type: "module" });
  const client = new TocsinClient({ tokenUrl: "/token" });
  client.connect();
  const push = new PushDevice(client);
  push.subscribe(({ standing }) => { document.querySelector("output").textContent = standing; });
  push.start();
  const button = document.querySelector("button");
  button.onclick = () => push.turnOn();
  button.disabled = false;
</script>
"""
_WORKER = """import { servePush } from "TOCSIN/tocsin/worker-module.js";

servePush();
"""


class OwnApp:
    """Serves the application to browsers; ``tokens`` counts what it gave out."""

    def __init__(self) -> None:
        self.tokens = 0
        self.tocsin = ""
        self.token: Callable[[], str] = str
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _door(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def origin(self) -> str:
        """Where browsers find it; a secure context."""
        return f"http://localhost:{self._server.server_address[1]}"

    def begin(self, tocsin: str, token: Callable[[], str]) -> None:
        """Serve pages that use that server; ``token`` makes a client URL for whoever is signed in."""
        self.tocsin, self.token = tocsin, token

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _door(app: OwnApp) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            kind, text = "text/html", _PAGE
            if self.path == "/worker.js":
                kind, text = "text/javascript", _WORKER
            self._answer(kind, text.replace("TOCSIN", app.tocsin).encode())

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            app.tokens += 1
            self._answer("application/json", msgspec.json.encode({"url": app.token()}))

        def _answer(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 -- the base's name
            del format

    return Door


@contextlib.contextmanager
def own_app() -> Iterator[OwnApp]:
    """Run one."""
    app = OwnApp()
    try:
        yield app
    finally:
        app.close()
