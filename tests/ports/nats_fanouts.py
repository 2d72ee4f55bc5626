"""Fixtures that open fan-outs on a NATS server of the tests' own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count

import pytest

from tests.acceptance.deadlines import until_async
from tests.ports.fanouts import Ear, said
from tests.ports.nats_server import NatsServer, running_nats
from tocsin.adapters.nats.fanout import NatsFanout
from tocsin.supervisor import Supervisor

# So that the tests do not wait for what is told every five seconds.
BEAT_S = 0.2
# So that nodes are young for as long as a test takes: twice that.
YOUNG_BEAT_S = 60.0
_numbers = count(1)
OpenNats = Callable[..., Awaitable[NatsFanout]]


@pytest.fixture(scope="session")
def nats() -> Iterator[NatsServer]:
    """Lend one server; each test has a deployment of its own there."""
    with running_nats() as server:
        yield server


@pytest.fixture
async def open_nats(nats: NatsServer) -> AsyncIterator[OpenNats]:
    """Open fan-outs of one deployment, which has a name that has to be encoded."""
    supervisor = Supervisor()
    opened: list[NatsFanout] = []
    url = f"{nats.url}/a.*>%20{next(_numbers)}"

    async def open_(beat_s: float = BEAT_S) -> NatsFanout:
        opened.append(NatsFanout(url, supervisor, beat_s))
        await opened[-1].start()
        return opened[-1]

    yield open_
    await supervisor.stop()
    for fanout in opened:
        await fanout.close()


class NatsNodes:
    """Two nodes that meet by way of a server."""

    def __init__(self, speaker: NatsFanout, hearer: NatsFanout) -> None:
        self.speaker, self.hearer = speaker, hearer

    async def met(self) -> None:
        """Wait until the speaker is sure of what everybody holds, and that is what the hearer holds now."""
        known = self.speaker._roster._known
        hearer = self.hearer._holdings

        async def is_sure() -> bool:
            grown = self.speaker._now_s() > self.speaker._young_until_s
            of_hearer = known.get(self.hearer._id)
            return (
                grown
                and of_hearer is not None
                and of_hearer.marks == hearer._held
                and all(one.exact for one in known.values())
            )

        await until_async(is_sure, "the speaker knows what the hearer holds", 60)


@pytest.fixture
async def nats_nodes(open_nats: OpenNats) -> NatsNodes:
    return NatsNodes(await open_nats(), await open_nats())


@pytest.fixture
async def young_nats_nodes(open_nats: OpenNats) -> NatsNodes:
    """Open nodes that know nothing of each other yet, however long it takes to open them."""
    return NatsNodes(await open_nats(YOUNG_BEAT_S), await open_nats(YOUNG_BEAT_S))


async def is_silent(ear: Ear, speaker: NatsFanout) -> None:
    """See that nothing else is on its way: what comes last for everybody has come, and nothing with it."""
    last = said(None, 999, b"last")
    before = list(ear.heard)
    speaker.announce([last])
    await ear.hears(last)
    assert ear.heard == [*before, last]
