"""Centrifuge, the library that Centrifugo is made of, in a server of a few lines (``contestants/go``)."""

import contextlib
from collections.abc import Iterator

from bench.contestants.venue import CACHE, ROOM, Contestant, Secret, peer
from bench.load.client import TEXT, frame, upgrade
from bench.load.guest import Door, Speaker, Wire
from bench.process import Process

_SERVER = CACHE / "centrifuge"
_UPGRADE = upgrade("/connection/websocket")
_CONNECT = b'{"id":1,"connect":{"token":"%b"}}'
_BEFORE = b'{"id":2,"publish":{"channel":"%b","data":' % ROOM.encode()


class Channels:
    """A client sends its token first; the server subscribes it to its channel before it answers.

    ``process`` checks tokens with ``secret``.
    """

    # A server's text frame {}, answered with the same.
    wire = Wire(ping=b"\x81\x02{}", pong=frame(TEXT, b"{}"))

    def __init__(self, process: Process, secret: Secret) -> None:
        self.process = process
        self._secret = secret

    def door(self, client: int, room: str) -> Door:
        """Return how a client with a token of its own comes into a room."""
        return self._door(self.token(self._secret, client, room))

    def speaker(self) -> Speaker:
        """Return how the one comes in who publishes."""
        return Speaker(self._door(self._secret.lets_publish()), self.wire, _BEFORE, b"}}")

    @staticmethod
    def token(secret: Secret, client: int, room: str) -> str:
        """Return the token that subscribes a client to the channel of its room."""
        return secret.admits(client, room)

    @staticmethod
    def _door(token: str) -> Door:
        return Door(_UPGRADE, frame(TEXT, _CONNECT % token.encode()), b'"connect":{')


@contextlib.contextmanager
def _run() -> Iterator[Channels]:
    secret = Secret()
    with peer([str(_SERVER)], secret) as process:
        yield Channels(process, secret)


CENTRIFUGE = Contestant(
    "Centrifuge",
    "the library of Centrifugo; JSON protocol, GOMAXPROCS=1, pooled write buffers, no write delay, no compression; "
    "no history, not acknowledged",
    _run,
    _SERVER.exists,
)
