"""Clients that come in through a door: they speak what a server speaks, in ready bytes, and parse no JSON."""

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bench.load.client import TEXT, Client, frame
from bench.load.numbers import Numbers

_PAYLOAD = b'{"n":"%010d","from":"billing","severity":"success","text":"Invoice 17 was paid in full today."}'
_NUMBER = re.compile(rb'"n":"(\d{10})"')


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

    def frame(self, number: int) -> bytes:
        """Return the frame that publishes one message."""
        return frame(TEXT, self.before + payload(number) + self.after)


class Tally(NamedTuple):
    """What went wrong with messages."""

    lost: int
    duplicates: int
    order_breaks: int


class Guest(Client):
    """One connection; ``open`` is done when it is inside, and ``lost`` says why it ended, if it did."""

    __slots__ = ("_door", "_wire", "lost")

    def __init__(self, wire: Wire, door: Door) -> None:
        super().__init__(door.asks)
        self._wire = wire
        self._door = door
        self.lost = ""

    @property
    def stands(self) -> bool:
        """Whether it came in and still is."""
        came = self.open.done() and not self.open.cancelled() and not self.open.exception()
        return came and not self.lost

    async def enter(self, port: int) -> None:
        """Connect and wait until it is inside."""
        await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", port)
        await self.open

    def upgraded(self) -> None:
        """Say who it is, if the address did not."""
        if self._door.says:
            self.write(self._door.says)
        if not self._door.hears:
            self.open.set_result(None)

    def drop(self) -> None:
        """Cut the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    def dismissed(self, reason: bytes) -> None:
        """Take the server's word, and go."""
        self.lost = f"closed by the server: {reason!r}"
        self.drop()

    def connection_lost(self, exc: Exception | None) -> None:
        """Keep why it ended."""
        super().connection_lost(exc)
        self.lost = self.lost or f"hung up: {exc}"

    def heard(self, frames: bytes, now_ns: int) -> None:  # noqa: ARG002 -- a member wants to know when
        """Answer pings, and notice that it is inside."""
        if self._wire.ping and self._wire.ping in frames:
            self.write(self._wire.pong)
        if not self.open.done() and self._door.hears in frames:
            self.open.set_result(None)


class Member(Guest):
    """One who hears numbered messages, and counts them."""

    __slots__ = ("_came", "_took", "numbers")

    def __init__(self, wire: Wire, door: Door, took: "Took") -> None:
        """Call ``took`` with the numbers of messages that came together, and the moment of the monotonic clock."""
        super().__init__(wire, door)
        self._took = took
        self._came = 0
        self.numbers = Numbers()

    def heard(self, frames: bytes, now_ns: int) -> None:
        """Count what is in them."""
        super().heard(frames, now_ns)
        if found := _NUMBER.findall(frames):
            self._count([int(number) for number in found], now_ns)

    def _count(self, found: list[int], now_ns: int) -> None:
        for number in found:
            self.numbers.hear(number)
        self._came += len(found)
        self._took(self, found, now_ns)

    def acknowledge(self) -> None:
        """Say how much has come, if that is said on this wire."""
        if self._wire.acknowledges is not None:
            self.write(self._wire.acknowledges(self._came))


Took = Callable[[Member, Sequence[int], int], None]


def payload(number: int) -> bytes:
    """Return the JSON that is published, 100 bytes of it."""
    return _PAYLOAD % number
