"""Two clients, of which one tells the other something small all the time: how late it comes, and what never does."""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

from bench.load.guest import Door, Member, Speaker, Tally, Wire

_EVERY_NS = 5_000_000
_ACK_EVERY = 100
_LONGEST_WAIT_S = 10.0  # what did not come by then is lost
_POLL_S = 0.01


class Heard(NamedTuple):
    """The nanoseconds from when each message was due until it was heard, and what went wrong with them.

    ``gone`` says why one of the two was hung up on, if it was.
    """

    late_ns: list[int]
    tally: Tally
    gone: str


class Pair:
    """The one who publishes sends when a message is due, whether or not earlier ones were heard."""

    def __init__(self) -> None:
        self._speaker: tuple[Speaker, Member] | None = None
        self._listener: Member | None = None
        self._due_ns: list[int] = []
        self._late_ns: list[int] = []
        self._over = False
        self._talking: asyncio.Task[None] | None = None

    async def meet(self, port: int, wire: Wire, door: Door, speaker: Speaker) -> None:
        """Bring in both: who hears through ``door``, and who publishes."""
        self._listener = Member(wire, door, self._took)
        await self._listener.enter(port)
        member = Member(speaker.wire, speaker.door, _overheard)
        await member.enter(port)
        self._speaker = speaker, member

    async def begin(self) -> None:
        """Talk until it is ended."""
        self._over = False
        self._late_ns = []
        self._talking = asyncio.create_task(self._talk())

    async def end(self) -> Heard:
        """Stop talking, wait for what is under way, and return what was heard since it began, and what went wrong ever."""
        assert self._talking is not None
        assert self._listener is not None
        self._over = True
        await self._talking
        numbers, sent = self._listener.numbers, len(self._due_ns)
        end = time.monotonic() + _LONGEST_WAIT_S
        while numbers.lost(sent) and not self._gone() and time.monotonic() < end:  # noqa: ASYNC110 -- the listener counts, it tells nobody
            await asyncio.sleep(_POLL_S)
        tally = Tally(numbers.lost(sent), numbers.duplicates, numbers.order_breaks)
        return Heard(self._late_ns, tally, self._gone())

    def _gone(self) -> str:
        assert self._listener is not None
        assert self._speaker is not None
        return self._listener.lost or self._speaker[1].lost

    async def _talk(self) -> None:
        assert self._speaker is not None
        speaker, member = self._speaker
        due_ns = time.monotonic_ns()
        while not self._over:
            # The loop's timers have whole milliseconds, and may call before the time.
            self._due_ns.append(min(due_ns, time.monotonic_ns()))
            member.write(speaker.frame(len(self._due_ns)))
            due_ns += _EVERY_NS
            await asyncio.sleep(max(0, due_ns - time.monotonic_ns()) / 1e9)

    def _took(self, member: Member, numbers: Sequence[int], now_ns: int) -> None:
        for number in numbers:
            self._late_ns.append(now_ns - self._due_ns[number - 1])
            if number % _ACK_EVERY == 0:
                member.acknowledge()


def _overheard(_member: Member, _numbers: Sequence[int], _now_ns: int) -> None:
    msg = "the one who publishes is in no room and heard a message"
    raise RuntimeError(msg)
