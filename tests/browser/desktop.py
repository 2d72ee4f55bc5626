"""A stand-in for a desktop: a D-Bus session bus with a notification service, on which notifications are really shown.

So a test sees what a person would see, and presses it as a person would:  Chromium takes the press for a person's, and its
worker may focus and open windows, which it may not for an event that a script made.

Source:  https://specifications.freedesktop.org/notification-spec/; seen with Chromium 156, headless.
"""

import contextlib
import itertools
import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.browser import dbus_wire as wire

_SERVICE: Final = "org.freedesktop.Notifications"
_PATH: Final = "/org/freedesktop/Notifications"
_BUS: Final = "org.freedesktop.DBus"
_CHUNK: Final = 65_536
_BY_CALL: Final = 3  # why a notification was closed
_OWNER: Final = ":1.2"  # the service's address on the bus
Answer = tuple[str, Sequence[Any]]  # the types of an answer, and what it says
_NOTHING: Final[Answer] = ("", ())
_CAPABILITIES: Final = ["actions", "body", "persistence"]


class Shown(NamedTuple):
    """A notification on the screen; ``buttons`` are the keys of its actions by their labels."""

    number: int
    title: str
    text: str
    buttons: dict[str, str]


class Desktop:
    """The bus of one browser, until :meth:`close`.  ``history`` is every title that was shown, in order."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "bus"
        self.history: list[str] = []
        self._shown: dict[int, Shown] = {}
        self._lock = threading.Lock()
        self._lines: list[_Line] = []
        self._server = _Bus(self, self._socket)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to find this desktop."""
        return {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={self._socket}"}

    def shown(self, title: str) -> Shown | None:
        """Return the notification of that title, if it is on the screen."""
        with self._lock:
            return next((one for one in self._shown.values() if one.title == title), None)

    def titles(self) -> list[str]:
        """List what is on the screen."""
        with self._lock:
            return [one.title for one in self._shown.values()]

    def press(self, shown: Shown, button: str | None = None) -> None:
        """Press the notification, or the button of that label."""
        key = "default" if button is None else shown.buttons[button]
        self._signal("ActionInvoked", "us", (shown.number, key))

    def close(self) -> None:
        """End the bus."""
        for line in list(self._lines):
            line.drop()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # For the lines

    def opened(self, line: "_Line") -> None:
        self._lines.append(line)

    def closed(self, line: "_Line") -> None:
        self._lines.remove(line)

    def answer(self, member: str, body: Sequence[Any]) -> Answer:
        """Do what a caller asks of the notification service."""
        match member:
            case "GetCapabilities":
                return "as", (_CAPABILITIES,)
            case "GetServerInformation":
                return "ssss", ("Test desktop", "Tocsin", "1", "1.2")
            case "Notify":
                return "u", (self._show(body),)
            case _:
                self._take_down(body[0])
                return _NOTHING

    def _show(self, body: Sequence[Any]) -> int:
        _, replaced, _, title, text, actions, _, _ = body
        with self._lock:
            number = int(replaced) or max(self._shown, default=0) + 1 + len(self.history)
            buttons = dict(zip(actions[1::2], actions[::2], strict=True))
            self._shown[number] = Shown(number, title, text, buttons)
            self.history.append(title)
        return number

    def _take_down(self, number: int) -> None:
        with self._lock:
            found = self._shown.pop(number, None)
        if found is not None:
            self._signal("NotificationClosed", "uu", (number, _BY_CALL))

    def _signal(self, member: str, signature: str, body: Sequence[Any]) -> None:
        fields = {"path": _PATH, "interface": _SERVICE, "member": member, "sender": _OWNER}
        for line in list(self._lines):
            line.write(wire.SIGNAL, fields, signature, body)


class _Bus(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, desktop: Desktop, path: Path) -> None:
        super().__init__(str(path), _Line)
        self.desktop = desktop


class _Line(socketserver.BaseRequestHandler):
    """One program's connection: a greeting in lines of text, then messages."""

    request: socket.socket
    server: _Bus

    def setup(self) -> None:
        self._serials = itertools.count(1)
        self._writing = threading.Lock()
        self._buffer = b""

    def handle(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            self._greet()
            self.server.desktop.opened(self)
            try:
                while True:
                    self._hear(wire.read(self._message()))
            finally:
                self.server.desktop.closed(self)

    def write(
        self, kind: int, fields: Mapping[str, Any], signature: str, body: Sequence[Any]
    ) -> None:
        with self._writing, contextlib.suppress(OSError):
            message = wire.Message(kind, next(self._serials), fields=dict(fields), body=body)
            self.request.sendall(wire.write(message, signature))

    def drop(self) -> None:
        with contextlib.suppress(OSError):
            self.request.shutdown(socket.SHUT_RDWR)

    def _greet(self) -> None:
        while (said := self._line().strip(b"\0")) != b"BEGIN":
            is_login = said.startswith(b"AUTH EXTERNAL")
            self.request.sendall(b"OK " + b"5" * 32 + b"\r\n" if is_login else b"ERROR\r\n")

    def _hear(self, message: wire.Message) -> None:
        if message.kind != wire.CALL or message.flags & wire.NO_ANSWER_WANTED:
            return
        fields = {"answers": message.serial, "to": ":1.1"}
        member = message.fields["member"]
        if message.fields.get("interface") == _SERVICE:
            answer: Answer | None = self.server.desktop.answer(member, message.body)
            sender = _OWNER
        else:
            answer, sender = _bus_answer(member, message.body), _BUS
        if answer is None:
            unknown = fields | {"error": f"{_BUS}.Error.ServiceUnknown", "sender": _BUS}
            self.write(wire.ERROR, unknown, "s", ("nobody here",))
        else:
            self.write(wire.ANSWER, fields | {"sender": sender}, *answer)

    def _line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            self._more()
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _message(self) -> bytes:
        while len(self._buffer) < wire.HEAD_BYTES or len(self._buffer) < wire.size_of(self._buffer):
            self._more()
        size = wire.size_of(self._buffer)
        message, self._buffer = self._buffer[:size], self._buffer[size:]
        return message

    def _more(self) -> None:
        part = self.request.recv(_CHUNK)
        if not part:
            raise EOFError
        self._buffer += part


def _bus_answer(member: str, body: Sequence[Any]) -> Answer | None:
    """Answer for the bus itself; None to what it knows nothing of.  The one service on it is ours."""
    match member:
        case "Hello":
            return "s", (":1.1",)
        case "AddMatch" | "RemoveMatch":
            return _NOTHING
        case "NameHasOwner":
            return "b", (int(body[0] == _SERVICE),)
        case "GetNameOwner" if body[0] == _SERVICE:
            return "s", (_OWNER,)
        case _:
            return None


@contextlib.contextmanager
def desktop(folder: Path) -> Iterator[Desktop]:
    """Run one; ``folder`` has a short path, since that of a Unix socket has at most about 100 characters."""
    running = Desktop(folder)
    try:
        yield running
    finally:
        running.close()
