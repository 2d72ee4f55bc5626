"""Three NATS servers under a cluster: the one that leads is killed, and nothing is lost or doubled."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.deadlines import until_async
from tests.cluster.bed import API, GATEWAYS, PROCESSORS, Bed, open_bed
from tests.cluster.trial import SETTLE_S, Trial, open_trial
from tests.ports.nats_cluster import FORMED_S, NatsCluster, nats_cluster

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(600),  # the cluster starts in the first one
]

CONTROL_SETTLE_S = 2.0


@pytest.fixture(scope="module")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsCluster]:
    folder: Path = tmp_path_factory.mktemp("nats")
    with nats_cluster(folder) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bed(nats: NatsCluster) -> AsyncIterator[Bed]:
    """Run a small cluster, since what is killed here is beneath it."""
    await until_async(nats.is_formed, "the NATS servers have met", FORMED_S)
    async with open_bed(nats, (API[0], GATEWAYS[0], PROCESSORS[0])) as made:
        yield made


@pytest.mark.parametrize("mistake", ["", "answer-before-the-disk"])
async def test_a_kill_of_the_leader_loses_only_what_was_never_on_disk(
    bed: Bed, nats: NatsCluster, mistake: str
) -> None:
    async def the_leader_is_killed(_bed: Bed, trial: Trial) -> None:
        leader = await nats.leader()
        nats.kill_one(leader)
        await trial.goes_on(10)
        nats.start_one(leader)

    settle_s = CONTROL_SETTLE_S if mistake else SETTLE_S
    with bed.mistakes(mistake, API[0]):
        async with open_trial(bed, settle_s=settle_s) as trial:
            told = await trial.run(the_leader_is_killed)
    if mistake:
        assert told["breaches"]["lost"] > 0, json.dumps(told, indent=1)
    else:
        assert told["verdict"] == "passed", json.dumps(told, indent=1)
