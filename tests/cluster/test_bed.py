"""The test bed itself: alerts come from either api node to clients at each gateway, and the ledger is clean."""

import json

import pytest

from tests.cluster.bed import GATEWAYS, Bed
from tests.cluster.faults import nothing
from tests.cluster.trial import open_trial

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(600),  # the cluster starts in the first one
]


async def test_alerts_flow_from_the_api_nodes_to_clients_at_each_gateway(bed: Bed) -> None:
    before = {name: bed.networks[name].clients.accepted for name in GATEWAYS}

    async with open_trial(bed) as trial:
        told = await trial.run(nothing)
    assert told["verdict"] == "passed", json.dumps(told, indent=1)
    for name in GATEWAYS:
        assert bed.networks[name].clients.accepted > before[name]
