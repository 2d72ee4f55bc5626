"""Whatever breaks under producers and live clients: nothing is lost, doubled or missed, and everybody is live again.

Who is away is pushed everything.  Each fault has its control: the same with a mistake on purpose, which has to be seen.
"""

import asyncio
import json
from typing import NamedTuple

import pytest

from tests.cluster import faults
from tests.cluster.bed import API, DISPATCHER, GATEWAYS, PROCESSORS, Bed
from tests.cluster.trial import Fault, open_trial

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(600),  # the cluster starts in the first one
]

# A control waits so long for what will never come.
CONTROL_SETTLE_S = 2.0
CONTROL_LIVE_S = 4.0
FAULTS = (
    faults.each_role_is_killed,
    faults.the_dispatcher_is_killed,
    faults.postgres_stops,
    faults.nats_stops,
    faults.a_gateway_is_cut_off,
    faults.clients_have_a_bad_network,
    faults.a_processor_sleeps_past_its_lease,
    faults.the_disk_is_full,
    faults.a_rolling_restart,
)


class Control(NamedTuple):
    """A fault, the mistake by which it does harm, the nodes that make it, and the breach that has to be seen."""

    fault: Fault
    mistakes: str
    names: tuple[str, ...]
    breach: str


EARLY_ACK = "acknowledge-before-the-commit dawdle"
EARLY_ANSWER = "answer-before-the-disk"
EARLY_LEAVE = f"{EARLY_ACK} leave-in-the-middle"
EARLY_SETTLE = "settle-before-the-send"
DEAF = "never-compare"
SKIP = "skip-what-was-missed"
PUSHER = (DISPATCHER,)
CONTROLS = (
    Control(faults.an_api_node_is_killed, EARLY_ANSWER, API, "lost"),
    Control(faults.a_processor_is_killed, EARLY_ACK, PROCESSORS, "lost"),
    Control(faults.the_dispatcher_is_killed, EARLY_SETTLE, PUSHER, "unpushed"),
    Control(faults.the_dispatcher_is_killed, "forget-what-was-pushed", PUSHER, "beside"),
    Control(faults.a_gateway_is_killed, SKIP, API, "hole"),
    Control(faults.postgres_stops, EARLY_ACK, PROCESSORS, "lost"),
    Control(faults.a_gateway_is_cut_off, DEAF, GATEWAYS, "hole"),
    Control(faults.clients_have_a_bad_network, SKIP, API, "hole"),
    Control(
        faults.a_processor_sleeps_past_its_lease,
        "forget-what-was-delivered",
        PROCESSORS,
        "doubled",
    ),
    Control(faults.the_disk_is_full, EARLY_ACK, PROCESSORS, "lost"),
    Control(faults.an_api_node_is_restarted, EARLY_ANSWER, API, "lost"),
    Control(faults.a_processor_is_restarted, EARLY_LEAVE, PROCESSORS, "lost"),
    Control(faults.the_dispatcher_is_restarted, EARLY_SETTLE, PUSHER, "unpushed"),
    Control(faults.a_gateway_is_restarted, SKIP, API, "hole"),
)


async def test_alerts_flow_to_clients_at_each_gateway_and_are_pushed_when_nothing_breaks(
    bed: Bed,
) -> None:
    assert bed.push_service is not None
    before = {name: bed.networks[name].clients.accepted for name in GATEWAYS}
    pushed = len(bed.push_service.received)
    async with open_trial(bed) as trial:
        told = await trial.run(faults.nothing)
    assert told["verdict"] == "passed", json.dumps(told, indent=1)
    assert all(bed.networks[name].clients.accepted > before[name] for name in GATEWAYS)
    assert len(bed.push_service.received) > pushed


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_nothing_is_lost_doubled_or_missed_when(bed: Bed, fault: Fault) -> None:
    async with open_trial(bed) as trial:
        told = await trial.run(fault)
    print(f"live again after {trial.live_again_s} s")
    assert told["verdict"] == "passed", json.dumps(told, indent=1)


async def test_clients_miss_nothing_when_half_of_the_announcements_are_lost(bed: Bed) -> None:
    with bed.mistakes("lose-half", *API, *PROCESSORS):
        async with open_trial(bed) as trial:
            told = await trial.run(faults.silence_follows)
    assert told["verdict"] == "passed", json.dumps(told, indent=1)


async def test_the_ledger_sees_clients_that_are_not_told_of_lost_announcements(bed: Bed) -> None:
    # All: a hole that is seen, because a later one came, brings also what is lost a moment after it.
    with bed.mistakes("lose-all", *API, *PROCESSORS), bed.mistakes(DEAF, *GATEWAYS):
        async with open_trial(bed, settle_s=CONTROL_SETTLE_S) as trial:
            told = await trial.run(faults.silence_follows)
    assert told["breaches"]["hole"] > 0, json.dumps(told, indent=1)


@pytest.mark.parametrize(
    "control", CONTROLS, ids=lambda control: f"{control.fault.__name__}-{control.breach}"
)
async def test_the_ledger_sees_the_mistake_by_which_it_does_harm_when(
    bed: Bed, control: Control
) -> None:
    with bed.mistakes(control.mistakes, *control.names):
        async with open_trial(bed, settle_s=CONTROL_SETTLE_S) as trial:
            told = await trial.run(control.fault)
    assert told["breaches"][control.breach] > 0, json.dumps(told, indent=1)


async def test_the_ledger_sees_nodes_that_give_up_when_nats_stops(bed: Bed) -> None:
    with bed.mistakes("give-up-soon", *API):
        async with open_trial(
            bed,
            settle_s=CONTROL_SETTLE_S,
            live_within_s=CONTROL_LIVE_S,
            repeats_for_s=CONTROL_SETTLE_S,
        ) as trial:
            with pytest.raises(AssertionError, match="everybody is live again"):
                await trial.run(faults.nats_stops_until_api_nodes_give_up)
    assert trial.drilled.ledger.count("unsettled")
    await asyncio.gather(*(asyncio.to_thread(bed.nodes[name].restart) for name in API))
