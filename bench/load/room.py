"""Clients in one room, and one outside that publishes to it: each message has a number, and each client counts."""

import asyncio
import time
from collections.abc import Sequence

from bench.load.guest import Door, Member, Speaker, Tally, Wire

_OPEN_AT_ONCE = 64
_ACK_S = 1.0
_LONGEST_WAIT_S = 30.0
_LOST_NS = 10_000_000_000  # after so long a silence, what did not come is lost


class Room:
    """The room's clients, in one process (``bench.child``)."""

    def __init__(self) -> None:
        self._came = 0
        self._last_ns = 0
        self._unacknowledged: set[Member] = set()
        self._members: list[Member] = []
        self._outside: list[Member] = []
        self._speaker: tuple[Speaker, Member] | None = None
        self._sent = 0

    async def join(self, port: int, wire: Wire, doors: Sequence[Door]) -> None:
        """Bring in a client through each door."""
        self._members += await self._open(port, wire, doors)
        if wire.acknowledges is not None:
            self._acknowledge()

    async def stay_outside(self, port: int, wire: Wire, doors: Sequence[Door]) -> None:
        """Connect clients that are in another room and must hear nothing."""
        self._outside += await self._open(port, wire, doors)

    async def appoint(self, port: int, speaker: Speaker) -> None:
        """Connect the one who publishes; it hears nothing either."""
        [member] = await self._open(port, speaker.wire, [speaker.door])
        self._speaker = speaker, member
        self._outside.append(member)

    async def play(self, seconds: float, at_once: int) -> int:
        """Publish ``at_once`` messages at a time, the next when all clients have them; return how many came.

        It never sleeps meanwhile: no server has to wake it, which can cost more than sending.
        """
        before, end = self._came, time.monotonic() + seconds
        while time.monotonic() < end:
            goal = self._came + at_once * len(self._members)
            self._last_ns = time.monotonic_ns()
            self._publish(at_once)
            while self._came < goal and time.monotonic_ns() - self._last_ns < _LOST_NS:  # noqa: ASYNC110 -- meant to stay awake
                await asyncio.sleep(0)
        return self._came - before

    async def tally(self) -> Tally:
        """Return what went wrong since the beginning.

        Raises:
            RuntimeError: A message came to somebody who is not in the room.
        """
        if any(each.numbers.heard_any for each in self._outside):
            msg = "a message came to somebody outside of the room"
            raise RuntimeError(msg)
        heard = [each.numbers for each in self._members]
        return Tally(
            sum(each.lost(self._sent) for each in heard),
            sum(each.duplicates for each in heard),
            sum(each.order_breaks for each in heard),
        )

    def _took(self, member: Member, numbers: Sequence[int], now_ns: int) -> None:
        self._came += len(numbers)
        self._last_ns = now_ns
        self._unacknowledged.add(member)

    def _publish(self, count: int) -> None:
        assert self._speaker is not None
        speaker, member = self._speaker
        numbers = range(self._sent + 1, self._sent + count + 1)
        member.write(b"".join(map(speaker.frame, numbers)))
        self._sent += count

    async def _open(self, port: int, wire: Wire, doors: Sequence[Door]) -> list[Member]:
        members: list[Member] = [_Member(wire, door, self._took) for door in doors]
        async with asyncio.timeout(_LONGEST_WAIT_S):
            for start in range(0, len(members), _OPEN_AT_ONCE):
                some = members[start : start + _OPEN_AT_ONCE]
                async with asyncio.TaskGroup() as tasks:
                    for member in some:
                        tasks.create_task(member.enter(port))
        return members

    def _acknowledge(self) -> None:
        for member in self._unacknowledged:
            member.acknowledge()
        self._unacknowledged.clear()
        asyncio.get_running_loop().call_later(_ACK_S, self._acknowledge)


class _Member(Member):
    """One without which the measurement ends: what a server did after it hung up is no figure of all its clients."""

    __slots__ = ()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        raise ConnectionError(self.lost)
