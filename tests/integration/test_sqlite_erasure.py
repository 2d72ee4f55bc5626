"""An erasure that meets a withdrawal or a crash: nothing of it is left for whoever gets a number anew."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.sqlite_stores import opened
from tests.ports.turned_clock import TurnedClock
from tests.ports.world import World
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.writer import Writer
from tocsin.errors import UnavailableError
from tocsin.ports.erasure import ErasureRequest


async def begin(world: World, user: str) -> str:
    request = ErasureRequest(f"erasure of {user}", "h", user, "pseudonym", "key")
    return (await world.store.erasures.begin_erasure(request)).id


def cut_after(monkeypatch: pytest.MonkeyPatch, commits: int) -> None:
    """Let the disk go away after so many transactions."""
    run, left = Writer.run, iter(range(commits))

    async def until_cut(writer: Writer, job: Callable[[Connection], Any]) -> Any:
        if next(left, None) is None:
            raise UnavailableError("cut")
        return await run(writer, job)

    monkeypatch.setattr(Writer, "run", until_cut)


async def test_an_erasure_amid_a_withdrawal_takes_nothing_from_others(tmp_path: Path) -> None:
    clock = TurnedClock()
    async with opened(tmp_path, clock, chunk_rows=1) as world:
        alert = await world.alert("ann", "bob")
        await world.store.first_contact("h", "cyd")
        assert (await world.store.withdraw("h", alert)).more
        for user in ("ann", "bob"):
            await world.store.erasures.finish_erasure(await begin(world, user))
        assert await world.store.alert("h", alert) is None
    async with opened(tmp_path, clock) as world:
        other = await world.alert("cyd")
        await world.sweep()
        assert await world.listed("cyd") == [other]


async def test_an_erasure_cut_anywhere_takes_nothing_from_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for commits in range(1, 5):
        folder = tmp_path / str(commits)
        async with opened(folder, chunk_rows=1) as world:
            await world.alert("ann")
            begun = await begin(world, "ann")
            with monkeypatch.context() as patch, contextlib.suppress(UnavailableError):
                cut_after(patch, commits)
                await world.store.erasures.finish_erasure(begun)
        async with opened(folder) as world:
            other = await world.alert("cyd")
            for unfinished in await world.store.erasures.unfinished_erasures():
                await world.store.erasures.finish_erasure(unfinished)
            assert await world.listed("cyd") == [other]
