"""The queue on three NATS servers: what is accepted is on most of them, and survives the loss of any one."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.deadlines import until_async
from tests.ports.nats_cluster import NatsCluster, nats_cluster, patient_line
from tests.ports.test_queue import leased
from tests.ports.turned_clock import TurnedClock
from tests.ports.world import World, envelope
from tocsin.adapters.nats.queue import NatsQueue
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.errors import UnavailableError
from tocsin.model.alert import Envelope
from tocsin.ports.limits import StoreLimits

END_S = 30.0
LONG_S = 90.0


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[NatsCluster]:
    with nats_cluster(tmp_path) as made:
        yield made


async def accept(queue: NatsQueue, *told: Envelope) -> None:
    """Publish until everything is accepted: what is not known to be is repeated, as producers do."""
    missing = {one.id: one for one in told}

    async def is_accepted() -> bool:
        try:
            answers = await queue.publish(list(missing.values()))
        except UnavailableError:
            return False
        for answer in answers:
            if answer.outcome == "accepted":
                del missing[answer.id]
        return not missing

    await until_async(is_accepted, "everything is accepted", LONG_S)


@pytest.mark.timeout(300)
async def test_what_is_accepted_survives_the_loss_of_the_leader(cluster: NatsCluster) -> None:
    clock = TurnedClock()
    store = await SqliteStore.open(cluster.folder, clock, StoreLimits(low_water_bytes=0))

    own = store.queue
    try:
        await until_async(cluster.is_formed, "the cluster is formed", LONG_S)
        async with patient_line(cluster.url, cluster.terms) as line:
            queue = NatsQueue(line, own, store.handover, clock)
            vars(store)["queue"] = queue
            first, more = [envelope("ann") for _ in range(300)], envelope("ann")
            await accept(queue, *first)
            cluster.kill_one(await cluster.leader())
            await accept(queue, more)
            found: list[str] = []

            async def is_complete() -> bool:
                rows = await leased(World(store, clock))
                found.extend(row.envelope.id for row in rows)
                await queue.ack([row.receipt for row in rows])
                return {one.id for one in (*first, more)} <= set(found)

            await until_async(is_complete, "everything accepted is there", LONG_S)
            await queue.close()
            assert len(found) == len(set(found)) == 301
    finally:
        vars(store)["queue"] = own
        await asyncio.wait_for(store.close(), END_S)
