"""The last look of a drill: every inbox fetched anew, beside what its clients hold."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from urllib.parse import quote

from tocsin.cli.drill.crowd import Onlooker
from tocsin.cli.drill.drilled import Drilled, Watch
from tocsin.cli.drill.judging import Held, Shown, has_all, judge, shown
from tocsin.cli.drill.nodes import Nodes
from tocsin.cli.pool import each
from tocsin.client.attempts import Patience
from tocsin.clock import SystemClock
from tocsin.errors import TocsinError

LOOK_EVERY_S = 0.25
# Something too many may come a moment after what it doubles.
QUIET_S = 1.0
PAGE = 200


class LastLook:
    """Looks at the inboxes of all people of a drill, and at their clients; what it finds is in ``drilled``."""

    def __init__(
        self,
        patience: Patience,
        nodes: Nodes,
        onlookers: Sequence[Onlooker],
        watch: Watch,
        drilled: Drilled,
    ) -> None:
        """Make it; ``patience`` is how long one answer is waited for, and how long everything may take to arrive."""
        self._patience = patience
        self._nodes = nodes
        self._onlookers = onlookers
        self._watch = watch
        self._drilled = drilled
        self._clock = SystemClock()

    async def judge(self) -> None:
        """Look until every inbox and every client is as it has to be, or the time is up; and write down what is seen then."""
        await asyncio.sleep(QUIET_S)
        end_s = self._clock.monotonic_s() + self._patience.deadline_s
        fresh: dict[str, Shown] = {}
        held: dict[str, Held | None] = {}
        waiting = list(self._drilled.people)
        while waiting:
            share = 1 - len(waiting) / len(self._drilled.people)
            self._watch(self._drilled, "settling", share)
            await each(partial(self._inspect, user, end_s, fresh, held) for user in waiting)
            waiting = [user for user in waiting if not self._is_settled(user, fresh, held)]
            if self._clock.monotonic_s() >= end_s:
                break
            await asyncio.sleep(LOOK_EVERY_S)
        ledger = self._drilled.ledger
        self._drilled.copies = sum(len(inbox.rows) for inbox in fresh.values())
        clients = [(sight, held.get(sight.name)) for sight in ledger.sights]
        self._drilled.findings = judge(ledger.entries, fresh, clients)

    async def _inspect(
        self, user: str, end_s: float, fresh: dict[str, Shown], held: dict[str, Held | None]
    ) -> None:
        """Fetch an inbox anew, and look at its clients then."""
        # Enough for an attempt at each node: a silent one costs all of its own.
        least_s = len(self._nodes) * self._patience.timeout_s
        left_s = max(least_s, end_s - self._clock.monotonic_s())
        try:
            fresh[user] = await self._fetch(user, left_s)
        except TocsinError as error:
            fresh.pop(user, None)
            self._drilled.unread[user] = error.detail
        else:
            self._drilled.unread.pop(user, None)
        for onlooker in self._of(user):
            held[onlooker.sight.name] = onlooker.look()

    def _is_settled(
        self, user: str, fresh: Mapping[str, Shown], held: Mapping[str, Held | None]
    ) -> bool:
        """Tell whether nothing is missing, neither in the inbox nor on its clients."""
        inbox = fresh.get(user)
        if inbox is None or not has_all(user, self._drilled.ledger.entries, inbox):
            return False
        theirs = (held[onlooker.sight.name] for onlooker in self._of(user))
        return all(one is not None and one.shown == inbox for one in theirs)

    def _of(self, user: str) -> list[Onlooker]:
        return [onlooker for onlooker in self._onlookers if onlooker.sight.user == user]

    async def _fetch(self, user: str, within_s: float) -> Shown:
        items, cursor = [], ""
        while True:
            path = f"/v1/inbox/items?user={quote(user, safe='')}&limit={PAGE}{cursor}"
            page = await self._nodes.ask("GET", path, within_s=within_s)
            items += page["items"]
            following = page["page"]["next"]
            if following is None:
                return shown(self._drilled.run, items, page["totals"])
            cursor = f"&cursor={quote(following, safe='')}"
