"""The long form on three NATS servers: the one that leads is killed five times, under 500 live clients."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.cluster import faults
from tests.cluster.bed import Bed, open_bed_on_three
from tests.cluster.crowd import outlive

pytestmark = [pytest.mark.soak, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bed]:
    """Run a whole cluster on three NATS servers."""
    async with open_bed_on_three(tmp_path_factory.mktemp("nats")) as made:
        yield made


async def test_nothing_is_lost_doubled_or_missed_by_a_crowd_when_the_leader_is_killed(
    bed: Bed,
) -> None:
    await outlive(bed, faults.the_leader_is_killed)
