"""Messages on a queue of somebody else's broker, taken in as alerts.

Guarantee: at least once.  A message that was received and not settled comes again, on another line at the latest.  While a
line lives its messages stay held: what a broker lends for a time only is extended by the adapter.  Order is roughly that of
the queue and is no promise.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

Header = str | bool | int


class Message(msgspec.Struct, frozen=True, eq=False):
    """One message that is held.

    ``id`` is the one that its sender gave it, or else the broker, the same at every delivery; None if there is neither.  ``headers`` are its application properties, those that are text,
    numbers or truth values; numbers with a fraction, and times, as text.  ``deliveries`` is how often it was handed out
    before, as far as the broker counts.  ``handle`` is the adapter's own.
    """

    body: bytes
    handle: object
    id: str | None = None
    content_type: str = ""
    headers: Mapping[str, Header] = {}
    deliveries: int = 0


class Depth(msgspec.Struct, frozen=True):
    """What waits on the broker: how many messages, and for how long the oldest; None where the broker does not tell."""

    waiting: int | None = None
    oldest_age_s: float | None = None


class SourceLine(Protocol):
    """One connection to the queue.

    Every call raises ``LineLostError`` when the connection is gone, and what is held comes again.
    """

    async def receive(self, *, most: int, wait_s: float) -> Sequence[Message]:
        """Take up to ``most`` messages: at once what is there, else what comes first within ``wait_s`` seconds."""
        ...

    async def ack(self, messages: Sequence[Message]) -> None:
        """Let the broker forget messages.

        One whose loan ended meanwhile comes again, which is no error.
        """
        ...

    async def reject(self, message: Message, *, reason: str, detail: str) -> None:
        """Move one to the broker's own dead letters, with a reason (a few words) and a detail if the broker keeps them.

        A broker that has no place for dead letters drops it.
        """
        ...

    async def put_back(self, messages: Sequence[Message]) -> None:
        """Give messages back, for this or another receiver, at once."""
        ...

    async def depth(self) -> Depth:
        """Tell what waits on the broker beside what is held here."""
        ...


class MessageSource(Protocol):
    """One queue of one broker."""

    def line(self) -> AbstractAsyncContextManager[SourceLine]:
        """Connect, for as long as the context lasts; what is not settled by then comes again.

        Raises:
            LineLostError: The broker was not reached or refused; the detail says what is wrong.
        """
        ...
