"""One drill from beginning to end: people, load, cuts and breaks, the last look, and cleaning up."""

import asyncio
from functools import partial
from urllib.parse import quote

from tocsin.cli.drill.breaking import run_break
from tocsin.cli.drill.crowd import Crowd
from tocsin.cli.drill.drilled import Drilled, Watch
from tocsin.cli.drill.load import Load
from tocsin.cli.drill.looking import LOOK_EVERY_S, LastLook
from tocsin.cli.drill.nodes import Nodes
from tocsin.cli.drill.plan import CLIENTS_EACH, Drill, break_times, calls, people_of
from tocsin.cli.pool import each
from tocsin.client.attempts import Patience
from tocsin.client.refusal import RefusedError
from tocsin.clock import SystemClock
from tocsin.errors import TocsinError, UnavailableError
from tocsin.supervisor import Supervisor

# How long the clients may take to know their inboxes, at the beginning.
GATHER_S = 60.0


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
                await self._look()
        finally:
            await self._erase()

    async def _gather(self) -> None:
        self._watch(self.drilled, "asking the servers", None)
        await self._nodes.check()
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
                "published: can the endpoints (or the gateways) be reached by WebSocket, and have "
                "all servers the same public_url?"
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
            planned = calls(self._drill, self.drilled.people)
            await load.publish(planned, self._drill.longest_s)
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

    async def _look(self) -> None:
        patience = Patience(self._drill.timeout_s, self._drill.settle_s)
        onlookers = self._crowd.onlookers
        await LastLook(patience, self._nodes, onlookers, self._watch, self.drilled).judge()

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
