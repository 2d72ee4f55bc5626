"""A queue or subscription of Azure Service Bus, by the official SDK: peek-lock, over AMQP 1.0.

What is received is locked, and its lock renewed until it is settled, on the receiver that it came from; the service confirms
every settlement.  A lock that is lost anyway means that the message comes again, as a repeat.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

import msgspec
from azure.servicebus import ServiceBusReceivedMessage, exceptions
from azure.servicebus.aio import AutoLockRenewer, ServiceBusClient, ServiceBusReceiver
from azure.servicebus.amqp import AmqpMessageBodyType

from tocsin.clock import US_PER_S, Clock, from_datetime, to_rfc3339
from tocsin.errors import LineLostError
from tocsin.ports.source import Depth, Header, Message

# One call to receive lives at most so long; the next begins where it ended.
ASK_S: Final = 5.0
DEADLINE_S: Final = 15.0
# A lock is renewed for at most so long; then the message comes again.
HELD_S: Final = 3_600.0
REASON_CHARS: Final = 1_024
_FAULTS: Final = (exceptions.ServiceBusError, OSError, ValueError, RuntimeError)
_COMES_AGAIN: Final = (
    exceptions.MessageLockLostError,
    exceptions.MessageAlreadySettled,
    exceptions.MessageNotFoundError,
)


class ServiceBus:
    """One existing queue, or one subscription of a topic."""

    def __init__(self, connection_string: str, clock: Clock, place: str | tuple[str, str]) -> None:
        """Make it; ``place`` is a queue, or a topic and its subscription.  Nothing connects yet.

        Raises:
            ValueError: The connection string cannot be read.
        """
        self._connection_string = connection_string
        self._clock = clock
        self._place = place
        self._client()

    def _client(self) -> ServiceBusClient:
        # Who reads the line connects again, so the SDK need not try for long by itself.
        return ServiceBusClient.from_connection_string(
            self._connection_string, retry_total=1, retry_backoff_factor=0.2
        )

    @asynccontextmanager
    async def line(self) -> AsyncIterator["ServiceBusLine"]:
        """Connect.

        Raises:
            LineLostError: The service was not reached, refused, or has no such queue or subscription.
        """
        async with contextlib.AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(DEADLINE_S):
                    client = await stack.enter_async_context(_closed_quietly(self._client()))
                    receiver = await stack.enter_async_context(
                        _closed_quietly(self._receiver(client))
                    )
                    # A place that is not there is told only when something is asked of it.
                    await receiver.peek_messages(max_message_count=1)
            except _FAULTS as error:
                raise LineLostError(self._told(error)) from error
            renewer = AutoLockRenewer()
            stack.push_async_callback(renewer.close)
            line = ServiceBusLine(receiver, renewer, self._clock)
            stack.push_async_callback(line.end)
            yield line

    def _receiver(self, client: ServiceBusClient) -> ServiceBusReceiver:
        if isinstance(self._place, str):
            return client.get_queue_receiver(self._place)
        return client.get_subscription_receiver(*self._place)

    def _told(self, error: BaseException) -> str:
        """Say what is wrong; the connection string has a key, so it is not in it."""
        place = self._place if isinstance(self._place, str) else "/".join(self._place)
        match error:
            case exceptions.MessagingEntityNotFoundError():
                return f"there is no {place!r} in this namespace of Service Bus: {error}"
            case exceptions.ServiceBusError() if "requires sessions" in str(error):
                return f"{place!r} requires sessions, which sources do not read; name a queue or subscription that requires none: {error}"
            case (
                exceptions.ServiceBusAuthenticationError()
                | exceptions.ServiceBusAuthorizationError()
            ):
                return f"Service Bus refuses the key, or its right to listen to {place!r}: {error}"
            case _:
                return f"Service Bus, {place!r}: {type(error).__name__}: {error}"


class ServiceBusLine:
    """One receiver, and the locks that it holds."""

    def __init__(
        self, receiver: ServiceBusReceiver, renewer: AutoLockRenewer, clock: Clock
    ) -> None:
        self._receiver = receiver
        self._renewer = renewer
        self._clock = clock
        self._asking: asyncio.Future[list[ServiceBusReceivedMessage]] | None = None
        self._ready: list[Message] = []
        self._first_behind = 1  # by number, from 1 on

    async def receive(self, *, most: int, wait_s: float) -> Sequence[Message]:
        """Take up to ``most`` messages.

        The SDK releases what comes while nobody asks, so one call to it goes on beside ours until something came.
        """
        if not self._ready and most > 0:
            self._ready = await self._ask(most, wait_s)
        taken, self._ready = self._ready[:most], self._ready[most:]
        return taken

    async def _ask(self, most: int, wait_s: float) -> list[Message]:
        if self._asking is None:
            self._asking = asyncio.ensure_future(
                self._receiver.receive_messages(max_message_count=most, max_wait_time=ASK_S)
            )
        done, _ = await asyncio.wait([self._asking], timeout=wait_s)
        if not done:
            return []
        asked, self._asking = self._asking, None
        try:
            received = asked.result()
        except _FAULTS as error:
            raise _lost(error) from error
        for each in received:
            self._renewer.register(self._receiver, each, max_lock_renewal_duration=HELD_S)
            self._first_behind = max(self._first_behind, (each.sequence_number or 0) + 1)
        return [_message(each) for each in received]

    async def ack(self, messages: Sequence[Message]) -> None:
        """Complete messages, beside each other: each is one round trip."""
        await self._settle(self._receiver.complete_message, messages)

    async def reject(self, message: Message, *, reason: str, detail: str) -> None:
        """Move one to the queue's dead letters, where reason and description are kept with it."""

        async def dead_letter(received: ServiceBusReceivedMessage) -> None:
            await self._receiver.dead_letter_message(
                received, reason=reason, error_description=detail[:REASON_CHARS]
            )

        await self._settle(dead_letter, [message])

    async def put_back(self, messages: Sequence[Message]) -> None:
        """Abandon messages; the service counts that as a delivery that failed."""
        await self._settle(self._receiver.abandon_message, [*messages, *self._ready])
        self._ready = []

    async def depth(self) -> Depth:
        """Tell how long the oldest message behind the last one received has been there; how many there are is not told."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                # By itself the SDK would begin behind the last one that it peeked, further on each time.
                found = await self._receiver.peek_messages(
                    max_message_count=1, sequence_number=self._first_behind
                )
        except _FAULTS as error:
            raise _lost(error) from error
        since = found[0].enqueued_time_utc if found else None
        if since is None:
            return Depth(oldest_age_s=0.0)
        age_us = self._clock.now_us() - from_datetime(since)
        return Depth(oldest_age_s=max(0.0, age_us / US_PER_S))

    async def end(self) -> None:
        """Ask no more; what came and was not taken is released when the receiver closes, or its lock ends."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])

    async def _settle(
        self,
        settle: Callable[[ServiceBusReceivedMessage], Awaitable[None]],
        messages: Sequence[Message],
    ) -> None:
        settling = [asyncio.ensure_future(_settled(settle, _received(each))) for each in messages]
        if not settling:
            return
        await asyncio.wait(settling)
        faults = [fault for each in settling if (fault := each.exception()) is not None]
        if faults:
            raise faults[0]


