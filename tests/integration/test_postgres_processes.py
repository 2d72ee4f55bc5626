"""Several processes on one PostgreSQL: nothing is lost, doubled or out of order, and who ends leaves nothing behind."""

import asyncio
import random
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.acceptance.deadlines import until_async
from tests.ports.batches import batch_of, see_order
from tests.ports.postgres_server import FAST, PostgresServer, running_postgres
from tests.ports.turned_clock import TurnedClock
from tests.ports.world import World, envelope
from tocsin.adapters.postgres import connection, migrate
from tocsin.adapters.postgres import store as postgres_store
from tocsin.adapters.postgres.store import PostgresStore
from tocsin.clock import SystemClock
from tocsin.errors import ConfigError
from tocsin.model.alert import Audience
from tocsin.model.commands import Done
from tocsin.model.inbox import ChangeSet
from tocsin.model.position import Position
from tocsin.ports.limits import StoreLimits
from tocsin.ports.store import Delivered

USERS = ("ann", "bob", "cid", "dan", "eve")
ROUNDS = 12
LEASE_S = 30.0


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_postgres(**FAST, deadlock_timeout="100ms") as made:
        yield made


@pytest.fixture
def url(server: PostgresServer) -> str:
    return server.create()


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


async def opened(url: str, folder: Path, clock: TurnedClock | SystemClock) -> PostgresStore:
    limits = StoreLimits(expand_users=2)
    return await PostgresStore.open(url, folder, clock, limits, may_lose=True, shared=True)


@pytest.fixture
async def stores(
    url: str, tmp_path: Path, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[PostgresStore, PostgresStore]]:
    """Open the database twice, as two processes do; each looks for what the other left at every lease."""
    monkeypatch.setattr(postgres_store, "END_S", 0.0)
    async with AsyncExitStack() as stack:
        found = []
        for name in ("one", "two"):
            store = await opened(url, tmp_path / name, clock)
            stack.push_async_callback(store.close)
            found.append(store)
        yield found[0], found[1]


class Seen:
    """What was announced: the change sets of each user, and the numbers of the broadcast stream."""

    def __init__(self) -> None:
        self.changes: defaultdict[str, list[ChangeSet]] = defaultdict(list)
        self.brevs: list[int] = []

    def delivered(self, by_hub: Mapping[str, Delivered]) -> None:
        for result in by_hub.values():
            for change in result.changes:
                self.changes[change.user].append(change)
            self.brevs += [entry.brev for entry in result.broadcasts]

    def done(self, outcome: object) -> None:
        if isinstance(outcome, Done):
            for change in outcome.changes:
                self.changes[change.user].append(change)


async def publish(store: PostgresStore, dice: random.Random, told: list[tuple[str, ...]]) -> None:
    for _ in range(ROUNDS):
        some = []
        for _ in range(dice.randint(1, 4)):
            users = tuple(dice.sample(USERS, dice.randint(0, len(USERS))))
            topics = ("news",) if users and dice.random() < 0.2 else ()
            audience = Audience(users, topics, all=not users)
            some.append(envelope(*users, audience=audience))
            told.append(tuple(USERS) if topics else users)
        assert {row.outcome for row in await store.queue.publish(some)} == {"accepted"}
        await asyncio.sleep(0)


async def work(store: PostgresStore, seen: Seen, ended: asyncio.Event) -> None:
    """Do what the worker does, until nothing is published any more and nothing is due."""
    queue = store.queue
    while True:
        last = ended.is_set()
        batch = await queue.lease(limit=7, lease_s=LEASE_S)
        if batch:
            delivered = await store.deliver([row.envelope for row in batch])
            seen.delivered(delivered)
            unfinished = {id_ for result in delivered.values() for id_ in result.unfinished}
            await queue.ack([r.receipt for r in batch if r.envelope.id not in unfinished])
            for row in batch:
                if row.envelope.id in unfinished:
                    await queue.put_back(row.receipt)
        elif last:
            return
        else:
            await asyncio.sleep(0.005)


async def act(world: World, dice: random.Random, seen: Seen, ended: asyncio.Event) -> None:
    while not ended.is_set():
        user = dice.choice(USERS)
        page = await world.page(user)
        if page.items and dice.random() < 0.5:
            item = dice.choice(page.items)
            how: dict[str, Any] = dice.choice(
                ({"read": True}, {"archived": True}, {"deleted": True})
            )
            await asyncio.sleep(0)
            patched = await world.patch(item.id, user=user, **how)
            seen.done(patched)
        else:
            at = page.items[0].sort if page.items else 0
            seen.done(await world.mark("read", sort=at, brev=page.position.brev, user=user))


