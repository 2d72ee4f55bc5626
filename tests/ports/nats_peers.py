"""Fixtures that open gateways' lines to each other on a NATS server of the tests' own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count

import pytest

from tests.ports.nats_server import NatsServer
from tocsin.adapters.nats.peers import NatsPeers
from tocsin.supervisor import Supervisor

# So that nobody is taken for missing on a machine that stands still for a while.
ANSWER_S = 60.0
_numbers = count(1)
OpenPeers = Callable[..., Awaitable[NatsPeers]]


@pytest.fixture
async def open_peers(nats: NatsServer) -> AsyncIterator[OpenPeers]:
    """Open lines of one deployment; none of them is a gateway before it serves."""
    supervisor = Supervisor()
    opened: list[NatsPeers] = []
    url = f"{nats.url}/peers%20{next(_numbers)}"

    async def open_(*, answer_s: float = ANSWER_S, **more: float) -> NatsPeers:
        opened.append(NatsPeers(url, supervisor, meet_s=0.05, answer_s=answer_s, **more))
        await opened[-1].start()
        return opened[-1]

    yield open_
    await supervisor.stop()
    for peers in opened:
        await peers.close()
