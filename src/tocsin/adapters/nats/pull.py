"""Taking messages from a pull consumer: what is there now, or the first that comes.

nats-py's own ``fetch`` waits until it has as many as were asked for or the time is over.  Here a lease takes what there is, in
one round trip, so the server is asked itself.
"""

import asyncio
from collections import deque
from itertools import count
from typing import Final

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg

# For an answer to "what is there now", which the server gives at once.
_ANSWER_S: Final = 2.0
# A consumer hears of a message a moment after its publisher has the acknowledgement (seen: up to 4 of 100 times it had not);
# where nothing is there, it is waited for that long.
_GRACE_NS: Final = 100_000_000
_PENDING_MESSAGES: Final = 10_000


class _Asked:
    """A request under way: how many it may still bring, and whether it is over."""

    def __init__(self, most: int) -> None:
        self.left = most
        self.over = asyncio.Event()


class Pull:
    """One consumer's messages; what was brought and not taken yet waits here, leased like the rest."""

    def __init__(self, client: Client, stream: str, consumer: str) -> None:
        self._client = client
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._inbox = client.new_inbox()
        self._numbers = count(1)
        self._asked: dict[str, _Asked] = {}
        self._brought: deque[Msg] = deque()

    async def start(self) -> None:
        """Listen for answers."""
        await self._client.subscribe(
            f"{self._inbox}.*", cb=self._heard, pending_msgs_limit=_PENDING_MESSAGES
        )

    async def now(self, limit: int) -> list[Msg]:
        """Return up to ``limit`` messages that are there now; where there is none, look for a tenth of a second."""
        missing = limit - len(self._brought)
        if missing > 0:
            await self._ask(missing, _ANSWER_S, no_wait=True, expires=_GRACE_NS)
        return [self._brought.popleft() for _ in range(min(limit, len(self._brought)))]

    async def wait(self, timeout_s: float) -> None:
        """Return when there is a message, at the latest after ``timeout_s`` seconds."""
        if not self._brought:
            await self._ask(1, timeout_s, expires=round(timeout_s * 1e9))

    async def _ask(self, most: int, timeout_s: float, **how: int) -> None:
        number = str(next(self._numbers))
        asked = self._asked[number] = _Asked(most)
        try:
            request = msgspec.json.encode({"batch": most, **how})
            async with asyncio.timeout(timeout_s):
                await self._client.publish(self._next, request, reply=f"{self._inbox}.{number}")
                await asked.over.wait()
        except TimeoutError:
            return  # the server is away, or had nothing
        finally:
            del self._asked[number]

    async def _heard(self, message: Msg) -> None:
        if not message.reply:  # a status: there is nothing, or nothing more
            asked = self._asked.get(message.subject.rpartition(".")[2])
            if asked is not None:
                asked.over.set()
            return
        self._brought.append(message)
        # Which request brought it is not told; one that ends early leaves the rest for the next.
        for asked in self._asked.values():
            asked.left -= 1
            if asked.left <= 0:
                asked.over.set()
