"""What processes hold of one PostgreSQL: one has it at a time, and whoever dies or loses its session leaves it to the others."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.acceptance.deadlines import until_async
from tests.integration.test_postgres_processes import opened
from tests.ports.devices import device
from tests.ports.postgres_server import FAST, PostgresServer, running_postgres
from tests.ports.test_webhooks import dead, receipts, webhook
from tests.ports.turned_clock import TurnedClock
from tests.ports.world import World, envelope
from tocsin.adapters.postgres import store as postgres_store
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.sparing import Sparing
from tocsin.clock import US_PER_S, SystemClock
from tocsin.model.push import PutBack
from tocsin.model.webhook import Progress
from tocsin.ports.erasure import ErasureRequest

LEASE_S = 30.0
LEASE_US = 30 * US_PER_S
LONG_US = 3_600 * US_PER_S
DROP_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tocsin'"
)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_postgres(**FAST) as made:
        yield made


@pytest.fixture
def url(server: PostgresServer) -> str:
    return server.create()


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
async def worlds(
    url: str, tmp_path: Path, clock: TurnedClock
) -> AsyncIterator[tuple[World, World]]:
    """Open the database twice, as two processes do."""
    async with AsyncExitStack() as stack:
        found = []
        for name in ("one", "two"):
            store = await opened(url, tmp_path / name, clock)
            stack.push_async_callback(store.close)
            found.append(World(store, clock))
        yield found[0], found[1]


async def claim(world: World, webhook_id: str = "w1") -> bool:
    now_us = world.clock.now_us()
    return await world.store.webhooks.claim_webhook(webhook_id, now_us, now_us + LEASE_US)


async def note(world: World, cursor: int) -> bool:
    until_us = world.clock.now_us() + LEASE_US
    return await world.store.webhooks.note_progress("w1", Progress(cursor=cursor), until_us)


async def due(world: World) -> list[str]:
    found = await world.store.webhooks.due_webhooks(world.clock.now_us(), 9)
    return [one.id for one in found]


async def test_a_webhook_is_told_by_one_process_until_that_lets_go_of_it(
    worlds: tuple[World, World],
) -> None:
    one, two = worlds
    await one.store.webhooks.add_webhook(webhook())
    await receipts(one, "d1")
    assert sorted(await asyncio.gather(claim(one), claim(two))) == [False, True]
    holder, other = (one, two) if await note(one, 0) else (two, one)
    assert (await due(holder), await due(other)) == (["w1"], [])
    assert not await note(other, 9)
    await other.store.webhooks.release_webhook("w1")
    assert not await claim(other)
    await holder.store.webhooks.release_webhook("w1")
    assert await claim(other)


async def test_who_is_silent_for_too_long_loses_its_webhook_and_has_no_say_any_more(
    worlds: tuple[World, World], clock: TurnedClock
) -> None:
    one, two = worlds
    await one.store.webhooks.add_webhook(webhook())
    await receipts(one, "d1")
    assert await claim(one)
    clock.turn(s=LEASE_S - 1)
    assert await note(one, 0)  # which holds it for as long again
    clock.turn(s=LEASE_S - 1)
    assert not await claim(two)
    clock.turn(s=1)
    assert await due(two) == ["w1"]
    assert await claim(two)
    assert not await note(one, 9)
    assert not await one.store.webhooks.bury_batch(dead(), Progress(cursor=9), LONG_US)
    assert await note(two, 1)
    found = await one.store.webhooks.webhook("h", "w1")
    assert found is not None
    assert found.progress.cursor == 1


@asynccontextmanager
async def another(url: str, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a process that holds what is due, and kill it."""
    command = (sys.executable, "-m", "tests.integration.postgres_holder")
    other = await asyncio.create_subprocess_exec(
        *command, url, str(folder), "9", stdout=subprocess.PIPE
    )
    try:
        assert other.stdout is not None
        assert await other.stdout.readline()
        yield other
    finally:
        other.kill()
        await other.wait()


async def test_what_a_killed_dispatcher_held_goes_to_another_long_before_its_time_is_over(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_store, "END_S", 0.0)
    store = await opened(url, tmp_path / "one", SystemClock())
    try:
        world = World(store, TurnedClock())
        await store.webhooks.add_webhook(webhook())
        await store.devices.put_device(device(), 20)
        await receipts(world, "d1")
        async with another(url, tmp_path / "two"):
            now_us = SystemClock().now_us()
            assert not await store.webhooks.claim_webhook("w1", now_us, now_us + LONG_US)
            assert not await store.pushes.lease_pushes(now_us, now_us + LONG_US, 9)

        async def is_taken_over() -> bool:
            now_us = SystemClock().now_us()
            return await store.webhooks.claim_webhook("w1", now_us, now_us + LONG_US)

        async def is_due() -> bool:
            return (await store.pushes.next_push_us() or LONG_US) <= SystemClock().now_us()

        await until_async(is_taken_over, "its webhook is free")
        await until_async(is_due, "its push is due")
    finally:
        await store.close()


async def test_held_pushes_to_one_device_are_seen_in_the_hands_of_another(
    worlds: tuple[World, World], clock: TurnedClock
) -> None:
    one, two = worlds
    for device_id in ("a", "b"):
        await one.store.devices.put_device(device("ann", device_id), 20)
    for _ in range(2):
        await one.alert("ann")
    until_us = clock.now_us() + LEASE_US
    jobs = await one.store.pushes.lease_pushes(clock.now_us(), until_us, 9)
    held = [PutBack(job.number, clock.now_us(), held=True) for job in jobs]
    await one.store.pushes.put_back_pushes(held)
    [mine] = await one.store.pushes.lease_pushes(clock.now_us(), until_us, 1)
    assert not await one.store.pushes.held_elsewhere(mine.number)
    others = await two.store.pushes.lease_pushes(clock.now_us(), until_us, 9)
    beside = [job for job in others if job.device.id == mine.device.id]
    assert len(others) == 3
    assert len(beside) == 1
    for world, job in ((one, mine), (two, beside[0])):
        assert await world.store.pushes.held_elsewhere(job.number)
    back = [PutBack(mine.number, until_us, held=True)]
    await one.store.pushes.put_back_pushes(back)
    assert not await two.store.pushes.held_elsewhere(beside[0].number)


