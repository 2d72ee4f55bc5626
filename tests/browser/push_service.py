"""A stand-in for the push service behind Chromium, so that a real browser gets real pushes on this machine alone.

It has two doors, both TLS:  HTTP for browsers (check-in, registration) and for senders (RFC 8030), and the channel (MCS)
that each browser keeps open and gets its messages by.  What is sent while a browser is away waits for it.

Source:  Chromium's google_apis/gcm (checkin.proto, mcs.proto, the registration requests); seen with Chromium 156.
"""

import contextlib
import itertools
import secrets
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

import msgspec

from tests.wire.certificates import authority_and_server
from tocsin.model.protobuf_wire import Fields, block_field, number_field, text_field, varint

HOST: Final = "localhost"
_VERSION: Final = b"\x29"  # 41, the first byte of both sides
_PING, _PONG, _LOGIN, _LOGGED_IN, _DATA = 0, 1, 2, 3, 8
_MAX_BODY: Final = 4096  # RFC 8030 section 7.2
_SEVEN_BITS: Final = 0x7F
_ENDPOINT: Final = "/fcm/send/"


class Subscription(msgspec.Struct, frozen=True):
    """What one browser registered: its id, the app, the worker's address, and the application server's key."""

    browser: str
    app: str
    subtype: str
    sender: str


class Sent(msgspec.Struct, frozen=True):
    """One message as a sender handed it in; names of ``headers`` are in lower case."""

    token: str
    headers: dict[str, str]
    body: bytes


