"""The long form: every fault five times, half of all announcements lost, under 500 live clients, and NATS away for minutes.

One round of one fault took 97 s on two busy cores.
"""

import pytest

from tests.cluster import faults
from tests.cluster.bed import API, PROCESSORS, Bed
from tests.cluster.crowd import outlive
from tests.cluster.test_faults import FAULTS
from tests.cluster.trial import Fault

pytestmark = [pytest.mark.soak, pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_nothing_is_lost_doubled_or_missed_by_a_crowd_when(bed: Bed, fault: Fault) -> None:
    await outlive(bed, fault)


async def test_a_crowd_misses_nothing_when_half_of_the_announcements_are_lost(bed: Bed) -> None:
    with bed.mistakes("lose-half", *API, *PROCESSORS):
        await outlive(bed, faults.silence_follows)


async def test_nothing_is_lost_doubled_or_missed_when_nats_is_away_for_longer_than_its_client_waits(
    bed: Bed,
) -> None:
    await outlive(bed, faults.nats_stops_for_long, rounds=1)
