"""Three NATS servers under a cluster: the one that leads is killed, and nothing is lost or doubled."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.cluster import faults
from tests.cluster.bed import API, GATEWAYS, PROCESSORS, Bed, open_bed_on_three
from tests.cluster.trial import SETTLE_S, open_trial

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(600),  # the cluster starts in the first one
]

CONTROL_SETTLE_S = 2.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bed]:
    """Run a small cluster, since what is killed here is beneath it."""
    names = API[0], GATEWAYS[0], PROCESSORS[0]
    async with open_bed_on_three(tmp_path_factory.mktemp("nats"), names) as made:
        yield made


@pytest.mark.parametrize("mistake", ["", "answer-before-the-disk"])
async def test_a_kill_of_the_leader_loses_only_what_was_never_on_disk(
    bed: Bed, mistake: str
) -> None:
    settle_s = CONTROL_SETTLE_S if mistake else SETTLE_S
    with bed.mistakes(mistake, API[0]):
        async with open_trial(bed, settle_s=settle_s) as trial:
            told = await trial.run(faults.the_leader_is_killed)
    if mistake:
        assert told["breaches"]["lost"] > 0, json.dumps(told, indent=1)
    else:
        assert told["verdict"] == "passed", json.dumps(told, indent=1)