async def _settled(
    settle: Callable[[ServiceBusReceivedMessage], Awaitable[None]],
    message: ServiceBusReceivedMessage,
) -> None:
    """Settle one; where its lock was lost it comes again, and is a repeat then."""
    try:
        await settle(message)
    except _COMES_AGAIN:
        return
    except _FAULTS as error:
        raise _lost(error) from error


@asynccontextmanager
async def _closed_quietly(opened: Any) -> AsyncIterator[Any]:  # noqa: ANN401 -- the client, or a receiver
    """Open one of the SDK's objects and close it at the end, whatever became of its connection."""
    entered = await opened.__aenter__()
    try:
        yield entered
    finally:
        with contextlib.suppress(*_FAULTS):
            async with asyncio.timeout(DEADLINE_S):
                await opened.close()


def _lost(error: BaseException) -> LineLostError:
    return LineLostError(f"the connection to Service Bus is gone: {type(error).__name__}: {error}")


def _received(message: Message) -> ServiceBusReceivedMessage:
    handle = message.handle
    if not isinstance(handle, ServiceBusReceivedMessage):
        msg = "the message came from another source"
        raise TypeError(msg)
    return handle


def _message(received: ServiceBusReceivedMessage) -> Message:
    return Message(
        body=_body(received),
        handle=received,
        id=None if received.message_id is None else str(received.message_id),
        content_type=received.content_type or "",
        headers=_plain(received.application_properties or {}),
        deliveries=received.delivery_count or 0,  # absent the first time
    )


def _body(received: ServiceBusReceivedMessage) -> bytes:
    """Return the body as bytes: data as it is, text as UTF-8, any other value as JSON."""
    body: Any = received.body
    if received.body_type is AmqpMessageBodyType.DATA:
        return b"".join(body)
    if received.body_type is AmqpMessageBodyType.SEQUENCE:
        body = list(body)
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    return msgspec.json.encode(body, enc_hook=str)


def _plain(properties: Mapping[Any, Any]) -> dict[str, Header]:
    plain = ((_text(name), _header(value)) for name, value in properties.items())
    return {name: value for name, value in plain if value is not None}


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _header(value: object) -> Header | None:
    match value:
        case bytes():
            return _text(value)
        case str() | bool() | int():
            return value
        case datetime():
            return to_rfc3339(from_datetime(value))
        case None | list() | dict():
            return None
        case _:
            return str(value)
