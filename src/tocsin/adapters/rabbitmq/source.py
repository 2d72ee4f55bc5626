"""A queue of RabbitMQ (AMQP 0-9-1; 3.10 and later), taken from by one consumer.

The broker pushes at most as many messages as may be held (prefetch), and lends them until the connection ends.  The
connection is a plain one: who reads it connects again, so what came on a lost one is never acknowledged by mistake.

Nothing is ever requeued because it failed: what counts as a failure differs between 3.10, 4.0 and 4.3, and beyond the limit
a queue without a dead letter exchange drops the message in silence.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aio_pika.exceptions import AMQPError
from aiormq.exceptions import (
    ChannelAccessRefused,
    ChannelLockedResource,
    ChannelNotFoundEntity,
    ProbableAuthenticationError,
)
from yarl import URL

from tocsin.clock import from_datetime, to_rfc3339
from tocsin.errors import LineLostError
from tocsin.ports.source import Depth, Header, Message

HEARTBEAT_S: Final = "20"
DEADLINE_S: Final = 15.0
# How often a quorum queue handed a message out: since 4.3 by the first name, which is exact; before by the second.
_COUNTS: Final = ("x-acquired-count", "x-delivery-count")
# aiormq tells of a closed channel or connection by RuntimeError, too.
_FAULTS: Final = (AMQPError, OSError, RuntimeError)


class RabbitMq:
    """One existing queue."""

    def __init__(self, url: str, queue: str, *, held: int) -> None:
        """Make it; ``url`` may set ``heartbeat``, and whatever else aio-pika knows."""
        self._url = URL(url)
        if "heartbeat" not in self._url.query:
            self._url = self._url.update_query(heartbeat=HEARTBEAT_S)
        self._queue = queue
        self._held = held

    @asynccontextmanager
    async def line(self) -> AsyncIterator["RabbitLine"]:
        """Connect and consume.

        Raises:
            LineLostError: The broker was not reached, refused, or has no such queue.
        """
        async with contextlib.AsyncExitStack() as stack:
            try:
                line = await self._open(stack)
            except _FAULTS as error:
                raise LineLostError(self._told(error)) from error
            yield line

    async def _open(self, stack: contextlib.AsyncExitStack) -> "RabbitLine":
        connection = await aio_pika.connect(self._url, timeout=DEADLINE_S)
        stack.push_async_callback(_close, connection.close)
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=self._held)
        line = RabbitLine(channel, self._queue)
        await line.consume()
        return line

    def _told(self, error: BaseException) -> str:
        """Say what is wrong; the URL has a password, so it is not in it."""
        where = f"{self._url.host}:{self._url.port}"
        match error:
            case ChannelNotFoundEntity():
                return f"there is no queue {self._queue!r} on {where} (vhost {self._vhost!r}); declare it there"
            case ChannelAccessRefused():
                return f"{self._url.user!r} may not read the queue {self._queue!r} on {where}"
            case ChannelLockedResource():
                return f"the queue {self._queue!r} on {where} is another consumer's alone"
            case ProbableAuthenticationError():
                return f"{where} refuses the user {self._url.user!r}: {error}"
            case _:
                return f"{where}: {type(error).__name__}: {error}"

    @property
    def _vhost(self) -> str:
        return self._url.path.removeprefix("/") or "/"


class RabbitLine:
    """One connection with one channel and one consumer."""

    def __init__(self, channel: AbstractChannel, queue: str) -> None:
        self._channel = channel
        self._queue = queue
        self._came = asyncio.Event()
        self._waiting: list[AbstractIncomingMessage] = []
        self._lost: str | None = None
        channel.close_callbacks.add(self._closed)

    async def consume(self) -> None:
        """Begin to receive; the queue must be there."""
        queue = await self._channel.get_queue(self._queue)
        await queue.consume(self._heard, timeout=DEADLINE_S)

    async def _heard(self, message: AbstractIncomingMessage) -> None:
        self._waiting.append(message)
        self._came.set()

    def _closed(self, _sender: object, error: BaseException | None = None) -> None:
        self._lost = f"the connection is gone: {error}"
        self._came.set()

    async def receive(self, *, most: int, wait_s: float) -> Sequence[Message]:
        """Take up to ``most`` messages."""
        if not self._waiting and self._lost is None:
            self._came.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._came.wait(), wait_s)
        if self._lost is not None:
            raise LineLostError(self._lost)
        taken, self._waiting = self._waiting[:most], self._waiting[most:]
        return [_message(each) for each in taken]

    async def ack(self, messages: Sequence[Message]) -> None:
        """Let the broker forget messages; that it heard is not confirmed, which a repeat makes good."""
        for message in messages:
            await self._settle(_incoming(message).ack())

    async def reject(self, message: Message, *, reason: str, detail: str) -> None:  # noqa: ARG002 -- AMQP 0-9-1 has no place for them
        """Reject one for good: it goes to the queue's dead letter exchange, if it has one."""
        await self._settle(_incoming(message).reject(requeue=False))

    async def put_back(self, messages: Sequence[Message]) -> None:
        """Give messages back; by nack, which since 4.3 is no failure of theirs."""
        for message in messages:
            await self._settle(_incoming(message).nack(requeue=True))

    async def depth(self) -> Depth:
        """Tell how many messages are ready; for how long the oldest has been is not told by AMQP."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                queue = await self._channel.declare_queue(self._queue, passive=True)
        except _FAULTS as error:
            detail = f"the queue {self._queue!r} cannot be looked at any more: {error}"
            raise LineLostError(detail) from error
        return Depth(waiting=queue.declaration_result.message_count)

    async def _settle(self, settling: Awaitable[object]) -> None:
        try:
            await settling
        except _FAULTS as error:
            raise LineLostError(self._lost or f"the connection is gone: {error}") from error


async def _close(close: Callable[[], Awaitable[object]]) -> None:
    """Close a connection that may be broken; the broker has whatever was not settled either way."""
    with contextlib.suppress(*_FAULTS):
        async with asyncio.timeout(DEADLINE_S):
            await close()


def _incoming(message: Message) -> AbstractIncomingMessage:
    handle = message.handle
    if not isinstance(handle, AbstractIncomingMessage):
        msg = "the message came from another source"
        raise TypeError(msg)
    return handle


def _message(incoming: AbstractIncomingMessage) -> Message:
    headers = incoming.headers or {}
    counted = next((headers[name] for name in _COUNTS if name in headers), 0)
    return Message(
        body=incoming.body,
        handle=incoming,
        id=incoming.message_id,
        content_type=incoming.content_type or "",
        headers=_plain(headers),
        deliveries=counted if isinstance(counted, int) else 0,
    )


def _plain(headers: Mapping[str, Any]) -> dict[str, Header]:
    plain = ((name, _header(value)) for name, value in headers.items() if name not in _COUNTS)
    return {name: value for name, value in plain if value is not None}


def _header(value: object) -> Header | None:
    match value:
        case str() | bool() | int():
            return value
        case bytes():
            return value.decode(errors="replace")
        case float() | Decimal():
            return str(value)
        case datetime():
            return to_rfc3339(from_datetime(value))
        case _:
            return None
