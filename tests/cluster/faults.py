"""What can befall a cluster.  Each is over when everything runs again; what publishes goes on meanwhile, unless it says otherwise."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import psycopg
from nats.aio.client import DEFAULT_MAX_RECONNECT_ATTEMPTS, DEFAULT_RECONNECT_TIME_WAIT

from tests.acceptance.deadlines import until_async
from tests.cluster.bed import API, DISPATCHER, GATEWAYS, PROCESSORS, Bed
from tests.cluster.mistakes import IN_HAND, SENT
from tests.cluster.trial import Trial
from tests.ports.nats_cluster import NatsCluster

MORE = 10
ONE_OF_EACH = (API[0], GATEWAYS[0], PROCESSORS[0], DISPATCHER)
# Far longer than a client waits that gives up soon, and shorter than a test.
NATS_AWAY_S = 1.5
# After two minutes.
NATS_LONG_AWAY_S = 1.1 * DEFAULT_MAX_RECONNECT_ATTEMPTS * DEFAULT_RECONNECT_TIME_WAIT
DELAY_S = 0.05
MET_WITHIN_S = 120.0
FULL = "No space left on device"
# Alerts that were not delivered, or not taken over: while others were worked on, and otherwise.
SIGNS = ("process.store_unavailable", "queue.not_carried", "in take_over")


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
    """Kill one that has answered for alerts which it still has in hand, and bring it back."""
    await bed.freeze_with_alerts_in_hand(API[0])
    await asyncio.to_thread(bed.nodes[API[0]].restart)


async def a_processor_is_killed(bed: Bed, _trial: Trial) -> None:
    """Kill one that dawdles with alerts in hand, and bring it back."""
    await bed.freeze_with_alerts_in_hand(PROCESSORS[0])
    await asyncio.to_thread(bed.nodes[PROCESSORS[0]].restart)


async def the_dispatcher_is_killed(bed: Bed, _trial: Trial) -> None:
    """Kill it with pushes in hand that are not sent yet, and then with some whose end is not noted yet; bring it back."""
    with bed.mistakes("dawdle", DISPATCHER):
        for sign in (IN_HAND, SENT):
            await bed.freeze_with_alerts_in_hand(DISPATCHER, sign)
            await asyncio.to_thread(bed.nodes[DISPATCHER].restart)


async def a_gateway_is_killed(bed: Bed, trial: Trial) -> None:
    """Kill one; its clients look for another one, which they do not reach before they have missed something."""
    await _without_a_gateway(bed, trial, bed.nodes[GATEWAYS[0]].kill)


async def a_gateway_is_restarted(bed: Bed, trial: Trial) -> None:
    """Ask one to end, so that its clients look likewise, and start it again."""
    await _without_a_gateway(bed, trial, bed.nodes[GATEWAYS[0]].stop)


async def _without_a_gateway(bed: Bed, trial: Trial, end: Callable[[], None]) -> None:
    other = bed.networks[GATEWAYS[1]].clients
    other.stall()
    await asyncio.to_thread(end)
    await _more_is_delivered(bed, trial)
    other.resume()
    await trial.goes_on(MORE)
    await asyncio.to_thread(bed.nodes[GATEWAYS[0]].start)


async def postgres_stops(bed: Bed, trial: Trial) -> None:
    """Stop the database; publishing goes on, and processors want to deliver."""

    async def is_met() -> bool:
        return _set_back(bed) > before

    before = _set_back(bed)
    await asyncio.to_thread(bed.postgres.stop)
    await trial.goes_on(MORE)
    await until_async(is_met, "there is no database for alerts", MET_WITHIN_S)
    await asyncio.to_thread(bed.postgres.start)


async def nats_stops(bed: Bed, _trial: Trial) -> None:
    """Kill NATS for a while, in which nothing can be published."""
    await _without_nats(bed, NATS_AWAY_S)


async def nats_stops_until_api_nodes_give_up(bed: Bed, _trial: Trial) -> None:
    """Kill NATS until nodes that give up soon have done so."""
    bed.nats.kill()
    await bed.gave_up(*API)
    await asyncio.to_thread(bed.nats.start)


async def nats_stops_for_long(bed: Bed, _trial: Trial) -> None:
    """Kill NATS for longer than its client tries to come back unless it is told otherwise; for the soak."""
    await _without_nats(bed, NATS_LONG_AWAY_S)


async def _without_nats(bed: Bed, seconds: float) -> None:
    bed.nats.kill()
    await asyncio.sleep(seconds)
    await asyncio.to_thread(bed.nats.start)


async def the_leader_is_killed(bed: Bed, trial: Trial) -> None:
    """Kill the NATS server that leads the queue, and bring it back; for a bed on three of them."""
    nats = bed.nats
    assert isinstance(nats, NatsCluster), "there is nobody to lead"
    leader = await nats.leader()
    await asyncio.to_thread(nats.kill_one, leader)
    await trial.goes_on(MORE)
    await asyncio.to_thread(nats.start_one, leader)


async def a_gateway_is_cut_off(bed: Bed, trial: Trial) -> None:
    """Let nothing through between a gateway and its servers, until nobody publishes any more and all is delivered."""
    network = bed.networks[GATEWAYS[0]]
    behind = (network.nats, network.postgres)
    for line in behind:
        line.stall()
    await trial.goes_on(2 * MORE)
    await trial.hush()
    await _everything_is_delivered(bed)
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
    await _more_is_delivered(bed, trial)
    line.cut()
    line.resume()
    line.delay_s = 0.0


async def _more_is_delivered(bed: Bed, trial: Trial) -> None:
    """Wait until everybody got something more; then whoever was away has missed it."""
    async with await psycopg.AsyncConnection.connect(bed.store, autocommit=True) as admin:
        before = await _revisions(admin, trial)

        async def is_so() -> bool:
            now = await _revisions(admin, trial)
            return all(now.get(user, 0) > before.get(user, 0) for user in trial.drilled.people)

        await until_async(is_so, "everybody gets something", MET_WITHIN_S)


async def _revisions(
    admin: psycopg.AsyncConnection[tuple[str, int]], trial: Trial
) -> dict[str, int]:
    """Return how far the inbox of each person of a trial is."""
    query = 'SELECT "user", rev FROM heads WHERE "user" = ANY(%s)'
    found = await admin.execute(query, (list(trial.drilled.people),))
    return dict(await found.fetchall())


async def _everything_is_delivered(bed: Bed) -> None:
    """Wait until nothing is on the queue any more."""

    async def is_so() -> bool:
        page = await asyncio.to_thread(bed.nodes[API[0]].request, "GET", "/metrics")
        return "tocsin_queue_alerts 0.0" in page.text

    await until_async(is_so, "everything is delivered", MET_WITHIN_S)


async def a_processor_sleeps_past_its_lease(bed: Bed, trial: Trial) -> None:
    """Stop one with alerts in hand, until others may have them, and let it go on."""
    with bed.mistakes("dawdle", *PROCESSORS):
        await bed.freeze_with_alerts_in_hand(PROCESSORS[0])
        try:
            await _what_is_leased_is_leased_anew(bed)
        finally:
            os.kill(bed.nodes[PROCESSORS[0]].pid, signal.SIGCONT)
        await trial.goes_on(MORE)


async def _what_is_leased_is_leased_anew(bed: Bed) -> None:
    """Wait until whatever is leased now is leased once more, or delivered."""
    async with await psycopg.AsyncConnection.connect(bed.store, autocommit=True) as admin:
        found = await admin.execute("SELECT seq, attempts FROM queue WHERE attempts > 0")
        before = set(await found.fetchall())

        async def is_so() -> bool:
            now = await admin.execute("SELECT seq, attempts FROM queue WHERE attempts > 0")
            return not before & set(await now.fetchall())

        await until_async(is_so, "others have what was leased")


async def the_disk_is_full(bed: Bed, trial: Trial) -> None:
    """Leave no room for the tables, until that befalls alerts; where there is no disk to be filled, PostgreSQL only says so."""

    async def is_met() -> bool:
        return _set_back(bed, FULL) > before

    before = _set_back(bed, FULL)
    async with _full(bed):
        await trial.goes_on(MORE)
        await until_async(is_met, "there is no room for alerts", MET_WITHIN_S)


def _set_back(bed: Bed, why: str = "") -> int:
    """Count how often processors could not bring alerts in hand into the store or to inboxes, for a reason."""
    lines = "".join(bed.nodes[name].log() for name in PROCESSORS).splitlines()
    return sum(why in line and any(sign in line for sign in SIGNS) for line in lines)


@asynccontextmanager
async def _full(bed: Bed) -> AsyncIterator[None]:
    if bed.disk is not None:
        with bed.disk.filled():
            yield
        return
    async with await psycopg.AsyncConnection.connect(bed.store, autocommit=True) as admin:
        await admin.execute(_FULL)
        yield
        await admin.execute("DROP TRIGGER full_disk ON items")


_FULL = """
CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE disk_full USING MESSAGE = 'could not extend file "base/1/2": No space left on device';
END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION full_disk()
"""


async def silence_follows(bed: Bed, trial: Trial) -> None:
    """Publish some to everybody, and then nothing more that could tell clients of what they missed."""
    await _more_is_delivered(bed, trial)
    await trial.hush()


async def a_rolling_restart(bed: Bed, _trial: Trial) -> None:
    """Ask a node of each role to end, one after the other, and start it again."""
    for name in ONE_OF_EACH:
        await _restarted(bed, name)


async def a_processor_is_restarted(bed: Bed, _trial: Trial) -> None:
    """Ask one to end, and start it again."""
    await _restarted(bed, PROCESSORS[0])


async def an_api_node_is_restarted(bed: Bed, _trial: Trial) -> None:
    """Ask one to end that has answered for alerts which it still has in hand, and start it again."""
    await _restarted_with_alerts_in_hand(bed, API[0])


async def the_dispatcher_is_restarted(bed: Bed, _trial: Trial) -> None:
    """Ask it to end with pushes in hand, and start it again."""
    with bed.mistakes("dawdle", DISPATCHER):
        await _restarted_with_alerts_in_hand(bed, DISPATCHER)


async def _restarted_with_alerts_in_hand(bed: Bed, name: str) -> None:
    node = bed.nodes[name]
    await bed.freeze_with_alerts_in_hand(name)
    node.ask_to_stop()
    os.kill(node.pid, signal.SIGCONT)
    await asyncio.to_thread(node.wait_stopped)
    await asyncio.to_thread(node.start)


async def _restarted(bed: Bed, name: str) -> None:
    await asyncio.to_thread(bed.nodes[name].stop)
    await asyncio.to_thread(bed.nodes[name].start)
