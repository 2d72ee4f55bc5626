"""A proxy that lets everything pass but WebSockets, as some offices do."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator

CHUNK_BYTES = 65_536


class UpgradeBlocker(socketserver.ThreadingTCPServer):
    """Passes connections on to ``target``; one that begins with an upgrade is refused while ``is_blocking``."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.target = 0
        self.is_blocking = True
        self.refused = 0

    @property
    def url(self) -> str:
        """The address it listens on."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Connection(socketserver.BaseRequestHandler):
    request: socket.socket
    server: UpgradeBlocker

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            head = self.request.recv(CHUNK_BYTES)
            if self.server.is_blocking and b"upgrade: websocket" in head.lower():
                self.server.refused += 1
                self.request.sendall(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", self.server.target)) as upward:
                upward.sendall(head)
                back = threading.Thread(target=_pump, args=(upward, self.request), daemon=True)
                back.start()
                _pump(self.request, upward)
                back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(CHUNK_BYTES):
            sink.sendall(chunk)
    for side in (source, sink):
        with contextlib.suppress(OSError):
            side.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def upgrade_blocker() -> Iterator[UpgradeBlocker]:
    """Run one; name its ``target`` before it is used."""
    with UpgradeBlocker() as blocker:
        thread = threading.Thread(target=blocker.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield blocker
        finally:
            blocker.shutdown()
            thread.join()
