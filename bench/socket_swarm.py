"""Many cheap WebSocket clients in a process of their own, driven over a pipe.

They parse no JSON: frames are counted by their heads, and the last sequence id is found at the end of what was read.  Like
Microsoft's clients they acknowledge once a second what changed.
"""

import base64
import multiprocessing
import os
import select
import socket
import time
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

ACK_S = 1.0
_HEADERS = (
    "Host: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
    "Sec-WebSocket-Protocol: json.reliable.webpubsub.azure.v1\r\n\r\n"
)
_SEQUENCE = b'"sequenceId":'


def start_swarm() -> tuple[BaseProcess, Connection]:
    """Start the process; talk to it with the pipe end that is returned.

    ``("open", port, paths)`` opens WebSockets, ``("raw", port, count)`` bare TCP connections, a number waits for
    that many frames, and ``("linger", seconds)`` reads for a while; each is answered with True when done, and None ends
    the process.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs,), daemon=True)
    process.start()
    return process, ours


def _run(pipe: Connection) -> None:
    swarm = _Swarm()
    while (command := pipe.recv()) is not None:
        match command:
            case ("open", int(port), list(paths)):
                swarm.open(port, paths)
            case ("raw", int(port), int(count)):
                swarm.connect(port, count)
            case int(frames):
                swarm.read(frames)
            case ("linger", float(seconds)):
                swarm.linger(seconds)
            case _:
                raise ValueError(command)
        pipe.send(True)


class _Swarm:
    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._rest: dict[int, bytes] = {}
        self._sequences: dict[int, bytes] = {}
        self._acked_s = time.monotonic()

    def open(self, port: int, paths: list[str]) -> None:
        """Upgrade one connection per path, and read its first two messages (connected, head)."""
        for path in paths:
            sock = socket.create_connection(("127.0.0.1", port))
            sock.sendall(f"GET {path} HTTP/1.1\r\n{_HEADERS}".encode())
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += sock.recv(4096)
            head, _, rest = answer.partition(b"\r\n\r\n")
            if b" 101 " not in head:
                raise ConnectionError(head)
            self._add(sock, rest)
        self.read(2 * len(paths), sum(self._count(fd, b"") for fd in self._sockets))

    def connect(self, port: int, count: int) -> None:
        """Open plain connections."""
        for _ in range(count):
            self._add(socket.create_connection(("127.0.0.1", port)), b"")

    def read(self, frames: int, seen: int = 0) -> None:
        """Read until ``frames`` frames came."""
        while seen < frames:
            for fd, _ in self._epoll.poll(ACK_S):
                data = self._sockets[fd].recv(262_144)
                if not data:
                    raise ConnectionError("closed by the server")
                seen += self._count(fd, data)
            if time.monotonic() - self._acked_s >= ACK_S:
                self._acknowledge()

    def linger(self, seconds: float) -> None:
        """Read and acknowledge for a while, whatever comes."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for fd, _ in self._epoll.poll(0.1):
                self._count(fd, self._sockets[fd].recv(262_144))
            if time.monotonic() - self._acked_s >= ACK_S:
                self._acknowledge()

    def _add(self, sock: socket.socket, rest: bytes) -> None:
        sock.setblocking(False)
        self._sockets[sock.fileno()] = sock
        self._rest[sock.fileno()] = rest
        self._epoll.register(sock.fileno(), select.EPOLLIN)

    def _count(self, fd: int, data: bytes) -> int:
        """Count the whole frames and keep the rest."""
        rest = self._rest[fd]
        if rest:
            data = rest + data
        at, count, end, text_end = 0, 0, len(data), 0
        while at + 4 <= end:
            size = data[at + 1]
            after = at + 2 + size if size < 126 else at + 4 + int.from_bytes(data[at + 2 : at + 4])
            if after > end:
                break
            if data[at] == 0x81:
                count, text_end = count + 1, after
            at = after
        self._rest[fd] = data[at:]
        found = data.rfind(_SEQUENCE, 0, text_end)
        if found >= 0:
            self._sequences[fd] = data[found + len(_SEQUENCE) : text_end - 1]
        return count

    def _acknowledge(self) -> None:
        for fd, sequence in self._sequences.items():
            body = b'{"type":"sequenceAck","sequenceId":%b}' % sequence
            self._sockets[fd].send(b"\x81" + bytes((0x80 | len(body),)) + bytes(4) + body)
        self._sequences.clear()
        self._acked_s = time.monotonic()
