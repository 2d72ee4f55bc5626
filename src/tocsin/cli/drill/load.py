"""Publishing the alerts of a drill, and writing down what came of each."""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial

from tocsin.cli.drill.ledger import Ledger
from tocsin.cli.drill.nodes import Nodes
from tocsin.cli.drill.plan import EXPIRES_S, Call, alert_of
from tocsin.cli.pool import each
from tocsin.client.alert import Alert
from tocsin.client.attempts import Lost, Reply
from tocsin.client.publishing import Accepted, Outcome
from tocsin.client.refusal import RefusedError, UnsettledError, problem_in
from tocsin.clock import US_PER_S, SystemClock

_FIRST_FAILURE = 300


class Load:
    """The alerts of one drill: each is repeated under its id until an answer settles it, at whichever node is next."""

    def __init__(self, run: str, nodes: Nodes, ledger: Ledger) -> None:
        self._run = run
        self._nodes = nodes
        self._ledger = ledger
        self._clock = SystemClock()

    async def publish(self, calls: Iterable[Call], longest_s: float) -> None:
        """Make the calls when they are due; servers that are slower than that are asked by 32 at once, and no more.

        What is published expires some time after ``longest_s`` seconds.
        """
        began_s = self._clock.monotonic_s()
        expires_us = self._clock.now_us() + round((longest_s + EXPIRES_S) * US_PER_S)
        await each(partial(self._make, call, began_s, expires_us) for call in calls)

    async def _make(self, call: Call, began_s: float, expires_us: int) -> None:
        await asyncio.sleep(max(0.0, began_s + call.due_s - self._clock.monotonic_s()))
        self._ledger.begin(call.numbers, call.people, self._clock.monotonic_s())
        alerts = [alert_of(self._run, number, call.people, expires_us) for number in call.numbers]
        trail: list[Reply | Lost] = []
        outcomes = await self._send(alerts, trail)
        now_s = self._clock.monotonic_s()
        self._ledger.attempted(
            call.numbers, attempts=len(trail), unanswered=any(map(_is_unknown, trail))
        )
        for number, outcome in zip(call.numbers, outcomes, strict=True):
            self._write(number, outcome, now_s)

    async def _send(self, alerts: list[Alert], trail: list[Reply | Lost]) -> Sequence[Outcome]:
        plans = self._nodes.publishing
        if len(alerts) > 1:
            return await self._nodes.run(plans.publish_many(alerts), trail)
        try:
            return [await self._nodes.run(plans.publish(alerts[0]), trail)]
        except (RefusedError, UnsettledError) as error:
            return [error]

    def _write(self, number: int, outcome: Outcome, now_s: float) -> None:
        match outcome:
            case Accepted():
                self._ledger.settle(number, "acked", now_s)
            case RefusedError():
                self._ledger.settle(number, "refused", now_s, outcome.detail)
            case UnsettledError():
                self._ledger.settle(number, "unsettled", now_s, outcome.detail)


def _is_unknown(told: Reply | Lost) -> bool:
    """Whether nobody can know what that attempt did."""
    if isinstance(told, Lost):
        return True
    return told.status >= _FIRST_FAILURE and (
        problem_in(told.status, told.body).code in ("unknown-outcome", "no-answer")
    )
