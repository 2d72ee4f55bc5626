"""Fixtures that open queues on NATS servers of the tests' own, one or three, before stores on SQLite."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path

import pytest
from nats.errors import Error

from tests.acceptance.deadlines import until_async
from tests.ports.nats_cluster import FORMED_S, NatsCluster, nats_cluster
from tests.ports.nats_server import NatsServer
from tests.ports.opener import Opener, OpenStore
from tests.ports.turned_clock import TurnedClock
from tests.ports.world import AnyStore
from tocsin.adapters.nats.line import Line, Terms
from tocsin.adapters.nats.queue import NatsQueue
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.errors import UnavailableError
from tocsin.ports.limits import StoreLimits
from tocsin.ports.queue import Leased

MESSAGE_BYTES = 100_000
_numbers = count(1)

TermsOf = Callable[[int], Terms]


class PatientQueue(NatsQueue):
    """One that leases nothing only when its consumer has nothing left to bring.

    A consumer may hear of a message after its publisher has the acknowledgement, on busy servers by more than a lease looks.
    """

    async def lease(self, *, limit: int, lease_s: float) -> Sequence[Leased]:
        async def some_or_none() -> Sequence[Sequence[Leased]]:
            had_all = await self._had_all()
            rows = await super(PatientQueue, self).lease(limit=limit, lease_s=lease_s)
            return [rows] if rows or had_all else []

        (rows,) = await until_async(some_or_none, "the consumer has brought what is there")
        return rows

    async def _had_all(self) -> bool:
        """Tell whether everything in the stream was brought before, or the server is known to be away."""
        try:
            self._line.check_connected()
            waiting = (await self._line.state()).messages
            consumers = await self._line._jetstream.consumers_info(self._line.stream.name)
        except UnavailableError:
            return True
        except (Error, TimeoutError):
            return False
        return not waiting or any(one.num_pending == 0 for one in consumers)


@pytest.fixture(scope="session")
def three_nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsCluster]:
    """Lend three servers that keep everything on each of them."""
    with nats_cluster(tmp_path_factory.mktemp("three")) as made:
        yield made


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Callable[[], Path]:
    """Make folders with an empty store."""

    def make() -> Path:
        made = tmp_path_factory.mktemp("store")
        shutil.copy(migrated, made)
        return made

    return make


@pytest.fixture
async def open_nats_queue(
    clock: TurnedClock, folder: Callable[[], Path], nats: NatsServer
) -> AsyncIterator[OpenStore]:
    """Open stores that have a queue on one server in the place of their own."""

    def terms(rows: int) -> Terms:
        return Terms(rows, MESSAGE_BYTES, monitors=(nats.monitor,))

    async with _opener(clock, folder, nats.url, terms) as opener:
        yield opener


@pytest.fixture
async def open_three_nats_queue(
    clock: TurnedClock, folder: Callable[[], Path], three_nats: NatsCluster
) -> AsyncIterator[OpenStore]:
    """Open stores that have a queue on three servers in the place of their own."""

    def terms(rows: int) -> Terms:
        return Terms(
            rows,
            MESSAGE_BYTES,
            replicas=len(three_nats.addresses),
            monitors=three_nats.addresses,
        )

    await until_async(three_nats.is_formed, "the NATS servers have met", FORMED_S)
    async with _opener(clock, folder, three_nats.url, terms) as opener:
        yield opener


@asynccontextmanager
async def _opener(
    clock: TurnedClock, folder: Callable[[], Path], url: str, terms: TermsOf
) -> AsyncIterator[OpenStore]:
    async with AsyncExitStack() as opened:

        async def open_(limits: StoreLimits) -> AnyStore:
            store = await SqliteStore.open(folder(), clock, limits)
            own = store.queue
            place = f"{url}/queue.{next(_numbers)}"
            line = await opened.enter_async_context(Line.opened(place, terms(limits.queue_rows)))
            queue = vars(store)["queue"] = PatientQueue(line, own, store.handover, clock)
            opened.push_async_callback(queue.close)
            opened.callback(vars(store).update, queue=own)
            return store

        opener = Opener(clock, open_)
        yield opener
    await opener.close()
