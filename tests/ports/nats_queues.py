"""Fixtures that open queues on a NATS server of the tests' own, before stores on SQLite."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

import pytest

from tests.ports.nats_server import NatsServer
from tests.ports.opener import Opener, OpenStore
from tests.ports.turned_clock import TurnedClock
from tests.ports.world import AnyStore
from tocsin.adapters.nats.line import Line, Terms
from tocsin.adapters.nats.queue import NatsQueue
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.ports.limits import StoreLimits

_numbers = count(1)


@pytest.fixture
async def open_nats_queue(
    tmp_path_factory: pytest.TempPathFactory, clock: TurnedClock, migrated: Path, nats: NatsServer
) -> AsyncIterator[OpenStore]:
    """Open stores that have a queue on NATS in the place of their own."""
    async with AsyncExitStack() as opened:

        async def open_(limits: StoreLimits) -> AnyStore:
            folder = tmp_path_factory.mktemp("store")
            shutil.copy(migrated, folder)
            store = await SqliteStore.open(folder, clock, limits)
            own = store.queue
            terms = Terms(limits.queue_rows, 100_000, monitors=(nats.monitor,))
            url = f"{nats.url}/queue.{next(_numbers)}"
            line = await opened.enter_async_context(Line.opened(url, terms))
            vars(store)["queue"] = NatsQueue(line, own, store.handover, clock)
            opened.callback(vars(store).update, queue=own)
            return store

        opener = Opener(clock, open_)
        yield opener
    await opener.close()
