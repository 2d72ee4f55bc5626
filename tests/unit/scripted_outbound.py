"""A way out that leads nowhere: it answers what a test tells it, and keeps what it was asked to send."""

import asyncio
from collections.abc import Awaitable, Callable

from tocsin.ports.outbound import Answer, Call, Outcome, Refused


class ScriptedOutbound:
    """Answers calls with ``outcomes`` in turn, and then with 200; one to the URL ``hangs`` never.

    ``during`` happens while a call is under way.
    """

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.calls: list[Call] = []
        self.hangs: str | None = None
        self.during: Callable[[], Awaitable[None]] | None = None

    async def send(self, call: Call) -> Outcome:
        self.calls.append(call)
        if call.url == self.hangs:
            await asyncio.Event().wait()
        if self.during is not None:
            await self.during()
        return self.outcomes.pop(0) if self.outcomes else Answer(200)

    async def refusal(self, url: str) -> Refused | None:
        return Refused("'10.0.0.1' is private") if "10.0.0.1" in url else None
