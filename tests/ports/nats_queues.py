"""Fixtures that open queues on NATS servers of the tests' own, one or three, before stores on SQLite."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from nats.errors import Error

from tests.acceptance.deadlines import until_async
from tests.ports.empty_store import put_empty_store
from tests.ports.nats_cluster import FORMED_S, NatsCluster, nats_cluster, patient_line
from tests.ports.nats_server import NatsServer
from tests.ports.opener import Opener, OpenStore
from tests.ports.turned_clock import TurnedClock
from tests.ports.world import AnyStore
from tocsin.adapters.nats import line, sender, vitals
from tocsin.adapters.nats.line import Terms
from tocsin.adapters.nats.queue import NatsQueue
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.errors import UnavailableError
from tocsin.ports.limits import StoreLimits
from tocsin.ports.queue import Leased

MESSAGE_BYTES = 100_000
PATIENCE_S = 30.0
_numbers = count(1)

TermsOf = Callable[[int], Terms]


class Known(NamedTuple):
    """Whether a consumer has heard of all that is in the stream, and whether all of it was brought."""

    heard: bool
    brought: bool


class PatientQueue(NatsQueue):
    """One that leases when its consumer has heard of everything, and nothing only when everything was brought before.

    A consumer hears of messages one by one, after their publishers have the acknowledgements; on busy servers that takes longer
    than a lease looks.
    """

    async def lease(self, *, limit: int, lease_s: float) -> Sequence[Leased]:
        async def some_or_none() -> Sequence[Sequence[Leased]]:
            known = await self._compared()
            if not known.heard:
                return []
            rows = await super(PatientQueue, self).lease(limit=limit, lease_s=lease_s)
            return [rows] if rows or known.brought else []

        (rows,) = await until_async(some_or_none, "the consumer has brought what is there")
        return rows

    async def _compared(self) -> Known:
        """Take the turn, and compare stream and consumer; there is no more to know while the server is away, or others carry."""
        try:
            self._line.check_connected()
            if await self._handover.take_turn() is None:
                return Known(heard=True, brought=True)
            self._porter.pause()
            async with self._porter._carrying:
                await self._porter._is_my_turn()
            waiting = (await self._line.state()).messages
            consumers = await self._line._jetstream.consumers_info(self._line.stream.name)
        except UnavailableError:
            return Known(heard=True, brought=True)
        except (Error, TimeoutError):
            return Known(heard=False, brought=False)
        in_hand = [one.num_ack_pending or 0 for one in consumers]
        heard = [
            held + (one.num_pending or 0) for held, one in zip(in_hand, consumers, strict=True)
        ]
        # Neither counts what was acknowledged and has not left the stream yet, which is waited for, too.
        return Known(max(heard, default=0) >= waiting, max(in_hand, default=0) >= waiting)


@contextmanager
def patience() -> Iterator[None]:
    """Have queues wait for answers of servers for as long as a machine under load may need."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(line, "_ANSWER_S", PATIENCE_S)
        patched.setattr(vitals, "_ANSWER_S", PATIENCE_S)
        patched.setattr(sender, "ANSWER_S", PATIENCE_S)
        yield


@pytest.fixture(scope="session")
def three_nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsCluster]:
    """Lend three servers that keep everything on each of them."""
    with nats_cluster(tmp_path_factory.mktemp("three")) as made:
        yield made


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Make folders with an empty store."""

    def make() -> Path:
        made = tmp_path_factory.mktemp("store")
        put_empty_store(made)
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
        opened.enter_context(patience())

        async def open_(limits: StoreLimits) -> AnyStore:
            store = await SqliteStore.open(folder(), clock, limits)
            own = store.queue
            place = f"{url}/queue.{next(_numbers)}"
            to = await opened.enter_async_context(patient_line(place, terms(limits.queue_rows)))
            queue = vars(store)["queue"] = PatientQueue(to, own, store.handover, clock)
            opened.push_async_callback(queue.close)
            opened.callback(vars(store).update, queue=own)
            return store

        opener = Opener(clock, open_)
        yield opener
    await opener.close()
