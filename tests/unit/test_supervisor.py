"""Tasks with a name: failures are seen, and followed by a new try where asked for."""

import asyncio

import pytest
import structlog.testing

from tocsin import supervisor
from tocsin.supervisor import Supervisor


async def _fail() -> None:
    raise ValueError("no")


async def test_a_failed_task_is_logged() -> None:
    with structlog.testing.capture_logs() as logs:
        await asyncio.wait([Supervisor().start("job", _fail())])
        await asyncio.sleep(0)
    assert [(entry["event"], entry["task"]) for entry in logs] == [("task.failed", "job")]


async def test_a_kept_task_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_S", 0.001)
    tries = []

    async def run() -> None:
        tries.append(1)
        if len(tries) < 3:
            await _fail()

    with structlog.testing.capture_logs() as logs:
        await asyncio.wait_for(Supervisor().keep("loop", run), 60)
    assert len(tries) == 3
    assert [entry["event"] for entry in logs] == ["task.restarts"] * 2


async def test_stopping_cancels_and_waits() -> None:
    owner = Supervisor()
    ended = []

    async def run() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    owner.start("job", run())
    await asyncio.sleep(0)
    await owner.stop()
    assert ended == [1]