async def test_who_lost_its_session_has_what_it_held_at_once_and_nobody_is_blamed(
    server: PostgresServer, worlds: tuple[World, World]
) -> None:
    one, _ = worlds
    await one.store.queue.publish([envelope("ann"), envelope("bob")])
    held = await one.store.queue.lease(limit=9, lease_s=LEASE_S)
    assert not await one.store.queue.lease(limit=9, lease_s=LEASE_S)
    server.ask(DROP_SESSIONS)
    again = await one.store.queue.lease(limit=9, lease_s=LEASE_S)
    assert [(row.envelope, row.attempt, row.crashes) for row in again] == [
        (row.envelope, 2, 0) for row in held
    ]


async def test_what_is_worked_on_while_its_session_is_lost_arrives_once(
    server: PostgresServer, worlds: tuple[World, World]
) -> None:
    one, two = worlds
    await one.store.queue.publish([envelope("ann"), envelope("bob")])
    held = await one.store.queue.lease(limit=9, lease_s=LEASE_S)
    server.ask(DROP_SESSIONS)
    await one.store.check_writable()  # the new session
    taken = await two.store.queue.lease(limit=9, lease_s=LEASE_S)
    assert [row.envelope for row in taken] == [row.envelope for row in held]
    for world, batch in ((one, held), (two, taken)):
        await world.store.deliver([row.envelope for row in batch])
        await world.store.queue.ack([row.receipt for row in batch])
    assert len(await one.listed("ann")) == len(await one.listed("bob")) == 1
    assert (await two.store.queue.depth()).waiting == 0


async def erase(world: World, number: int = 1, *, finish: bool = True) -> None:
    request = ErasureRequest(f"erasure {number}", "h", "ann", "pseudonym", "local")
    begun = await world.store.erasures.begin_erasure(request)
    if finish:
        await world.store.erasures.finish_erasure(begun.id)


@pytest.mark.parametrize("finish", [False, True])
@pytest.mark.parametrize("known", [False, True])
async def test_what_one_process_holds_reaches_nobody_whom_another_one_erased_meanwhile(
    worlds: tuple[World, World], clock: TurnedClock, *, finish: bool, known: bool
) -> None:
    one, two = worlds
    if known:
        await one.alert("ann")
    now_us = clock.now_us()
    told = [envelope(*users, accepted_us=now_us) for users in (("ann",), ("ann", "bob"), ("bob",))]
    await one.store.queue.publish(told)
    leased = await two.store.queue.lease(limit=9, lease_s=LEASE_S)
    held = [row.envelope for row in leased]
    assert held == told
    await erase(one, finish=finish)
    for batch in (held[:1], held[1:]):
        await two.store.deliver(batch)
    await two.store.queue.ack([row.receipt for row in leased])
    assert await one.store.positions("h", ["ann"]) == {}
    assert await one.listed("bob") == [told[2].id, told[1].id]
    assert (await one.store.queue.depth()).waiting == 0
    clock.turn(s=1)
    later = envelope("ann", accepted_us=clock.now_us())
    await one.store.queue.publish([later])
    for row in await two.store.queue.lease(limit=9, lease_s=LEASE_S):
        await two.store.deliver([row.envelope])
    assert await one.listed("ann") == [later.id]


async def test_who_erases_somebody_waits_for_a_delivery_that_makes_an_inbox_of_that_name(
    server: PostgresServer,
    worlds: tuple[World, World],
    clock: TurnedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, two = worlds
    await one.alert("bob")  # so that nobody has to make the hub
    told = envelope("ann", accepted_us=clock.now_us())
    await one.store.queue.publish([told])
    await two.store.queue.lease(limit=9, lease_s=LEASE_S)
    look, looked, go_on = Sparing.check, threading.Event(), threading.Event()

    def look_and_wait(sparing: Sparing, connection: Connection) -> None:
        look(sparing, connection)
        looked.set()
        assert go_on.wait(LEASE_S)

    monkeypatch.setattr(Sparing, "check", look_and_wait)
    delivering = asyncio.ensure_future(two.store.deliver([told]))
    assert await asyncio.to_thread(looked.wait, LEASE_S)
    erasing = asyncio.ensure_future(erase(one))

    async def waits_or_went_on() -> bool:
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        return erasing.done() or (await asyncio.to_thread(server.ask, waiting)) != [(0,)]

    await until_async(waits_or_went_on, "the erasure meets the delivery")
    go_on.set()
    await asyncio.gather(delivering, erasing)
    assert await one.store.positions("h", ["ann"]) == {}


async def test_an_erasure_and_a_delivery_of_another_process_at_once_leave_nothing(
    worlds: tuple[World, World], clock: TurnedClock
) -> None:
    one, two = worlds
    for number in range(20):
        told = envelope("ann", "bob", accepted_us=clock.now_us())
        await one.store.queue.publish([told])
        held = await two.store.queue.lease(limit=9, lease_s=LEASE_S)
        deliver = two.store.deliver([row.envelope for row in held])
        await asyncio.gather(*(deliver, erase(one, number))[:: 1 if number % 2 else -1])
        await two.store.queue.ack([row.receipt for row in held])
        assert await one.store.positions("h", ["ann"]) == {}
    assert len(await one.listed("bob")) == 20