async def read(world: World, ended: asyncio.Event) -> None:
    """Read on and on: an answer is never behind the one before, and agrees with itself."""
    last = dict.fromkeys(USERS, (0, 0))
    while not ended.is_set():
        for user in USERS:
            await world.counts(user)
            at = await world.at(user)
            assert (at.rev, at.brev) >= last[user]
            assert at.brev >= last[user][1]
            last[user] = at.rev, at.brev


@pytest.mark.parametrize("seed", range(3))
async def test_two_processes_that_do_everything_at_once_keep_every_inbox_whole(
    stores: tuple[PostgresStore, PostgresStore], clock: TurnedClock, seed: int
) -> None:
    dice, seen, told = random.Random(seed), Seen(), list[tuple[str, ...]]()
    worlds = [World(store, clock) for store in stores]
    await stores[0].topics.subscribe("h", "news", USERS)
    published, ended = asyncio.Event(), asyncio.Event()
    async with asyncio.timeout(240), asyncio.TaskGroup() as group:
        publishers = [
            group.create_task(publish(store, random.Random(dice.random()), told))
            for store in stores * 2
        ]
        workers = [group.create_task(work(store, seen, published)) for store in stores]
        for world in worlds:
            group.create_task(act(world, random.Random(dice.random()), seen, ended))
            group.create_task(read(world, ended))
        await asyncio.wait(publishers)
        published.set()
        await asyncio.wait(workers)
        ended.set()
    await check(worlds, seen, told)


async def test_two_processes_that_deliver_to_the_same_people_never_wait_in_a_circle(
    server: PostgresServer, stores: tuple[PostgresStore, PostgresStore]
) -> None:
    people = [f"user-{number}" for number in range(1_000)]

    async def deliver(store: PostgresStore) -> None:
        for _ in range(15):
            await store.deliver([envelope(*people)])

    before = server.log().count("deadlock detected")
    async with asyncio.timeout(240), asyncio.TaskGroup() as group:
        for store in stores:
            group.create_task(deliver(store))
    assert server.log().count("deadlock detected") == before


async def check(worlds: Sequence[World], seen: Seen, told: Sequence[tuple[str, ...]]) -> None:
    wanted = Counter(user for users in told for user in users)
    for user in USERS:
        assert await worlds[0].counts(user) == await worlds[1].counts(user)
        at = await worlds[0].at(user)
        revs = [change.rev for change in seen.changes[user]]
        assert sorted(revs) == list(range(1, at.rev + 1)), user  # no hole, and none twice
        first = Position(at.epoch, 0, at.brev)
        kept = await worlds[0].since(first, user)
        assert len(kept.items) + len(kept.removed) == wanted[user]
    broadcasts = sum(1 for users in told if not users)
    assert sorted(seen.brevs) == list(range(1, broadcasts + 1))
    assert (await worlds[0].store.queue.depth()).waiting == 0


async def test_what_one_process_leased_the_other_gets_when_the_lease_ends(
    stores: tuple[PostgresStore, PostgresStore], clock: TurnedClock
) -> None:
    one, two = stores
    await one.queue.publish([envelope("ann") for _ in range(4)])
    held = await one.queue.lease(limit=2, lease_s=LEASE_S)
    others = await two.queue.lease(limit=9, lease_s=LEASE_S)
    assert len(held) == len(others) == 2
    assert {row.receipt for row in held}.isdisjoint(row.receipt for row in others)
    assert not await one.queue.lease(limit=9, lease_s=LEASE_S)
    await two.queue.ack([row.receipt for row in others])
    clock.turn(s=LEASE_S)
    again = await two.queue.lease(limit=9, lease_s=LEASE_S)
    assert [(row.envelope, row.attempt, row.crashes) for row in again] == [
        (row.envelope, 2, 0) for row in held
    ]


async def test_who_lost_a_lease_cannot_put_off_or_bury_what_another_one_has(
    stores: tuple[PostgresStore, PostgresStore], clock: TurnedClock
) -> None:
    one, two = stores
    await one.queue.publish([envelope("ann")])
    (held,) = await one.queue.lease(limit=1, lease_s=LEASE_S)
    clock.turn(s=LEASE_S)
    (taken,) = await two.queue.lease(limit=1, lease_s=LEASE_S)
    await one.queue.retry_later(held.receipt, delay_s=0, reason="late")
    await one.queue.put_back(held.receipt)
    await one.queue.bury(held.receipt, reason="late")
    assert not await one.queue.lease(limit=1, lease_s=LEASE_S)
    assert not await one.queue.dead_letters(limit=1)
    await two.queue.bury(taken.receipt, reason="poison")
    assert len(await one.queue.dead_letters(limit=2)) == 1


