"""What can befall a cluster.  Each is over when everything runs again; what publishes goes on meanwhile, unless it says otherwise."""

import asyncio
import os
import signal

import psycopg

from tests.cluster.bed import API, DISPATCHER, GATEWAYS, PROCESSORS, Bed
from tests.cluster.node_program import LEASE_S
from tests.cluster.trial import Trial

MORE = 10
ONE_OF_EACH = (API[0], GATEWAYS[0], PROCESSORS[0], DISPATCHER)
# Far longer than a client waits that gives up soon, and shorter than a test.
NATS_AWAY_S = 1.5
DELAY_S = 0.05


async def nothing(_bed: Bed, trial: Trial) -> None:
    """Break nothing."""
    await trial.goes_on(MORE)


async def each_role_is_killed(bed: Bed, trial: Trial) -> None:
    """Kill a node of each role, one after the other; each comes back while the next is away."""
    async with asyncio.TaskGroup() as returning:
        for name in ONE_OF_EACH:
            await asyncio.to_thread(bed.nodes[name].kill)
            await trial.goes_on(MORE)
            returning.create_task(asyncio.to_thread(bed.nodes[name].start))


async def an_api_node_is_killed(bed: Bed, _trial: Trial) -> None:
    """Kill one, and bring it back."""
    await asyncio.to_thread(bed.nodes[API[0]].restart)


async def a_processor_is_killed(bed: Bed, _trial: Trial) -> None:
    """Kill one, and bring it back."""
    await asyncio.to_thread(bed.nodes[PROCESSORS[0]].restart)


async def postgres_stops(bed: Bed, trial: Trial) -> None:
    """Stop the database; publishing goes on."""
    await asyncio.to_thread(bed.postgres.stop)
    await trial.goes_on(MORE)
    await asyncio.to_thread(bed.postgres.start)


async def nats_stops(bed: Bed, _trial: Trial) -> None:
    """Kill NATS for a while, in which nothing can be published."""
    bed.nats.kill()
    await asyncio.sleep(NATS_AWAY_S)
    await asyncio.to_thread(bed.nats.start)


async def a_gateway_is_cut_off(bed: Bed, trial: Trial) -> None:
    """Let nothing through between a gateway and its servers, until nobody publishes any more."""
    network = bed.networks[GATEWAYS[0]]
    behind = (network.nats, network.postgres)
    for line in behind:
        line.stall()
    await trial.goes_on(2 * MORE)
    await trial.hush()
    for line in behind:
        line.cut()
        line.resume()


async def clients_have_a_bad_network(bed: Bed, trial: Trial) -> None:
    """Delay, half-close, stall and cut what is between clients and a gateway."""
    line = bed.networks[GATEWAYS[0]].clients
    line.delay_s = DELAY_S
    await trial.goes_on(MORE)
    line.half_close()
    await trial.goes_on(MORE)
    line.stall()
    await trial.goes_on(MORE)
    line.cut()
    line.resume()
    line.delay_s = 0.0


async def a_processor_sleeps_past_its_lease(bed: Bed, trial: Trial) -> None:
    """Stop one with alerts in hand, until others may have them, and let it go on."""
    pid = bed.nodes[PROCESSORS[0]].pid
    with bed.mistakes("dawdle", PROCESSORS[0]):
        await trial.goes_on(MORE)
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(2 * LEASE_S)
        finally:
            os.kill(pid, signal.SIGCONT)
        await trial.goes_on(MORE)


async def the_disk_is_full(bed: Bed, trial: Trial) -> None:
    """Have PostgreSQL refuse every new item as it does when its disk is full."""
    async with await psycopg.AsyncConnection.connect(bed.store, autocommit=True) as admin:
        await admin.execute(_FULL)
        await trial.goes_on(MORE)
        await admin.execute("DROP TRIGGER full_disk ON items")


_FULL = """
CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE disk_full USING MESSAGE = 'could not extend file "base/1/2": No space left on device';
END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION full_disk()
"""


async def silence_follows(_bed: Bed, trial: Trial) -> None:
    """Publish some, and then nothing more that could tell clients of what they missed."""
    await trial.goes_on(3 * MORE)
    await trial.hush()


async def a_rolling_restart(bed: Bed, _trial: Trial) -> None:
    """Ask a node of each role to end, one after the other, and start it again."""
    for name in ONE_OF_EACH:
        await asyncio.to_thread(bed.nodes[name].stop)
        await asyncio.to_thread(bed.nodes[name].start)
