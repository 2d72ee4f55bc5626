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
from nats.aio.subscription import Subscription

# For an answer to "what is there now", which the server gives at once.
_ANSWER_S: Final = 2.0
# A consumer hears of a message a moment after its publisher has the acknowledgement (seen: up to 4 of 100 times it had not);
# where nothing is there, it is waited for that long.
_GRACE_NS: Final = 100_000_000
_PENDING_MESSAGES: Final = 10_000
_NOTHING: Final = ("404", "408")


class _Asked:
    """A request under way: how many it may still bring, and whether it is over."""

    def __init__(self, most: int) -> None:
        self.left = most
        self.over = asyncio.Event()


def _delivery(message: Msg) -> int:
    """Return the how-manieth delivery of its consumer a message is."""
    return message.metadata.sequence.consumer


class Pull:
    """The messages of a new consumer in their order; what was brought and not taken yet waits here, leased like the rest.

    ``is_whole``: the consumer is there, and nothing that it delivered was lost on its way, as far as ``now`` has seen.
    """

    def __init__(self, client: Client, stream: str, consumer: str) -> None:
        self._client = client
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._inbox = client.new_inbox()
        self._numbers = count(1)
        self._asked: dict[str, _Asked] = {}
        self._brought: deque[Msg] = deque()
        self._hearing: Subscription | None = None
        self._next_delivery = 1
        self.is_whole = True

    async def start(self) -> None:
        """Listen for answers."""
        self._hearing = await self._client.subscribe(
            f"{self._inbox}.*", cb=self._heard, pending_msgs_limit=_PENDING_MESSAGES
        )

    async def end(self) -> None:
        """Listen no more, and forget what was brought."""
        self._brought.clear()
        if self._hearing is not None:
            hearing, self._hearing = self._hearing, None
            await hearing.unsubscribe()

    async def now(self, limit: int) -> list[Msg]:
        """Return up to ``limit`` messages that are there now; where there is none, look for a tenth of a second."""
        missing = limit - len(self._brought)
        if missing > 0:
            await self._ask(missing, _ANSWER_S, no_wait=True, expires=_GRACE_NS)
        taken = [self._brought.popleft() for _ in range(min(limit, len(self._brought)))]
        if taken:
            first, last = _delivery(taken[0]), _delivery(taken[-1])
            self.is_whole &= first == self._next_delivery and last - first == len(taken) - 1
            self._next_delivery = last + 1
        return taken

    async def wait(self, timeout_s: float) -> bool:
        """Tell whether there is a message, at the latest after ``timeout_s`` seconds."""
        if not self._brought:
            await self._ask(1, timeout_s, expires=round(timeout_s * 1e9))
        return bool(self._brought)

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
        if not message.reply:
            # A status: there is nothing, or nothing more, or nobody who has something.
            self.is_whole &= (message.headers or {}).get("Status") in _NOTHING
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
