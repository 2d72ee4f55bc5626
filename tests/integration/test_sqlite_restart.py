"""What a closed or killed store has when it is opened again: everything that was answered."""

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.integration.sqlite_stores import opened
from tests.ports.turned_clock import TurnedClock
from tests.ports.world import World, envelope, refusal_of
from tocsin.model.commands import MarkUpTo
from tocsin.ports.store import AccessKeys, ApiKey


async def test_an_inbox_is_the_same_after_a_restart(tmp_path: Path) -> None:
    clock = TurnedClock()
    async with opened(tmp_path, clock) as world:
        one, two = await world.alert("ann"), await world.alert("ann", category="news")
        await world.page()
        await world.alert()
        answer = await world.patch(one, read=True, op="op")
        await world.patch(two, archived=True)
        before, shown = await world.page(), await world.shown()
    async with opened(tmp_path, clock) as world:
        assert await world.page() == before
        assert await world.shown() == shown
        assert await world.patch(one, read=True, op="op") == answer
        new = await world.alert("ann", "bob")
        assert await world.listed() == [new, one]
        assert (await world.at()).rev == before.position.rev + 1


async def test_an_orderly_end_gives_leases_back_and_keeps_attempts(tmp_path: Path) -> None:
    clock = TurnedClock()
    async with opened(tmp_path, clock) as world:
        told = [envelope("ann") for _ in range(3)]
        await world.store.queue.publish(told)
        leased = await world.store.queue.lease(limit=2, lease_s=3600)
        await world.store.queue.retry_later(leased[1].receipt, delay_s=60, reason="busy")
    async with opened(tmp_path, clock) as world:
        assert await attempts(world) == {told[0].id: (1, 0), told[2].id: (1, 0)}
        clock.turn(s=60)
        assert await attempts(world) == {told[1].id: (2, 0)}


async def attempts(world: World) -> dict[str, tuple[int, int]]:
    """Lease what there is, and tell the attempt and the crashes of each."""
    leased = await world.store.queue.lease(limit=9, lease_s=3600)
    return {row.envelope.id: (row.attempt, row.crashes) for row in leased}


@asynccontextmanager
async def after_a_crash(folder: Path, clock: TurnedClock) -> AsyncIterator[World]:
    """Open what is on disk at this moment, as a new process would after the one that has it open had crashed."""
    copy = folder.with_name(folder.name + "+")
    shutil.copytree(folder, copy)
    async with opened(copy, clock) as world:
        yield world


async def test_alerts_that_shared_a_crash_are_tried_one_by_one_and_none_is_blamed(
    tmp_path: Path,
) -> None:
    clock, folder = TurnedClock(), tmp_path / "data"
    async with opened(folder, clock) as world:
        told = [envelope("ann") for _ in range(4)]
        await world.store.queue.publish(told)
        assert len(await world.store.queue.lease(limit=3, lease_s=3600)) == 3
        async with after_a_crash(folder, clock) as again:
            for suspect in told[:3]:
                assert await attempts(again) == {suspect.id: (1, 0)}
            assert await attempts(again) == {told[3].id: (1, 0)}


async def test_an_alert_alone_in_a_crash_is_blamed_and_goes_behind_the_others(
    tmp_path: Path,
) -> None:
    clock, folder = TurnedClock(), tmp_path / "data"
    async with opened(folder, clock) as world:
        told = [envelope("ann") for _ in range(3)]
        await world.store.queue.publish(told)
        assert len(await world.store.queue.lease(limit=1, lease_s=3600)) == 1
        clock.turn(s=1)
        async with after_a_crash(folder, clock) as again:
            assert await attempts(again) == {told[1].id: (1, 0), told[2].id: (1, 0)}
            await again.store.deliver(told[1:])
            assert await attempts(again) == {told[0].id: (2, 1)}
            clock.turn(s=1)
            async with after_a_crash(folder.with_name("data+"), clock) as third:
                assert await attempts(third) == {told[0].id: (3, 2)}


async def test_the_bound_counts_what_waited_before_the_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:
        await world.store.queue.publish([envelope("ann"), envelope("ann")])
    async with opened(tmp_path, queue_rows=3) as world:
        told = await world.store.queue.publish([envelope("ann"), envelope("ann")])
        assert [p.outcome for p in told] == ["accepted", "full"]


async def test_producer_ids_and_keys_are_remembered_over_a_restart(tmp_path: Path) -> None:
    told = envelope("ann", producer_id="p", fingerprint=b"f")
    key = ApiKey("id", "h", "server", "name", b"digest", 1)
    async with opened(tmp_path) as world:
        await world.store.queue.publish([told])
        await world.store.add_key(key)
        await world.store.open_hub("h", AccessKeys(b"1", b"2"))
    async with opened(tmp_path) as world:
        repeat = envelope("ann", producer_id="p", fingerprint=b"f")
        (published,) = await world.store.queue.publish([repeat])
        assert (published.outcome, published.id) == ("duplicate", told.id)
        assert list(await world.store.keys()) == [key]
        assert await world.store.access_keys("h") == AccessKeys(b"1", b"2")


async def test_closing_twice_is_closing_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:
        await world.store.close()


async def test_a_second_start_takes_well_under_a_second(tmp_path: Path) -> None:
    async with opened(tmp_path):
        pass
    began_s = time.process_time()  # of work: how long that takes says how busy the machine is
    async with opened(tmp_path):
        assert time.process_time() - began_s < 0.5


async def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    script = (
        "import asyncio, os, pathlib, sys\n"
        "from tests.integration.sqlite_stores import opened\n"
        "async def main():\n"
        "    async with opened(pathlib.Path(sys.argv[1])) as world:\n"
        "        while True:\n"
        "            print(await world.alert('ann'), flush=True)\n"
        "asyncio.run(main())\n"
    )
    folder = tmp_path / "data"
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script,
        str(folder),
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert child.stdout is not None
    said = [await child.stdout.readline() for _ in range(20)]
    child.kill()
    rest = await child.stdout.read()
    await child.wait()
    # Only whole lines count: the last may be cut by the kill.
    said += [line for line in rest.splitlines(keepends=True) if line.endswith(b"\n")]
    answered = {line.decode().strip() for line in said if line.startswith(b"a0")}
    async with opened(folder) as world:
        kept = await world.shown(limit=100_000)
        assert len(answered) > 10
        assert answered <= set(kept)
        assert (await world.at()).rev == len(kept)


async def test_a_mark_made_before_an_epoch_was_renewed_is_refused_after_the_restart(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as world:
        await world.alert("ann")
        epoch = (await world.at()).epoch
        await world.store.renew_epoch()
    async with opened(tmp_path) as world:
        mark = MarkUpTo("read", epoch, 2**53, 0)
        assert refusal_of(await world.store.act("h", "ann", mark, None)) == "epoch-changed"
        assert (await world.at()).epoch != epoch
