"""``ws`` on Node: the loop that one would write."""

import contextlib
from collections.abc import Iterator

from bench.contestants.node import NODE_MODULES, node_server
from bench.contestants.venue import Contestant, Secret, peer
from bench.load.client import upgrade
from bench.load.guest import Door, Speaker, Wire
from bench.process import Process


class _Rooms:
    """The token stands in the address; who was upgraded is inside.  A message is sent on as it came."""

    wire = Wire()

    def __init__(self, process: Process, secret: Secret) -> None:
        self.process = process
        self._secret = secret

    def door(self, client: int, room: str) -> Door:
        return self._door(self._secret.admits(client, room))

    def speaker(self) -> Speaker:
        return Speaker(self._door(self._secret.lets_publish()), self.wire)

    @staticmethod
    def _door(token: str) -> Door:
        return Door(upgrade(f"/?token={token}"))


@contextlib.contextmanager
def _run() -> Iterator[_Rooms]:
    secret = Secret()
    with peer(node_server("ws.mjs"), secret) as process:
        yield _Rooms(process, secret)


WS = Contestant(
    "ws",
    "a bare loop over the clients of a room, no compression, bufferutil; no acknowledgements, no heartbeat",
    _run,
    (NODE_MODULES / "ws").exists,
)