async def take_apart(store: PostgresStore, dice: random.Random) -> None:
    """Do what the worker does, a few at a time, with a store that is away now and then, until nothing is left."""
    queue = store.queue
    while (await queue.depth()).waiting:
        rows = await queue.lease(limit=dice.randint(1, 9), lease_s=LEASE_S)
        if dice.random() < 0.1:
            await queue.put_off([row.receipt for row in rows], delay_s=0.0, reason="away")
            continue
        await asyncio.sleep(dice.choice((0.0, 0.0, 0.005)))
        await store.deliver([row.envelope for row in rows])
        await queue.ack([row.receipt for row in rows])


@pytest.mark.parametrize("seed", range(3))
async def test_a_batch_arrives_in_its_order_however_many_take_it_apart(
    stores: tuple[PostgresStore, PostgresStore], clock: TurnedClock, seed: int
) -> None:
    dice = random.Random(seed)
    batches = [batch_of(dice.randint(2, 12)) for _ in range(8)]
    for batch in batches:
        await dice.choice(stores).queue.publish(batch)
    await asyncio.gather(*(take_apart(store, dice) for store in stores * 2))
    await see_order(World(stores[0], clock), batches)


async def test_both_deliver_what_both_hold_and_it_arrives_once(
    stores: tuple[PostgresStore, PostgresStore], clock: TurnedClock
) -> None:
    one, two = stores
    told = [envelope(*USERS) for _ in range(5)]
    to_topic = envelope("ann", audience=Audience((), ("news",)))
    await one.topics.subscribe("h", "news", USERS)
    for batch in (told, *[[to_topic]] * len(USERS)):
        await asyncio.gather(*(store.deliver(batch) for store in stores * 4))
    for user in USERS:
        assert len(await World(one, clock).listed(user)) == len(told) + 1
    status = await two.alert("h", to_topic.id)
    assert status is not None
    assert status.recipients == len(USERS)


async def test_the_same_producers_id_is_accepted_by_one_of_two(
    stores: tuple[PostgresStore, PostgresStore],
) -> None:
    for number in range(10):
        ids: dict[str, Any] = {"producer_id": f"order {number}", "fingerprint": b"same"}
        answers = await asyncio.gather(
            *(store.queue.publish([envelope("ann", **ids)]) for store in stores)
        )
        assert sorted(row.outcome for (row,) in answers) == ["accepted", "duplicate"]
        assert len({row.id for (row,) in answers}) == 1


async def test_what_is_due_joins_the_queue_once(
    stores: tuple[PostgresStore, PostgresStore], clock: TurnedClock
) -> None:
    later = clock.us + 1_000_000
    told = [envelope("ann", deliver_us=later) for _ in range(40)]
    await stores[0].queue.publish(told)
    clock.turn(s=2)
    batches = await asyncio.gather(
        *(store.queue.lease(limit=10, lease_s=LEASE_S) for store in stores * 4)
    )
    found = [row.envelope.id for batch in batches for row in batch]
    assert sorted(found) == sorted(row.id for row in told)


async def test_a_process_that_ends_in_good_order_gives_back_only_its_own(
    url: str, tmp_path: Path, clock: TurnedClock
) -> None:
    one, two = [await opened(url, tmp_path / name, clock) for name in ("one", "two")]
    try:
        await one.queue.publish([envelope("ann"), envelope("bob")])
        held = await one.queue.lease(limit=1, lease_s=LEASE_S)
        await two.queue.lease(limit=1, lease_s=LEASE_S)
        await two.close()
        (given,) = await one.queue.lease(limit=9, lease_s=LEASE_S)
        assert given.receipt != held[0].receipt
        assert (given.attempt, given.crashes) == (1, 0)
    finally:
        await one.close()


@pytest.mark.parametrize(("held", "attempt", "crashes"), [(1, 2, 1), (2, 1, 0)])
async def test_what_a_killed_process_held_comes_back_before_its_lease_ends(
    url: str, tmp_path: Path, held: int, attempt: int, crashes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_store, "END_S", 0.0)
    store = await opened(url, tmp_path / "one", SystemClock())
    try:
        await store.queue.publish([envelope("ann") for _ in range(held)])
        command = (sys.executable, "-m", "tests.integration.postgres_holder")
        other = await asyncio.create_subprocess_exec(
            *command, url, str(tmp_path / "two"), str(held), stdout=subprocess.PIPE
        )
        try:
            assert other.stdout is not None
            assert await other.stdout.readline() == b"%d\n" % held
            assert not await store.queue.lease(limit=9, lease_s=LEASE_S)
        finally:
            other.kill()
            await other.wait()
        back = await until_async(
            lambda: store.queue.lease(limit=9, lease_s=LEASE_S), "its claims come back"
        )
        assert [(row.attempt, row.crashes) for row in back] == [(attempt, crashes)]
    finally:
        await store.close()


