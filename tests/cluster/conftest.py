"""One cluster for the tests of a file, since to start it takes longer than to break it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.cluster.bed import Bed, open_bed
from tests.ports.nats_server import running_nats
from tocsin.client import comeback


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bed() -> AsyncIterator[Bed]:
    """Run a cluster; its NATS waits for the disk, as in production."""
    with running_nats() as nats:
        async with open_bed(nats) as made:
            yield made


@pytest.fixture(autouse=True)
def eager_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have clients come back soon, however often they were cut off."""
    monkeypatch.setattr(comeback, "LONGEST_PAUSE_S", 0.5)
