"""Socket.IO on Node, and python-socketio on uvicorn: two servers of one wire format."""

import contextlib
import functools
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec

from bench.contestants.node import NODE_MODULES, node_server
from bench.contestants.venue import Contestant, Secret, peer
from bench.load.client import TEXT, frame, upgrade
from bench.load.guest import Door, Speaker, Wire
from bench.process import Process

_UPGRADE = upgrade("/socket.io/?EIO=4&transport=websocket")
_INSIDE = b'40{"sid":'
# Engine.IO's own ping, a server's text frame "2" that is answered with "3".
_WIRE = Wire(ping=b"\x81\x012", pong=frame(TEXT, b"3"))


class _Namespace:
    """A client sends its token with the connect packet; the server puts it into its room before it answers."""

    wire = _WIRE

    def __init__(self, process: Process, secret: Secret) -> None:
        self.process = process
        self._secret = secret

    def door(self, client: int, room: str) -> Door:
        return self._door(self._secret.admits(client, room))

    def speaker(self) -> Speaker:
        return Speaker(self._door(self._secret.lets_publish()), self.wire, b'42["say",', b"]")

    @staticmethod
    def _door(token: str) -> Door:
        connect = b'40{"token":"%b"}' % token.encode()
        return Door(_UPGRADE, frame(TEXT, connect), _INSIDE)


@contextlib.contextmanager
def _run(command: Sequence[str]) -> Iterator[_Namespace]:
    secret = Secret()
    with peer(command, secret) as process:
        yield _Namespace(process, secret)


PYTHON_SOCKETIO = Contestant(
    "python-socketio",
    "uvicorn with uvloop and httptools, WebSocket only, no compression; at most once, not acknowledged",
    functools.partial(_run, [sys.executable, "-m", "bench.contestants.python_socketio"]),
    lambda: find_spec("socketio") is not None,
)
SOCKET_IO = Contestant(
    "Socket.IO",
    "WebSocket only, no compression, bufferutil, handshake request given up; at most once, not acknowledged",
    functools.partial(_run, node_server("socket_io.mjs")),
    (NODE_MODULES / "socket.io").exists,
)
