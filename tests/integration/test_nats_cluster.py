"""The queue on three NATS servers: what is accepted is on most of them, and survives the loss of any one."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.deadlines import until_async
from tests.ports.nats_cluster import NatsCluster, nats_cluster
from tests.ports.test_queue import leased
from tests.ports.turned_clock import TurnedClock
from tests.ports.world import World, envelope
from tocsin.adapters.nats.line import Line
from tocsin.adapters.nats.queue import NatsQueue
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.errors import UnavailableError
from tocsin.ports.limits import StoreLimits

END_S = 30.0


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[NatsCluster]:
    with nats_cluster(tmp_path) as made:
        yield made


async def test_what_is_accepted_survives_the_loss_of_the_leader(cluster: NatsCluster) -> None:
    clock = TurnedClock()
    store = await SqliteStore.open(cluster.folder, clock, StoreLimits(low_water_bytes=0))

    own = store.queue
    try:
        await until_async(cluster.is_formed, "the cluster is formed", 90)
        async with Line.opened(cluster.url, cluster.terms) as line:
            queue = NatsQueue(line, own, store.handover, clock)
            vars(store)["queue"] = queue
            first = [envelope("ann") for _ in range(300)]
            assert {one.outcome for one in await queue.publish(first)} == {"accepted"}
            cluster.kill_one(await cluster.leader())
            accepted = {one.id for one in first}
            more = envelope("ann")

            async def is_taken() -> bool:
                try:
                    (answer,) = await queue.publish([more])
                except UnavailableError:
                    return False
                return answer.outcome == "accepted"

            await until_async(is_taken, "the others go on", 90)
            found: list[str] = []

            async def is_complete() -> bool:
                rows = await leased(World(store, clock))
                found.extend(row.envelope.id for row in rows)
                await queue.ack([row.receipt for row in rows])
                return accepted | {more.id} <= set(found)

            await until_async(is_complete, "everything accepted is there", 90)
            assert len(found) == len(set(found)) == 301
    finally:
        vars(store)["queue"] = own
        await asyncio.wait_for(store.close(), END_S)