async def test_what_one_process_publishes_wakes_the_other(
    stores: tuple[PostgresStore, PostgresStore],
) -> None:
    one, two = stores
    waiting = asyncio.ensure_future(one.queue.wait_ready(60))
    await two.queue.publish([envelope("ann")])
    async with asyncio.timeout(30):
        await waiting
    assert len(await one.queue.lease(limit=1, lease_s=LEASE_S)) == 1


async def test_the_bound_of_the_queue_counts_what_others_put_there(
    url: str, tmp_path: Path, clock: TurnedClock
) -> None:
    limits = StoreLimits(queue_rows=3)
    made = [
        await PostgresStore.open(url, tmp_path / name, clock, limits, may_lose=True, shared=True)
        for name in ("one", "two")
    ]
    try:
        await made[0].queue.publish([envelope("ann") for _ in range(2)])
        answers = await made[1].queue.publish([envelope("ann") for _ in range(2)])
        assert [row.outcome for row in answers] == ["accepted", "full"]
    finally:
        for store in made:
            await store.close()


async def test_who_hears_nothing_of_others_works_alone(
    url: str, tmp_path: Path, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_store, "_PATIENCE_S", 0.1)
    store = await opened(url, tmp_path / "one", clock)
    try:
        with pytest.raises(ConfigError, match="TOCSIN_FANOUT") as refused:
            await PostgresStore.open(url, tmp_path / "two", clock, may_lose=True)
        assert refused.value.code == "store-locked"
    finally:
        await store.close()


async def test_processes_that_start_at_once_on_an_empty_database_make_one_schema(
    url: str, tmp_path: Path, clock: TurnedClock
) -> None:
    made = await asyncio.gather(*(opened(url, tmp_path / name, clock) for name in "abc"))
    for store in made:
        await store.queue.publish([envelope("ann")])
    assert (await made[0].queue.depth()).waiting == 3
    for store in made:
        await store.close()


async def test_who_starts_while_another_one_migrates_waits_for_longer_than_for_a_row(
    server: PostgresServer,
    url: str,
    tmp_path: Path,
    clock: TurnedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hasty = tuple(setting.replace("10s", "50ms") for setting in connection._SESSION)
    monkeypatch.setattr(connection, "_SESSION", hasty)
    with psycopg.connect(url) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [migrate._LOCK])
        opening = asyncio.ensure_future(opened(url, tmp_path, clock))

        async def waits_or_gave_up() -> bool:
            long = "NOT granted AND waitstart < clock_timestamp() - interval '500ms'"
            waiting = f"SELECT count(*) FROM pg_locks WHERE {long}"
            return opening.done() or (await asyncio.to_thread(server.ask, waiting)) != [(0,)]

        await until_async(waits_or_gave_up, "it waits for the migration")
        assert not opening.done()
    store = await opening
    await store.close()


async def test_a_database_of_before_there_were_several_goes_on_behind_its_last_numbers(
    url: str, tmp_path: Path, clock: TurnedClock
) -> None:
    store = await opened(url, tmp_path, clock)
    await World(store, clock).alert("ann")
    await store.queue.publish([envelope("ann", producer_id="p", fingerprint=b"f")] * 2)
    await store.close()
    with psycopg.connect(url) as connection:
        for kind in ("hub", "user", "alert", "queue", "key"):
            connection.execute(f"DROP SEQUENCE {kind}_counter".encode())
        for table in ("queue", "pushes"):
            connection.execute(f"ALTER TABLE {table} DROP COLUMN leased_by".encode())
        connection.execute("ALTER TABLE queue DROP COLUMN batch")
        connection.execute("DROP TABLE turns")
        connection.execute("DROP TABLE editions")
        connection.execute("DROP INDEX items_asleep")
        for column in ("leased_by", "lease_ends_us"):
            connection.execute(f"ALTER TABLE webhooks DROP COLUMN {column}".encode())
        connection.execute("UPDATE queue SET leased_us = 1, available_us = 1")
        connection.execute("UPDATE alembic_version SET version_num = '0020'")
    store = await opened(url, tmp_path, clock)
    try:
        await World(store, clock).alert("ann", "bob", hub="other")
        await store.queue.publish([envelope("ann", producer_id="q", fingerprint=b"f")])
        leased = [await store.queue.lease(limit=9, lease_s=LEASE_S) for _ in range(2)]
        assert [len(batch) for batch in leased] == [1, 1]
    finally:
        await store.close()
