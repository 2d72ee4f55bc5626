"""A push provider that does what a test tells it, and keeps what it was given to send."""

import asyncio
from collections.abc import Callable

from tocsin.model.device import Channel
from tocsin.ports.push import Accepted, Misconfigured, Push, PushOutcome


class ScriptedProvider:
    """Takes what it is sent, unless told otherwise.

    ``outcomes`` are answered in turn; ``refuses`` tells which device says that our credentials are bad; ``hangs`` tells of
    which nothing is answered until ``released``.
    """

    def __init__(self) -> None:
        self.sent: list[Push] = []
        self.outcomes: list[PushOutcome | Exception] = []
        self.hangs: Callable[[Channel], bool] = lambda _: False
        self.refuses: Callable[[Channel], bool] = lambda _: False
        self.released = asyncio.Event()

    def host(self, channel: Channel) -> str:
        return channel.handle.partition("|")[0] if "|" in channel.handle else "host"

    async def send(self, push: Push) -> PushOutcome:
        self.sent.append(push)
        if self.hangs(push.channel):
            await self.released.wait()
        if self.refuses(push.channel):
            return Misconfigured("403")
        outcome = self.outcomes.pop(0) if self.outcomes else Accepted()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome
