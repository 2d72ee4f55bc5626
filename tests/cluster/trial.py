"""A trial: producers and live clients on a cluster, a fault meanwhile, and the ledger of ``tocsin drill`` on what came of it."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.acceptance.deadlines import until_async
from tests.cluster.away import Away
from tests.cluster.bed import Bed
from tocsin.cli.drill.crowd import Crowd
from tocsin.cli.drill.drilled import Drilled
from tocsin.cli.drill.ledger import Ledger
from tocsin.cli.drill.load import Load
from tocsin.cli.drill.looking import LastLook
from tocsin.cli.drill.nodes import Nodes, open_nodes
from tocsin.cli.drill.plan import CLIENTS_EACH, Call, Drill, calls, people_of
from tocsin.cli.drill.verdict import Verdict, account
from tocsin.cli.pool import each
from tocsin.client.attempts import Patience
from tocsin.clock import SystemClock
from tocsin.config import Settings
from tocsin.supervisor import Supervisor

Fault = Callable[[Bed, "Trial"], Awaitable[None]]
Account = dict[str, Any]

CLIENTS = 16
AWAY = 4
RATE = 30
# Publishing goes on until the fault is over, and ends then; this is far beyond any.
LONGEST_S = 1_800.0
TIMEOUT_S = 10.0
SETTLE_S = 90.0
LIVE_AGAIN_S = 120.0
ACKED_BEFORE = 10
CATCH_UP_EVERY_S = 0.1


class EndingLoad(Load):
    """Makes calls until ``over`` is set, and then not even those that it waited with until they were due."""

    def __init__(self, run: str, nodes: Nodes, ledger: Ledger, over: asyncio.Event) -> None:
        super().__init__(run, nodes, ledger)
        self._over = over

    async def _make(self, call: Call, began_s: float, expires_us: int) -> None:
        due_in_s = max(0.0, began_s + call.due_s - self._clock.monotonic_s())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(due_in_s):
                await self._over.wait()
                return
        await super()._make(call, began_s, expires_us)


class Trial:
    """People with two clients each, to whom alerts are published until the fault is over and they are live again.

    Where the cluster pushes, ``away`` others have none, but a browser that is pushed.

    What is lost is looked for until nothing is missing, or ``settle_s`` seconds are over; ``live_again_s`` is how long it took
    after the fault until every client had an alert that was published then, at most ``live_within_s``.
    """

    def __init__(
        self,
        bed: Bed,
        nodes: Nodes,
        clients: int,
        away: int,
        rate: float,
        settle_s: float,
        live_within_s: float,
    ) -> None:
        self.drilled = Drilled(nodes=len(nodes))
        self.live_again_s: float | None = None
        self._live_within_s = live_within_s
        self._drill = Drill(LONGEST_S, rate, clients, 0, settle_s, TIMEOUT_S)
        self._bed = bed
        self._nodes = nodes
        self._crowd = Crowd(self.drilled.run, nodes, self.drilled.ledger)
        self._count_away = away if bed.push_service else 0
        self._away = Away(bed.push_service, nodes, self.drilled) if bed.push_service else None
        self._clock = SystemClock()
        self._over = asyncio.Event()

    async def run(self, fault: Fault) -> Account:
        """Return what came of it."""
        async with self._crowd:
            await self._gather()
            await self._publish_during(fault)
            patience = Patience(TIMEOUT_S, self._drill.settle_s)
            onlookers = self._crowd.onlookers
            await LastLook(patience, self._nodes, onlookers, _unseen, self.drilled).judge()
        return await self._with_pushes(account(self.drilled))

    async def _with_pushes(self, told: Account) -> Account:
        """Add what is to be said of pushes, once all came or the time is up: then what is missing is a breach."""
        if self._away is None:
            return told
        away = self._away
        with contextlib.suppress(AssertionError):
            await _until(lambda: not away.unpushed(), "all is pushed", self._drill.settle_s)
        for kind, words in away.breaches().items():
            told["breaches"][kind] = len(words)
            told["findings"] += words
        if any(told["breaches"].values()):
            told["verdict"] = Verdict.BROKEN.name.lower()
        return told

    async def _gather(self) -> None:
        everybody = self._drill.clients + CLIENTS_EACH * self._count_away
        people = self.drilled.people = people_of(self.drilled.run, everybody)
        for place in range(self._drill.clients):
            await self._crowd.join(people[place // CLIENTS_EACH])
        if self._away is not None:
            await self._away.leave(people[len(people) - self._count_away :])
        async with asyncio.timeout(LIVE_AGAIN_S):
            await each(onlooker.in_step for onlooker in self._crowd.onlookers)

    async def _publish_during(self, fault: Fault) -> None:
        ledger, tasks = self.drilled.ledger, Supervisor()
        tasks.start("trial looks", self._catch_up())
        load = EndingLoad(self.drilled.run, self._nodes, ledger, self._over)
        planned = calls(self._drill, self.drilled.people)
        begun = itertools.takewhile(lambda _: not self._over.is_set(), planned)
        self._publishing = tasks.start("trial load", load.publish(begun, LONGEST_S))
        try:
            await self.goes_on(ACKED_BEFORE)
            await fault(self._bed, self)
            if not self._over.is_set():
                await self._become_live()
        finally:
            await self.hush()
            await tasks.stop()

    async def goes_on(self, count: int) -> None:
        """Wait until ``count`` more alerts were acked."""
        enough = self.drilled.ledger.count("acked") + count

        def is_enough() -> bool:
            return self.drilled.ledger.count("acked") >= enough

        await _until(is_enough, f"{count} more alerts are acked")

    def cut_every_other(self) -> None:
        """Cut the connections of every other client; it comes back to wherever it is led then."""
        for onlooker in self._crowd.onlookers[::2]:
            onlooker.line.cut()

    async def hush(self) -> None:
        """Publish nothing more; return when everything has its answer."""
        self._over.set()
        await asyncio.wait([self._publishing])

    async def _become_live(self) -> None:
        """Wait until every client has an alert that was published after the healing."""
        healed_s = self._clock.monotonic_s()
        entries, sights = self.drilled.ledger.entries, self.drilled.ledger.sights

        def is_live() -> bool:
            later = {number for number, entry in entries.items() if entry.began_s > healed_s}
            return all(later & sight.had_s.keys() for sight in sights)

        await _until(is_live, "everybody is live again", self._live_within_s)
        self.live_again_s = self._clock.monotonic_s() - healed_s

    async def _catch_up(self) -> None:
        while True:
            for onlooker in self._crowd.onlookers:
                onlooker.catch_up()
            await asyncio.sleep(CATCH_UP_EVERY_S)


async def _until(is_so: Callable[[], bool], what: str, within_s: float = LIVE_AGAIN_S) -> None:
    async def find() -> bool:
        return is_so()

    await until_async(find, what, within_s)


def _unseen(_drilled: Drilled, _what: str, _share: float | None) -> None:
    """Show nobody how far it is."""


@asynccontextmanager
async def open_trial(
    bed: Bed,
    *,
    clients: int = CLIENTS,
    away: int = AWAY,
    rate: float = RATE,
    settle_s: float = SETTLE_S,
    live_within_s: float = LIVE_AGAIN_S,
    repeats_for_s: float = SETTLE_S,
) -> AsyncIterator[Trial]:
    """Make a trial on a cluster; a publish is repeated for ``repeats_for_s`` seconds."""
    patience = Patience(TIMEOUT_S, repeats_for_s)
    async with open_nodes(Settings(), None, [bed.url], bed.key, patience) as nodes:
        yield Trial(bed, nodes, clients, away, rate, settle_s, live_within_s)
