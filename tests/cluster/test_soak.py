"""The long form: every fault five times, under 500 live clients, and NATS away for minutes.

One round of one fault took 97 s on two busy cores.
"""

import json

import pytest

from tests.cluster import faults
from tests.cluster.bed import Bed
from tests.cluster.test_faults import FAULTS
from tests.cluster.trial import Fault, open_trial

pytestmark = [pytest.mark.soak, pytest.mark.asyncio(loop_scope="module")]

CLIENTS = 500
ROUNDS = 5
# Everything, the clients too, runs on one machine.
SETTLE_S = 600.0
LIVE_AGAIN_S = 300.0


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_nothing_is_lost_doubled_or_missed_by_a_crowd_when(bed: Bed, fault: Fault) -> None:
    for number in range(ROUNDS):
        print(f"round {number}")
        await outlive(bed, fault)


async def test_nothing_is_lost_doubled_or_missed_when_nats_is_away_for_longer_than_its_client_waits(
    bed: Bed,
) -> None:
    await outlive(bed, faults.nats_stops_for_long)


async def outlive(bed: Bed, fault: Fault) -> None:
    """Have a fault befall a crowd."""
    async with open_trial(
        bed,
        clients=CLIENTS,
        settle_s=SETTLE_S,
        live_within_s=LIVE_AGAIN_S,
        repeats_for_s=SETTLE_S,
    ) as trial:
        told = await trial.run(fault)
    print(f"live again after {trial.live_again_s} s")
    assert told["verdict"] == "passed", json.dumps(told, indent=1)
