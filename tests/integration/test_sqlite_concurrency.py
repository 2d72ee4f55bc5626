"""Readers beside writers: every answer is of one moment, and revisions have no hole."""

import asyncio
from pathlib import Path

from tests.integration.sqlite_stores import opened
from tests.ports.world import World, envelope
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.model.inbox import Changes

WRITERS, WRITES = 4, 40


async def write(world: World, name: str) -> list[int]:
    """Deliver to ann again and again; return the revisions in the order of the answers."""
    revs = []
    for _ in range(WRITES):
        delivered = await world.store.deliver([envelope("ann", name)])
        revs += [change.rev for change in delivered["h"].changes if change.user == "ann"]
    return revs


async def read(world: World, done: asyncio.Event) -> None:
    """Read until the writers are done, and once more; each answer must agree with itself and with the one before."""
    since = await world.at()
    known = {item.id for item in (await world.page()).items}
    is_last = False
    while not is_last:
        is_last = done.is_set()
        page = await world.page(limit=10_000)
        assert page.position.rev == len(page.items) == page.counts.unread
        changes = await world.store.changes("h", "ann", since)
        assert isinstance(changes, Changes)
        assert len(changes.items) == changes.position.rev - since.rev
        known |= {item.id for item in changes.items}
        assert len(known) == changes.position.rev
        since = changes.position
    assert since.rev == WRITERS * WRITES


async def test_every_answer_is_of_one_moment(tmp_path: Path) -> None:
    async with opened(tmp_path, change_rows=10_000) as world:
        await world.page()
        done = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(read(world, done))
            writers = [group.create_task(write(world, f"user-{n}")) for n in range(WRITERS)]
            await asyncio.wait(writers)
            done.set()
        revs = [rev for writer in writers for rev in writer.result()]
        assert sorted(revs) == list(range(1, WRITERS * WRITES + 1))
        assert await world.counts() == (WRITERS * WRITES, WRITERS * WRITES)


async def test_a_long_read_does_not_stop_writes_or_the_folding_of_the_log(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:
        await world.alert("ann")
        store = world.store
        assert isinstance(store, SqliteStore)
        began, go_on = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def long_read(_: object) -> None:
            loop.call_soon_threadsafe(began.set)
            asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(60)

        reading = asyncio.ensure_future(store._readers.run(long_read))
        await began.wait()
        for _ in range(20):
            await world.alert("ann")
        async with asyncio.timeout(30):
            assert await world.counts() == (21, 21)
        go_on.set()
        await reading
