"""Clients in one room, and one outside that publishes to it: each message has a number, and each client counts.

They speak what a server speaks, in ready bytes (``Door``, ``Wire``), and parse no JSON: a number stands at a key that no
server changes.
"""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bench.load.client import TEXT, Client, frame
from bench.load.numbers import Numbers

PAYLOAD_BYTES = 100
_PAYLOAD = b'{"n":"%010d","from":"billing","severity":"success","text":"Invoice 17 was paid in full today."}'
_NUMBER = re.compile(rb'"n":"(\d{10})"')
_OPEN_AT_ONCE = 64
_ACK_S = 1.0
_LONGEST_WAIT_S = 30.0
_LOST_NS = 10_000_000_000  # after so long a silence, what did not come is lost


class Door(NamedTuple):
    """How a client comes into its room, in ready bytes.

    ``asks`` is the upgrade, ``says`` what follows it, ``hears`` stands in what it gets when it is inside; if that is
    empty, the answer to the upgrade says so.
    """

    asks: bytes
    says: bytes = b""
    hears: bytes = b""


class Wire(NamedTuple):
    """What a client says while it is inside: its answer to a ping in the server's own words, and acknowledgements.

    ``acknowledges`` makes the frame that says that so many messages have come.
    """

    ping: bytes = b""
    pong: bytes = b""
    acknowledges: Callable[[int], bytes] | None = None


class Speaker(NamedTuple):
    """How the one who publishes comes in, and what stands before and after each payload in its frames."""

    door: Door
    wire: Wire
    before: bytes = b""
    after: bytes = b""


class Tally(NamedTuple):
    """What went wrong with the messages of all clients of the room."""

    lost: int
    duplicates: int
    order_breaks: int


class Room:
    """The room's clients, in one process (``bench.child``)."""

    def __init__(self) -> None:
        self._came = 0
        self._last_ns = 0
        self._unacknowledged: set[_Member] = set()
        self._members: list[_Member] = []
        self._outside: list[_Member] = []
        self._speaker: _Member | None = None
        self._frame = (b"", b"")
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
        self._frame = (speaker.before, speaker.after)
        [self._speaker] = await self._open(port, speaker.wire, [speaker.door])
        self._outside.append(self._speaker)

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

    def took(self, member: "_Member", count: int, now_ns: int) -> None:
        """Take note of ``count`` messages that a member heard."""
        self._came += count
        self._last_ns = now_ns
        self._unacknowledged.add(member)

    def _publish(self, count: int) -> None:
        assert self._speaker is not None
        before, after = self._frame
        numbers = range(self._sent + 1, self._sent + count + 1)
        self._speaker.write(b"".join(frame(TEXT, before + payload(n) + after) for n in numbers))
        self._sent += count

    async def _open(self, port: int, wire: Wire, doors: Sequence[Door]) -> list["_Member"]:
        members = [_Member(self, wire, door) for door in doors]
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


def payload(number: int) -> bytes:
    """Return the JSON that is published, 100 bytes of it."""
    return _PAYLOAD % number


class _Member(Client):
    __slots__ = ("_came", "_door", "_room", "_wire", "numbers")

    def __init__(self, room: Room, wire: Wire, door: Door) -> None:
        super().__init__(door.asks)
        self._room = room
        self._wire = wire
        self._door = door
        self._came = 0
        self.numbers = Numbers()

    async def enter(self, port: int) -> None:
        """Connect and wait until it is inside."""
        await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", port)
        await self.open

    def upgraded(self) -> None:
        if self._door.says:
            self.write(self._door.says)
        if not self._door.hears:
            self.open.set_result(None)

    def heard(self, frames: bytes, now_ns: int) -> None:
        if self._wire.ping and self._wire.ping in frames:
            self.write(self._wire.pong)
        if not self.open.done() and self._door.hears in frames:
            self.open.set_result(None)
        if found := _NUMBER.findall(frames):
            self._count(found, now_ns)

    def _count(self, found: list[bytes], now_ns: int) -> None:
        for number in found:
            self.numbers.hear(int(number))
        self._came += len(found)
        self._room.took(self, len(found), now_ns)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the measurement if a server hangs up: what it did meanwhile is no figure of 1,000 clients."""
        super().connection_lost(exc)
        msg = f"the server hung up: {exc}"
        raise ConnectionError(msg)

    def acknowledge(self) -> None:
        assert self._wire.acknowledges is not None
        self.write(self._wire.acknowledges(self._came))