class PushService:
    """Both doors, until :meth:`close`.

    ``sent`` is what senders were answered 201 for.  ``refusals`` holds statuses for the next senders, in order.
    """

    def __init__(self, folder: Path) -> None:
        self.authority, self._tls = authority_and_server(folder, HOST)
        self.subscriptions: dict[str, Subscription] = {}
        self.sent: list[Sent] = []
        self.refusals: list[int] = []
        self._browser_ids = itertools.count(5_000_000_001)
        self._lock = threading.Lock()
        self._channels: dict[str, _Channel] = {}
        self._waiting: dict[str, list[bytes]] = {}
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _http_door(self))
        self._http.daemon_threads = True
        self._http.socket = self._tls.wrap_socket(
            self._http.socket, server_side=True, do_handshake_on_connect=False
        )
        self._mcs = _ChannelDoor(self, self._tls)
        self._threads = [
            threading.Thread(target=door.serve_forever, args=(0.05,))
            for door in (self._http, self._mcs)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def origin(self) -> str:
        """Where senders and browsers ask."""
        return f"https://{HOST}:{self._http.server_address[1]}"

    @property
    def switches(self) -> list[str]:
        """What makes Chromium use this service; none of them is documented by its makers."""
        return [
            f"--gcm-checkin-url={self.origin}/checkin",
            f"--gcm-registration-url={self.origin}/register3",
            f"--gcm-mcs-endpoint=https://{HOST}:{self._mcs.server_address[1]}",
            "--ignore-certificate-errors",
        ]

    @property
    def server_env(self) -> dict[str, str]:
        """The settings of a Tocsin that knows this push service, and nobody else's."""
        return {
            "TOCSIN_OUTBOUND__ALLOW": f'["{HOST}"]',
            "TOCSIN_OUTBOUND__CA_FILE": str(self.authority),
            "TOCSIN_PUSH__HOSTS": f'["{self.origin.removeprefix("https://")}"]',
            "TOCSIN_PUSH__SUBJECT": "mailto:push@example.org",
        }

    def own_endpoint(self, handed_out: str) -> str:
        """Turn the endpoint that the browser tells a page, at its maker's host, into ours."""
        return f"{self.origin}{_ENDPOINT}{handed_out.rpartition('/')[2]}"

    def server_keys(self) -> set[str]:
        """Return the application servers' keys that browsers are subscribed under."""
        with self._lock:
            return {one.sender for one in self.subscriptions.values() if one.subtype}

    def endpoints(self) -> set[str]:
        """Return the tokens that browsers are subscribed by."""
        with self._lock:
            return {token for token, one in self.subscriptions.items() if one.subtype}

    def drop_channels(self) -> None:
        """Break the channels; browsers come back by themselves."""
        with self._lock:
            channels = list(self._channels.values())
        for channel in channels:
            channel.drop()

    def close(self) -> None:
        """End both doors and every channel."""
        self.drop_channels()
        for door in (self._http, self._mcs):
            door.shutdown()
            door.server_close()
        for thread in self._threads:
            thread.join()

    # For the doors

    def check_in(self) -> bytes:
        """Give a new browser its id and its secret (fixed64)."""
        with self._lock:
            browser = next(self._browser_ids)
        return b"".join(
            (
                number_field(1, 1),
                number_field(3, time.time_ns() // 1_000_000),
                number_field(6, 1),
                varint(7 << 3 | 1) + browser.to_bytes(8, "little"),
                varint(8 << 3 | 1) + (1).to_bytes(8, "little"),
                text_field(11, "1"),
            )
        )

    def register(self, form: dict[str, str]) -> str:
        """Make a subscription under a new token, or end one; also an answer for what is none."""
        wanted = Subscription(
            form.get("device", ""), form["app"], form.get("X-subtype", ""), form.get("sender", "")
        )
        token = secrets.token_urlsafe(24)
        with self._lock:
            for known, other in list(self.subscriptions.items()):
                if (other.browser, other.subtype) == (wanted.browser, wanted.subtype):
                    del self.subscriptions[known]
            if "delete" not in form:
                self.subscriptions[token] = wanted
        return token

    def take(self, sent: Sent) -> int:
        """Answer a sender with a status; what is taken goes to the browser, or waits for it."""
        with self._lock:
            if self.refusals:
                return self.refusals.pop(0)
            subscription = self.subscriptions.get(sent.token)
            if subscription is None:
                return 410
            if len(sent.body) > _MAX_BODY:
                return 413
            if f"k={subscription.sender}" not in sent.headers.get("authorization", ""):
                return 403
            self.sent.append(sent)
            frame = _data_frame(subscription, sent)
            channel = self._channels.get(subscription.browser)
            if channel is None:
                self._waiting.setdefault(subscription.browser, []).append(frame)
                return 201
        channel.write(frame)
        return 201

    def opened(self, browser: str, channel: "_Channel") -> None:
        """Give a browser what has waited for it."""
        with self._lock:
            self._channels[browser] = channel
            waiting = self._waiting.pop(browser, [])
        for frame in waiting:
            channel.write(frame)

    def closed(self, browser: str, channel: "_Channel") -> None:
        """Forget a channel, unless the browser has a newer one."""
        with self._lock:
            if self._channels.get(browser) is channel:
                del self._channels[browser]


def _http_door(service: PushService) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.path == "/checkin":
                return self._answer(200, service.check_in())
            if self.path == "/register3":
                form = {name: values[-1] for name, values in parse_qs(body.decode()).items()}
                return self._answer(200, f"token={service.register(form)}".encode())
            headers = {name.lower(): value for name, value in self.headers.items()}
            token = self.path.removeprefix(_ENDPOINT)
            return self._answer(service.take(Sent(token, headers, body)), b"")

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 -- the base's name
            del format

    return Door


class _ChannelDoor(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, service: PushService, tls: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Channel)
        self.service = service
        self.tls = tls


class _Channel(socketserver.BaseRequestHandler):
    """One browser's channel: frames of a tag, a length, and a protobuf message."""

    request: socket.socket
    server: _ChannelDoor

    def setup(self) -> None:
        self._browser = ""
        self._writing = threading.Lock()

    def handle(self) -> None:
        with (
            contextlib.suppress(OSError, EOFError),
            self.server.tls.wrap_socket(self.request, server_side=True) as self._line,
        ):
            if self._read(1) != _VERSION:
                return
            while True:
                self._hear(self._read(1)[0], self._read(self._read_varint()))

    def finish(self) -> None:
        self.server.service.closed(self._browser, self)

    def write(self, frame: bytes) -> None:
        with self._writing, contextlib.suppress(OSError):
            self._line.sendall(frame)

    def drop(self) -> None:
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)

    def _hear(self, tag: int, message: bytes) -> None:
        if tag == _PING:
            self.write(_frame(_PONG, b""))
        elif tag == _LOGIN:
            self._browser = Fields(message).text(3) or ""
            stamp = time.time_ns() // 1_000_000
            answer = text_field(1, "chrome-156") + number_field(8, stamp)
            self.write(_VERSION + _frame(_LOGGED_IN, answer))
            self.server.service.opened(self._browser, self)

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._line.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def _read_varint(self) -> int:
        value = 0
        for place in itertools.count():
            byte = self._read(1)[0]
            value |= (byte & _SEVEN_BITS) << 7 * place
            if byte <= _SEVEN_BITS:
                return value
        raise AssertionError("a count never ends")


def _frame(tag: int, message: bytes) -> bytes:
    return bytes([tag]) + varint(len(message)) + message


def _data_frame(subscription: Subscription, sent: Sent) -> bytes:
    """Encode a DataMessageStanza: the body stays as the sender encrypted it."""
    app_data = (
        ("subtype", subscription.subtype),
        ("content-encoding", sent.headers.get("content-encoding", "")),
    )
    message = b"".join(
        (
            text_field(2, secrets.token_hex(8)),
            text_field(3, subscription.sender),
            text_field(5, subscription.app),
            *(block_field(7, text_field(1, key) + text_field(2, value)) for key, value in app_data),
            text_field(9, secrets.token_hex(8)),
            number_field(17, int(sent.headers.get("ttl", "0"))),
            number_field(18, time.time_ns() // 1_000_000),
            block_field(21, sent.body),
        )
    )
    return _frame(_DATA, message)


@contextlib.contextmanager
def push_service(folder: Path) -> Iterator[PushService]:
    """Run one."""
    service = PushService(folder)
    try:
        yield service
    finally:
        service.close()
