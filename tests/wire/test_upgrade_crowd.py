"""Many who ask for a socket at once, in one turn of the event loop."""

import asyncio
import itertools

from tests.unit.realtime_fakes import FakeTransport
from tests.wire.gateway_fixture import running_node
from tocsin.api.upgrade import socket_upgrade


class Turned(FakeTransport):
    """A transport that an upgrade takes over."""

    def pause_reading(self) -> None:
        """Read on; nothing comes."""

    def resume_reading(self) -> None:
        """Read on; nothing comes."""

    def set_protocol(self, protocol: asyncio.Protocol) -> None:
        self.protocol = protocol


async def test_a_crowd_is_let_in_a_few_per_turn_of_the_loop() -> None:
    async with running_node() as node:
        make, crowd = socket_upgrade(node.gateway), [Turned() for _ in range(50)]
        path = node.url(user="ada").partition(str(node.port))[2]
        request = (
            f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        for transport in crowd:
            upgrade = make()
            upgrade.connection_made(transport)  # type: ignore[arg-type]  # all that is used of one
            upgrade.data_received(request.encode())
        let_in = [0]
        while let_in[-1] < len(crowd):
            await asyncio.sleep(0)
            let_in.append(sum(bool(transport.writes) for transport in crowd))
        assert max(after - before for before, after in itertools.pairwise(let_in)) < len(crowd) / 2
        assert all(transport.writes[0].startswith(b"HTTP/1.1 101") for transport in crowd)
