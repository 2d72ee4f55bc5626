"""A real receiver of webhooks, in a thread of its own: it keeps what came and answers what a test tells it."""

import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "webhooks.md"

Verify = Callable[[str, dict[str, str], bytes], bool]


def guide_code(language: str) -> str:
    """Return the guide's one example in that language."""
    [code] = re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    return str(code)


def guide_verify() -> Verify:
    """Return ``verify`` as the guide gives it."""
    names: dict[str, Any] = {}
    exec(guide_code("python"), names)
    verify: Verify = names["verify"]
    return verify


@dataclass
class Message:
    """One request, as it came."""

    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def events(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = json.loads(self.body)
        return events


@dataclass
class Receiver:
    """What came, in order; ``answers`` are the next statuses, after which all is 204.

    ``before_answer`` is called with each message before it is answered.
    """

    port: int
    messages: list[Message] = field(default_factory=list)
    answers: deque[int] = field(default_factory=deque)
    before_answer: Callable[[Message], None] = lambda _message: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def events(self) -> list[dict[str, Any]]:
        """Return the events of all messages that were taken."""
        taken = [message for message in self.messages if message.status // 100 == 2]
        return [event for message in taken for event in message.events]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver on a loopback port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = receiver.answers.popleft() if receiver.answers else 204
            message = Message(headers, body, status)
            receiver.messages.append(message)
            receiver.before_answer(message)
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_said: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver = Receiver(server.server_address[1])
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
