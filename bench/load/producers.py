"""Producers that cost little: requests are ready bytes, and answers are looked at no closer than needed."""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Iterator
from itertools import cycle
from typing import NamedTuple

from bench.servers import user_name

# The title of an alert is the moment at which it was due, in nanoseconds of the machine's monotonic clock.
STAMP = b"0" * 19
# What stands in a ready request for an id that no other sending of it has.
FRESH_ID = b"00000000-0000-0000-0000-000000000000"
_ALERT = (
    b'{"to":%b,"title":"%b","body":"Invoice 7 was paid in full today.","severity":"success",'
    b'"category":"payments","url":"/invoices/7"}'
)
_DIFFERENT_REQUESTS = 256
_LENGTH = b"content-length: "
_HEAD_END = b"\r\n\r\n"
_TICK_S = 0.001


class Order(NamedTuple):
    """What is published, where and as whom; to ``users`` from the number ``first`` on, to everybody if there are none.

    ``ready`` are whole requests, which are sent instead, with an id of its own for each ``FRESH_ID``.
    """

    port: int
    key: str
    users: int
    batch: int = 1
    connections: int = 64
    first: int = 0
    ready: tuple[bytes, ...] = ()


class Sent(NamedTuple):
    """What came of some requests."""

    seconds: float
    alerts: int
    refused: int


class Producers:
    """Connections of producers; each has one request under way, the next wait their turn."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._requests = _ready(order) if order.ready else cycle(_stampable(order))
        # They take turns: one that rests for seconds would be closed by the server.
        self._idle: deque[_Producer] = deque()
        self._connections: list[_Producer] = []
        self._turn: deque[int] = deque()
        self._left = 0
        self._finished: asyncio.Future[None] | None = None
        self.refused = 0

    async def open(self) -> None:
        """Connect."""
        loop = asyncio.get_running_loop()
        for _ in range(self._order.connections):
            _, producer = await loop.create_connection(
                lambda: _Producer(self), "127.0.0.1", self._order.port
            )
            self._connections.append(producer)
        self._idle = deque(self._connections)

    def close(self) -> None:
        """Hang up."""
        for producer in self._connections:
            producer.close()

    def send(self, due_ns: int) -> None:
        """Send a request that is due, as soon as a connection is free."""
        if self._idle:
            self._idle.popleft().send(self._stamped(due_ns))
        else:
            self._turn.append(due_ns)

    def answered(self, producer: "_Producer", *, good: bool) -> None:
        """Take note of an answer; the connection is free."""
        self.refused += not good
        if self._turn:
            producer.send(self._stamped(self._turn.popleft()))
        else:
            self._idle.append(producer)
        self._left -= 1
        if not self._left and self._finished is not None:
            self._finished.set_result(None)

    async def burst(self, requests: int) -> Sent:
        """Send ``requests`` as fast as they are answered."""
        began = time.monotonic()
        finished = self._expect(requests)
        for _ in range(requests):
            self.send(0)
        await finished
        return self._sent(requests, began)

    async def steady(self, per_s: float, seconds: float) -> Sent:
        """Send requests when they are due, whether or not earlier ones were answered."""
        requests = round(per_s * seconds)
        finished = self._expect(requests)
        began = time.monotonic()
        sent = 0
        while sent < requests:
            due = min(requests, int((time.monotonic() - began) * per_s) + 1)
            for number in range(sent, due):
                self.send(round((began + number / per_s) * 1e9))
            sent = due
            await asyncio.sleep(_TICK_S)
        await finished
        return self._sent(requests, began)

    def _expect(self, requests: int) -> asyncio.Future[None]:
        self._left = requests
        self.refused = 0
        self._finished = asyncio.get_running_loop().create_future()
        return self._finished

    def _sent(self, requests: int, began: float) -> Sent:
        alerts = requests * self._order.batch
        return Sent(time.monotonic() - began, alerts, self.refused)

    def _stamped(self, due_ns: int) -> bytes:
        return (b"%019d" % due_ns).join(next(self._requests))


class _Producer(asyncio.Protocol):
    def __init__(self, owner: Producers) -> None:
        self._owner = owner
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # TCP always is one
        self._transport = transport

    def send(self, request: bytes) -> None:
        assert self._transport is not None
        self._transport.write(request)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        rest = self._rest + data
        end = _end_of_answer(rest)
        if end is None or len(rest) < end:
            self._rest = rest
            return
        self._rest = rest[end:]
        good = rest.startswith(b"HTTP/1.1 202") and rest.find(b'"refused"', 0, end) < 0
        self._owner.answered(self, good=good)


def _end_of_answer(data: bytes) -> int | None:
    head = data.find(_HEAD_END)
    if head < 0:
        return None
    size = data[:head].lower().partition(_LENGTH)[2].partition(b"\r\n")[0]
    return head + len(_HEAD_END) + int(size)


def _ready(order: Order) -> Iterator[list[bytes]]:
    """Give ready requests their fresh ids, as they are sent; no stamp goes into them."""
    cut = [request.split(FRESH_ID) for request in order.ready]
    for parts in cycle(cut):
        yield [str(uuid.uuid4()).encode().join(parts)]


def _stampable(order: Order) -> list[list[bytes]]:
    """Make requests, cut where the stamp goes in."""
    made = []
    for number in range(_DIFFERENT_REQUESTS):
        alerts = [
            _ALERT % (_audience(order, number * order.batch + place), STAMP)
            for place in range(order.batch)
        ]
        path, body = b"/v1/alerts", alerts[0]
        if order.batch > 1:
            path, body = b"/v1/alerts/batch", b'{"alerts":[%b]}' % b",".join(alerts)
        made.append((_head(order, path, len(body)) + body).split(STAMP))
    return made


def _audience(order: Order, number: int) -> bytes:
    if not order.users:
        return b'{"all":true}'
    # A step that is prime to most numbers: neighbours in time are no neighbours by name.
    return b'{"users":["%b"]}' % user_name(order.first + number * 7_919 % order.users).encode()


def _head(order: Order, path: bytes, size: int) -> bytes:
    return (
        b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %b\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    ) % (path, order.key.encode(), size)
