"""One drill from beginning to end: people, load, cuts and breaks, the last look, and cleaning up."""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import quote

import msgspec

from tocsin.cli.drill.breaking import Break, run_break
from tocsin.cli.drill.crowd import Crowd, Onlooker
from tocsin.cli.drill.judging import Finding, Held, Shown, has_all, judge, shown
from tocsin.cli.drill.ledger import Ledger
from tocsin.cli.drill.load import Load
from tocsin.cli.drill.nodes import Nodes
from tocsin.cli.drill.plan import CLIENTS_EACH, Drill, break_times, people_of
from tocsin.cli.pool import each
from tocsin.client.refusal import RefusedError
from tocsin.clock import SystemClock
from tocsin.errors import TocsinError, UnavailableError
from tocsin.supervisor import Supervisor

LOOK_EVERY_S = 0.25
# Something too many may come a moment after what it doubles.
QUIET_S = 1.0
# How long the clients may take to know their inboxes, at the beginning.
GATHER_S = 60.0
PAGE = 200

Watch = Callable[["Drilled", str, float | None], None]
"""Told now and then how far a drill is: what is being done, and how much of it (0 to 1; None where nobody knows)."""


class Drilled(msgspec.Struct):
    """What came of a drill so far; ``unread`` are people whose inbox could not be fetched at the end, and why."""

    run: str = msgspec.field(default_factory=lambda: uuid.uuid4().hex[:8])
    nodes: int = 0
    people: list[str] = msgspec.field(default_factory=list)
    ledger: Ledger = msgspec.field(default_factory=Ledger)
    published_s: float = 0.0
    cuts: int = 0
    breaks: list[Break] = msgspec.field(default_factory=list)
    copies: int = 0
    findings: list[Finding] = msgspec.field(default_factory=list)
    unread: dict[str, str] = msgspec.field(default_factory=dict)
    uncleaned: dict[str, str] = msgspec.field(default_factory=dict)


