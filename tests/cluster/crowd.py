"""A fault that befalls a crowd: the long form of a trial."""

import json

from tests.cluster.bed import Bed
from tests.cluster.trial import Fault, open_trial

CLIENTS = 500
ROUNDS = 5
# People who are not looking, besides.
AWAY = 20
# Everything, the clients too, runs on one machine.
SETTLE_S = 600.0
LIVE_AGAIN_S = 300.0


async def outlive(bed: Bed, fault: Fault, rounds: int = ROUNDS) -> None:
    """Have a fault befall a crowd so many times; nothing may be lost, doubled or missed in any of them."""
    for number in range(rounds):
        print(f"round {number}")
        await _outlive(bed, fault)


async def _outlive(bed: Bed, fault: Fault) -> None:
    async with open_trial(
        bed,
        clients=CLIENTS,
        away=AWAY,
        settle_s=SETTLE_S,
        live_within_s=LIVE_AGAIN_S,
        repeats_for_s=SETTLE_S,
    ) as trial:
        told = await trial.run(fault)
    print(f"live again after {trial.live_again_s} s")
    assert told["verdict"] == "passed", json.dumps(told, indent=1)
