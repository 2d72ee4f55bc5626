"""A newer release beside an older one, on its database: the recorded program of schema 0022, and this one, which migrates it."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.acceptance.conftest import MakeServer, server_maker
from tests.acceptance.deadlines import until_async
from tests.acceptance.server_process import ServerProcess
from tests.acceptance.tcp_proxy import proxy_by
from tests.cluster.bed import SETTINGS, Bed
from tests.cluster.faults import MORE
from tests.cluster.front import front_of
from tests.cluster.trial import Trial, open_trial
from tests.integration.recorded_release import restored, unpacked
from tests.ports.nats_server import running_nats
from tests.ports.postgres_server import running_postgres
from tocsin.api.seal import KEY_FILE

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]

OLDER, NEWER = "older", "newer"
COUNTERS = ("tocsin_published_total", "tocsin_delivered_items_total")
CLIENTS = "tocsin_connections"


class Upgrade:
    """A bed of two nodes that do everything; only the older one runs.  ``led_to`` are the ports to which live clients are led."""

    def __init__(self, bed: Bed, led_to: list[int]) -> None:
        self.bed = bed
        self.older, self.newer = bed.nodes[OLDER], bed.nodes[NEWER]
        self._led_to = led_to

    async def carry_out(self, _bed: Bed, trial: Trial) -> None:
        """Start the newer one, so that it migrates; have both work; kill the older one, which may not come back."""
        await asyncio.to_thread(self.newer.start)
        self._led_to[:] = [self.newer.port]
        trial.cut_every_other()
        await self._both_work()
        await asyncio.to_thread(self.older.kill)
        again = await asyncio.to_thread(self.older.try_cli, "serve", "--port", str(self.older.port))
        assert again.returncode != 0
        assert "run the newer release" in again.stderr, again.stderr
        await trial.goes_on(MORE)

    async def _both_work(self) -> None:
        """Wait until each has clients, and has since taken in and delivered."""
        before = {
            (node, counter): read(node, counter)
            for node in (self.older, self.newer)
            for counter in COUNTERS
        }

        async def is_so() -> bool:
            counts = {of: read(*of) for of in before}
            have_clients = all(read(node, CLIENTS) for node, _ in before)
            return have_clients and all(counts[of] > before[of] for of in before)

        await until_async(is_so, "both have clients, take in and deliver")


def read(node: ServerProcess, metric: str) -> float:
    """Return the sum of a metric."""
    lines = node.request("GET", "/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(metric))


@asynccontextmanager
async def open_upgrade(folder: Path) -> AsyncIterator[Upgrade]:
    """Start the older release on what it left once, and prepare the newer one."""
    async with AsyncExitStack() as stack:
        nats = stack.enter_context(running_nats())
        postgres = stack.enter_context(running_postgres())
        make: MakeServer = stack.enter_context(server_maker())
        store = restored(postgres)
        api, led_to = list[int](), list[int]()
        front = await stack.enter_async_context(proxy_by(front_of(api, led_to)))
        url = f"http://127.0.0.1:{front.port}"
        env = SETTINGS | {
            "TOCSIN_PUBLIC_URL": url,
            "TOCSIN_STORE": store,
            "TOCSIN_FANOUT": nats.url,
        }
        older, newer = make(env=env | unpacked(folder)), make(env=env)
        await asyncio.to_thread(older.start)
        newer.data_dir.mkdir(mode=0o700)
        shutil.copy(older.data_dir / KEY_FILE, newer.data_dir)
        api += [older.port, newer.port]
        led_to += [older.port]
        key = older.key("server")["authorization"].removeprefix("Bearer ")
        nodes = {OLDER: older, NEWER: newer}
        yield Upgrade(Bed(url, store, key, nodes, {}, postgres, nats), led_to)


async def test_a_newer_release_takes_over_from_an_older_one_and_nothing_is_lost_doubled_or_missed(
    tmp_path: Path,
) -> None:
    async with open_upgrade(tmp_path) as upgrade:
        async with open_trial(upgrade.bed) as trial:
            told = await trial.run(upgrade.carry_out)
        key = {"authorization": f"Bearer {upgrade.bed.key}"}
        left = await asyncio.to_thread(upgrade.newer.titles, key, "bob")
    assert told["doubts"] == [], json.dumps(told, indent=1)
    # The older one takes batches apart when it is not alone.
    assert {kind for kind, count in told["breaches"].items() if count} <= {"order"}, told
    assert left == ["To two", "To the topic", "To all"]
