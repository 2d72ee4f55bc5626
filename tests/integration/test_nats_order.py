"""Batches keep their order from a stream through several processes on one PostgreSQL, whatever each has in hand when it ends."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.ports.batches import batch_of, see_order
from tests.ports.conftest import clock
from tests.ports.nats_fanouts import nats
from tests.ports.nats_queues import PatientQueue, patience
from tests.ports.nats_server import NatsServer
from tests.ports.postgres_server import Lent
from tests.ports.postgres_stores import lent
from tests.ports.turned_clock import TurnedClock
from tests.ports.world import World, envelope
from tocsin.adapters.nats.line import Line, Terms
from tocsin.adapters.nats.queue import NatsQueue
from tocsin.adapters.postgres.store import PostgresStore
from tocsin.errors import UnavailableError
from tocsin.model.alert import Envelope
from tocsin.ports.limits import StoreLimits

__all__ = ["clock", "lent", "nats"]

TURN_S = 10
_numbers = count(1)


class Process(NamedTuple):
    """What one has of store and queue."""

    store: PostgresStore
    queue: NatsQueue
    line: Line


@pytest.fixture
async def processes(
    clock: TurnedClock, lent: Lent, nats: NatsServer, tmp_path: Path
) -> AsyncIterator[tuple[Process, Process]]:
    url, place = lent.take(), f"{nats.url}/order.{next(_numbers)}"
    terms = Terms(10_000, 100_000, monitors=(nats.monitor,))
    async with AsyncExitStack() as stack:
        stack.enter_context(patience())
        found = []
        for name in ("one", "two"):
            store = await PostgresStore.open(
                url, tmp_path / name, clock, StoreLimits(), may_lose=True, shared=True
            )
            stack.push_async_callback(store.close)
            line = await stack.enter_async_context(Line.opened(place, terms))
            queue = PatientQueue(line, store.queue, store.handover, clock)
            stack.push_async_callback(queue.close)
            found.append(Process(store, queue, line))
        yield found[0], found[1]
    lent.give_back(url)


async def work(process: Process, everything: int, done: list[str], dice: random.Random) -> None:
    """Do what the worker does until everything is done by somebody."""
    while len(done) < everything:
        try:
            rows = await process.queue.lease(limit=dice.randint(1, 9), lease_s=30)
        except UnavailableError:
            continue
        await asyncio.sleep(dice.choice((0, 0.005)))
        await process.store.deliver([row.envelope for row in rows])
        done += [row.envelope.id for row in rows]
        await process.queue.ack([row.receipt for row in rows])


def fail_often(process: Process, monkeypatch: pytest.MonkeyPatch, dice: random.Random) -> None:
    """Have the store take nothing over now and then."""
    honest = process.store.handover.take_over

    async def take_over(envelopes: Sequence[Envelope]) -> None:
        if dice.random() < 0.2:
            raise UnavailableError("the store is away")
        await honest(envelopes)

    monkeypatch.setattr(process.store.handover, "take_over", take_over)


@pytest.mark.parametrize("seed", range(2))
async def test_batches_arrive_in_their_order_though_the_store_is_often_away(
    processes: tuple[Process, Process],
    clock: TurnedClock,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    dice = random.Random(seed)
    batches = [batch_of(dice.randint(2, 20)) for _ in range(8)]
    for process in processes:
        fail_often(process, monkeypatch, dice)
    everything, done = sum(map(len, batches)), list[str]()
    working = [
        asyncio.ensure_future(work(process, everything, done, dice)) for process in processes
    ]
    for batch in batches:
        await dice.choice(processes).queue.publish(batch)
    await asyncio.wait_for(asyncio.gather(*working), 120)
    await see_order(World(processes[0].store, clock), batches)


async def test_what_was_in_the_hands_of_one_that_stalls_comes_first(
    processes: tuple[Process, Process], clock: TurnedClock
) -> None:
    one, two = processes
    batch = batch_of(60)
    await one.queue.lease(limit=1, lease_s=30)  # from now on it is its turn
    await one.queue.publish(batch)
    assert len(await one.line.pull.now(20)) == 20  # and it stalls with these in hand
    clock.turn(s=TURN_S)
    done: list[str] = []
    await asyncio.wait_for(work(two, len(batch), done, random.Random(1)), 60)
    assert done == [one.id for one in batch]


async def test_messages_lost_on_their_way_come_before_those_that_follow(
    processes: tuple[Process, Process],
) -> None:
    one, _ = processes
    batch = batch_of(60)
    await one.queue.lease(limit=1, lease_s=30)
    await one.queue.publish(batch)
    await one.line.pull.wait(30)
    one.line.pull._brought.clear()  # as when the connection breaks before they are read
    done: list[str] = []
    await asyncio.wait_for(work(one, len(batch), done, random.Random(1)), 60)
    assert done == [one.id for one in batch]


async def test_one_that_cannot_begin_anew_at_once_does_later(
    processes: tuple[Process, Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = processes
    batch = batch_of(5)
    await one.queue.lease(limit=1, lease_s=30)
    await one.queue.publish(batch)
    one.line.pull.is_whole = False
    with monkeypatch.context() as broken:

        async def refuse() -> str:
            raise TimeoutError

        broken.setattr(one.line.stream, "begin_anew", refuse)
        for _ in range(3):  # with the patience of the product
            assert await NatsQueue.lease(one.queue, limit=9, lease_s=30) == []
    done: list[str] = []
    await asyncio.wait_for(work(one, len(batch), done, random.Random(1)), 60)
    assert done == [alert.id for alert in batch]


async def test_others_work_on_what_one_carried_to_the_store(
    processes: tuple[Process, Process],
) -> None:
    one, two = processes
    told = [envelope("ann") for _ in range(4)]
    await one.queue.publish(told)
    held = await one.queue.lease(limit=1, lease_s=30)
    others = await two.queue.lease(limit=9, lease_s=30)
    assert [row.envelope for row in (*held, *others)] == told


async def test_what_comes_while_one_works_is_carried_on_for_others(
    processes: tuple[Process, Process],
) -> None:
    one, two = processes
    first, second = envelope("ann"), envelope("ann")
    await one.queue.publish([first])
    assert [row.envelope for row in await one.queue.lease(limit=9, lease_s=30)] == [first]
    await one.queue.publish([second])
    while not (rows := await two.queue.lease(limit=9, lease_s=30)):
        await two.queue.wait_ready(1)
    assert [row.envelope for row in rows] == [second]
