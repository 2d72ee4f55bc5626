"""Ten thousand browsers over real sockets, one in a hundred of them hostile: the others are pushed as if alone."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from tests.ports.devices import device
from tests.ports.world import envelope
from tests.push_services.crowd import BEHAVIOURS
from tests.push_services.receiving import Browser
from tests.push_services.running import program
from tests.unit.push_stage import Keeper
from tests.unit.pushing import Keys
from tocsin.adapters.outbound.client import OutboundClient
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.adapters.webpush.provider import WebPush
from tocsin.clock import SystemClock
from tocsin.config import Outbound, Push
from tocsin.model.device import WebPushChannel
from tocsin.push.dispatcher import Dispatcher
from tocsin.push.gate import Gate
from tocsin.push.storm import StormGuard
from tocsin.supervisor import Supervisor
from tocsin.telemetry import Metrics

ALONE, DEVICES = 1_000, 10_000
# Less than one call that hangs.
SLACK_S = 5
_CONTENT = msgspec.Raw(b'{"source":"s","title":"Fire","severity":"info","created_at":""}')


@pytest.fixture
def origin() -> Iterator[str]:
    with program("tests.push_services.crowd") as origin:
        yield origin


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    made = tmp_path / "before", tmp_path / "crowd", tmp_path / "after"
    for one in made:
        one.mkdir()
    return made


@asynccontextmanager
async def dispatching(store: SqliteStore, origin: str) -> AsyncIterator[None]:
    """Push from a store to one service, as a node does."""
    metrics, supervisor, clock = Metrics(), Supervisor(), SystemClock()
    push = Push()
    calls = push.calls_per_host + push.lingering_per_host
    allowed = {"allow": ["127.0.0.1"], "connections": calls, "connections_per_host": calls}
    outbound = OutboundClient(Outbound.model_validate(allowed), metrics)
    provider = WebPush(
        outbound,
        Keys("k"),
        clock,
        subject=None,
        topic_secret=b"secret",
        hosts=[urlsplit(origin).netloc],
    )
    dispatcher = Dispatcher(
        pushes=store.pushes,
        providers={"webpush": provider},
        gate=Gate(lambda _hub, _user: False, store.preferences, StormGuard(1_000_000, 1)),
        recorder=Keeper(),
        clock=clock,
        supervisor=supervisor,
        metrics=metrics,
        settings=push,
    )
    supervisor.start("push.dispatcher", dispatcher.run())
    try:
        yield
    finally:
        dispatcher.stop()
        await supervisor.stop()
        await outbound.close()


async def register(store: SqliteStore, origin: str, paths: Sequence[str]) -> None:
    """Give each path a user with a browser there; one pair of keys serves all."""
    browser = Browser(b"a" * 16)
    for at in range(0, len(paths), 500):
        async with asyncio.TaskGroup() as group:
            for path in paths[at : at + 500]:
                endpoint = f"{origin}/{path}"
                channel = WebPushChannel(endpoint, browser.p256dh, browser.auth, "k")
                group.create_task(store.devices.put_device(device(path, channel=channel), 20))


async def seconds_to_push(folder: Path, origin: str, paths: Sequence[str]) -> float:
    """Broadcast to these browsers; returns the seconds until every good one was pushed."""
    good = {path.removeprefix("ok/") for path in paths if path.startswith("ok/")}
    store = await SqliteStore.open(folder, SystemClock())
    try:
        await register(store, origin, paths)
        await store.deliver([envelope(content=_CONTENT)])
        async with dispatching(store, origin):
            began = time.monotonic()
            while not good <= (await taken(origin)).keys():  # noqa: ASYNC110 -- it is another process
                await asyncio.sleep(0.1)
            return time.monotonic() - began
    finally:
        await store.close()


async def taken(origin: str) -> dict[str, int]:
    """Return how often each good browser was pushed; fails if a redirect was followed."""
    answer = await asyncio.to_thread(httpx.get, f"{origin}/report", timeout=30)
    said = answer.json()
    assert said["strayed"] == 0
    counts: dict[str, int] = said["taken"]
    return counts


@pytest.mark.timeout(600)  # twelve seconds of work, on a machine of one's own
async def test_ten_thousand_browsers_are_pushed_as_if_the_hostile_among_them_were_not_there(
    folders: tuple[Path, Path, Path], origin: str
) -> None:
    before, after = ([f"ok/{when}{n}" for n in range(ALONE)] for when in ("before", "after"))
    crowd = [
        f"ok/n{number}"
        if number % 100
        else f"{BEHAVIOURS[number // 100 % len(BEHAVIOURS)]}/n{number}"
        for number in range(DEVICES)
    ]
    before_s, crowd_s, after_s = [
        await seconds_to_push(folder, origin, paths)
        for folder, paths in zip(folders, (before, crowd, after), strict=True)
    ]
    counts = await taken(origin)
    assert len(counts) == 2 * ALONE + DEVICES * 99 // 100
    assert set(counts.values()) == {1}
    alone_s = max(before_s, after_s)  # the machine may have become busier meanwhile
    assert crowd_s < 2 * alone_s * DEVICES / ALONE + SLACK_S, (
        f"{crowd_s:.1f} s beside {before_s:.1f} s before and {after_s:.1f} s after"
    )
