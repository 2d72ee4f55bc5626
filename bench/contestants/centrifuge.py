"""Centrifuge, the library that Centrifugo is made of, in a server of a few lines (``contestants/go``).

Centrifugo itself would be built with ``go install``, but the Go module proxy does not give its module away.
"""

import contextlib
from collections.abc import Iterator

from bench.contestants.venue import CACHE, ROOM, Contestant, Secret, peer
from bench.load.client import TEXT, frame, upgrade
from bench.load.room import Door, Speaker, Wire
from bench.process import Process

_SERVER = CACHE / "centrifuge"
_UPGRADE = upgrade("/connection/websocket")
_CONNECT = b'{"id":1,"connect":{"token":"%b"}}'
_BEFORE = b'{"id":2,"publish":{"channel":"%b","data":' % ROOM.encode()


class _Channels:
    """A client sends its token first; the server subscribes it to its channel before it answers."""

    # A server's text frame {}, answered with the same.
    wire = Wire(ping=b"\x81\x02{}", pong=frame(TEXT, b"{}"))

    def __init__(self, process: Process, secret: Secret) -> None:
        self.process = process
        self._secret = secret

    def door(self, client: int, room: str) -> Door:
        return self._door(self._secret.admits(client, room))

    def speaker(self) -> Speaker:
        return Speaker(self._door(self._secret.lets_publish()), self.wire, _BEFORE, b"}}")

    @staticmethod
    def _door(token: str) -> Door:
        return Door(_UPGRADE, frame(TEXT, _CONNECT % token.encode()), b'"connect":{')


@contextlib.contextmanager
def _run() -> Iterator[_Channels]:
    secret = Secret()
    with peer([str(_SERVER)], secret) as process:
        yield _Channels(process, secret)


CENTRIFUGE = Contestant(
    "Centrifuge",
    "the library of Centrifugo, which itself is not to be had through the Go module proxy; JSON protocol, GOMAXPROCS=1, "
    "pooled write buffers, no write delay, no compression; no history, not acknowledged",
    _run,
    _SERVER.exists,
)