class Drilling:
    """Carries a drill out; what came of it is in ``drilled``, however it ends."""

    def __init__(self, drill: Drill, nodes: Nodes, watch: Watch, drilled: Drilled) -> None:
        self.drilled = drilled
        drilled.nodes = len(nodes)
        self._drill = drill
        self._nodes = nodes
        self._watch = watch
        self._clock = SystemClock()
        self._crowd = Crowd(drilled.run, nodes, drilled.ledger)

    async def run(self) -> None:
        """Do all of it; the people are erased at the end, however that comes.

        Raises:
            TocsinError: It could not begin.
        """
        try:
            async with self._crowd:
                await self._gather()
                await self._publish_and_break()
                await self._judge()
        finally:
            await self._erase()

    async def _gather(self) -> None:
        people = people_of(self.drilled.run, self._drill.clients)
        for place in range(self._drill.clients):
            await self._join(people[place // CLIENTS_EACH])
            self._watch(self.drilled, "connecting clients", (place + 1) / self._drill.clients)
        try:
            async with asyncio.timeout(GATHER_S):
                for onlooker in self._crowd.onlookers:
                    await onlooker.in_step()
        except TimeoutError as error:
            detail = (
                f"not every client reached its inbox within {GATHER_S:g} s, so that nothing was "
                "published: can the endpoints be reached by WebSocket, and is their public_url right?"
            )
            raise UnavailableError(detail) from error

    async def _join(self, user: str) -> None:
        if user not in self.drilled.people:
            self.drilled.people.append(user)
        try:
            await self._crowd.join(user)
        except RefusedError:  # nobody heard of that person, so there is nothing to be erased
            self.drilled.people.remove(user)
            raise

    # Publishing

    async def _publish_and_break(self) -> None:
        began_s = self._clock.monotonic_s()
        tasks = Supervisor()
        breaking = tasks.start("drill breaks", self._break(began_s))
        tasks.start("drill cuts", self._cut())
        tasks.start("drill progress", self._show(began_s))
        try:
            load = Load(self.drilled.run, self._nodes, self.drilled.ledger)
            await load.publish(self._drill, self.drilled.people)
            self.drilled.published_s = self._clock.monotonic_s() - began_s
            await breaking
        finally:
            await tasks.stop()

    async def _cut(self) -> None:
        while self._drill.drop_every_s:
            await asyncio.sleep(self._drill.drop_every_s)
            self._crowd.cut_next()
            self.drilled.cuts = self._crowd.cuts

    async def _show(self, began_s: float) -> None:
        while True:
            share = (self._clock.monotonic_s() - began_s) / self._drill.duration_s
            self._watch(self.drilled, "publishing", min(1.0, share))
            for onlooker in self._crowd.onlookers:
                onlooker.catch_up()
            await asyncio.sleep(LOOK_EVERY_S)

    async def _break(self, began_s: float) -> None:
        for at_s in break_times(self._drill):
            await asyncio.sleep(max(0.0, began_s + at_s - self._clock.monotonic_s()))
            done = await run_break(self._drill.break_command, began_s, self._clock)
            self.drilled.breaks.append(done)

    # The last look

    async def _judge(self) -> None:
        """Look until every inbox and every client is as it has to be, or the time is up; and write down what is seen then."""
        await asyncio.sleep(QUIET_S)
        end_s = self._clock.monotonic_s() + self._drill.settle_s
        fresh: dict[str, Shown] = {}
        held: dict[str, Held | None] = {}
        waiting = list(self.drilled.people)
        while waiting:
            share = 1 - len(waiting) / len(self.drilled.people)
            self._watch(self.drilled, "settling", share)
            await each(partial(self._inspect, user, end_s, fresh, held) for user in waiting)
            waiting = [user for user in waiting if not self._is_settled(user, fresh, held)]
            if self._clock.monotonic_s() >= end_s:
                break
            await asyncio.sleep(LOOK_EVERY_S)
        ledger = self.drilled.ledger
        self.drilled.copies = sum(len(inbox.rows) for inbox in fresh.values())
        clients = [(sight, held.get(sight.name)) for sight in ledger.sights]
        self.drilled.findings = judge(ledger.entries, fresh, clients)

    async def _inspect(
        self, user: str, end_s: float, fresh: dict[str, Shown], held: dict[str, Held | None]
    ) -> None:
        """Fetch an inbox anew, and look at its clients then."""
        left_s = max(self._drill.timeout_s, end_s - self._clock.monotonic_s())
        try:
            fresh[user] = await self._fetch(user, left_s)
        except TocsinError as error:
            fresh.pop(user, None)
            self.drilled.unread[user] = error.detail
        else:
            self.drilled.unread.pop(user, None)
        for onlooker in self._onlookers(user):
            held[onlooker.sight.name] = onlooker.look()

    def _is_settled(
        self, user: str, fresh: Mapping[str, Shown], held: Mapping[str, Held | None]
    ) -> bool:
        """Tell whether nothing is missing, neither in the inbox nor on its clients."""
        inbox = fresh.get(user)
        if inbox is None or not has_all(user, self.drilled.ledger.entries, inbox):
            return False
        theirs = (held[onlooker.sight.name] for onlooker in self._onlookers(user))
        return all(one is not None and one.shown == inbox for one in theirs)

    def _onlookers(self, user: str) -> list[Onlooker]:
        return [onlooker for onlooker in self._crowd.onlookers if onlooker.sight.user == user]

    async def _fetch(self, user: str, within_s: float) -> Shown:
        items, cursor = [], ""
        while True:
            path = f"/v1/inbox/items?user={quote(user, safe='')}&limit={PAGE}{cursor}"
            page = await self._nodes.ask("GET", path, within_s=within_s)
            items += page["items"]
            following = page["page"]["next"]
            if following is None:
                return shown(self.drilled.run, items, page["totals"])
            cursor = f"&cursor={quote(following, safe='')}"

    # Cleaning up

    async def _erase(self) -> None:
        """Erase the people, and with them their tokens and all that was published, since nobody else has it."""
        people, gone = self.drilled.people, 0

        async def erase(user: str) -> None:
            nonlocal gone
            try:
                path = f"/v1/users/{quote(user, safe='')}"
                await self._nodes.ask("DELETE", path)
            except TocsinError as error:
                self.drilled.uncleaned[user] = error.detail
            gone += 1
            self._watch(self.drilled, "cleaning up", gone / len(people))

        await each(partial(erase, user) for user in people)
