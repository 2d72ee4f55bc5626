"""A stream of JetStream, taken from by a durable pull consumer.

What is received is lent for the consumer's ``ack_wait``, which is renewed until it is settled; the server confirms every
settlement.  The client would connect again by itself: here a lost connection ends the line, so what came on it is never
settled by mistake.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import msgspec
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import APIError, NotFoundError

from tocsin.adapters.nats.connection import Place, connect, hosts
from tocsin.clock import from_datetime
from tocsin.errors import ConfigError, LineLostError
from tocsin.ports.source import Depth, Message

DEADLINE_S: Final = 15.0
# One request for messages lives so long; the next begins where it ended.
ASK_S: Final = 5.0
# Of the consumer that is made where there is none.
ACK_WAIT_S: Final = 30.0
REASON_CHARS: Final = 256
_RENEWALS: Final = 3  # in the time of one loan
_ACK, _BACK, _HELD, _END = b"+ACK", b"-NAK", b"+WPI", b"+TERM"
_SENDERS_ID, _CONTENT_TYPE, _SUBJECT = "nats-msg-id", "content-type", "Nats-Subject"
# What ends a request for messages while nothing is wrong: there are none, or its time is over.
_NOTHING: Final = ("404", "408")
_FAULTS: Final = (nats.errors.Error, OSError, TimeoutError)


class Taken(NamedTuple):
    """What is taken from: a stream, which must exist, and a durable consumer, which is made if it does not.

    ``subject`` is what the consumer is made for, and has to be for; None for all of the stream.
    """

    stream: str
    consumer: str
    subject: str | None


class NatsSource:
    """One consumer of one stream."""

    def __init__(self, url: str, taken: Taken) -> None:
        """Make it; the URL names servers, with credentials."""
        self._place = Place.of(url)
        self._taken = taken

    @asynccontextmanager
    async def line(self) -> AsyncIterator["NatsLine"]:
        """Connect.

        Raises:
            LineLostError: No server was reached, it refused, or has no such stream.
        """
        line = NatsLine(self._taken)
        try:
            client = await connect(
                self._place,
                f"source {self._taken.stream}",
                failed=line.complained,
                parted=line.parted,
            )
        except ConfigError as error:
            raise LineLostError(error.detail) from error
        try:
            await self._start(line, client)
            yield line
        finally:
            await line.end()
            with contextlib.suppress(*_FAULTS):
                async with asyncio.timeout(DEADLINE_S):
                    await client.close()

    async def _start(self, line: "NatsLine", client: Client) -> None:
        try:
            async with asyncio.timeout(DEADLINE_S):
                await line.start(client)
        except NotFoundError as error:
            detail = (
                f"there is no stream {self._taken.stream!r} on {hosts(self._place)}; add it there"
            )
            raise LineLostError(detail) from error
        except (APIError, *_FAULTS) as error:
            detail = f"{hosts(self._place)}: {line.trouble or f'{type(error).__name__}: {error}'}"
            raise LineLostError(detail) from error


class NatsLine:
    """One connection, and the loans that it holds."""

    def __init__(self, taken: Taken) -> None:
        self.trouble: str | None = None
        self._taken = taken
        self._client = Client()
        self._inbox = ""
        self._came = asyncio.Event()
        self._ready: deque[Msg] = deque()
        self._held: dict[str, Msg] = {}
        self._asked = 0
        self._asked_until_s = float("-inf")
        self._requests = 0
        self._lost: str | None = None
        self._renewing: asyncio.Future[None] | None = None

    async def complained(self, error: Exception) -> None:
        """Remember what the client does not raise, e.g. a right that is missing."""
        self.trouble = f"{type(error).__name__}: {error}"

    async def parted(self) -> None:
        """End the line: what is held comes again."""
        self._lose("the connection is gone")

    async def start(self, client: Client) -> None:
        """Find the consumer, or make it, and listen for what it brings."""
        self._client = client
        ack_wait_s = await self._consumer()
        self._inbox = client.new_inbox()
        await client.subscribe(f"{self._inbox}.*", cb=self._heard)
        self._renewing = asyncio.ensure_future(self._renew(ack_wait_s / _RENEWALS))

    async def _consumer(self) -> float:
        """Return for how many seconds the consumer lends messages.

        Raises:
            LineLostError: It is of another kind.
        """
        jetstream, (stream, name, subject) = self._client.jetstream(timeout=DEADLINE_S), self._taken
        try:
            found = await jetstream.consumer_info(stream, name)
        except NotFoundError:
            wanted = ConsumerConfig(
                durable_name=name,
                filter_subject=subject,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=ACK_WAIT_S,
            )
            found = await jetstream.add_consumer(stream, wanted)
        config, wrong = found.config, []
        if config.ack_policy != AckPolicy.EXPLICIT:
            wrong.append("its acknowledgements are not explicit")
        if config.deliver_subject is not None:
            wrong.append("it is a push consumer")
        if subject not in {None, config.filter_subject}:
            wrong.append(f"it is for {config.filter_subject or 'all subjects'!r}")
        if wrong:
            detail = f"the consumer {name!r} of {stream!r}: {'; '.join(wrong)}; name another one"
            raise LineLostError(detail)
        return config.ack_wait or ACK_WAIT_S

    async def receive(self, *, most: int, wait_s: float) -> Sequence[Message]:
        """Take up to ``most`` messages.

        A request goes on beside this call until all that it asked for has come, so no more than that is lent.
        """
        if most > 0 and not self._ready:
            self._came.clear()
            await self._ask(most)
            if self._lost is None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._came.wait(), wait_s)
        self._check()
        return [_message(self._ready.popleft()) for _ in range(min(most, len(self._ready)))]

    async def _ask(self, most: int) -> None:
        now_s = asyncio.get_running_loop().time()
        if self._asked > 0 and now_s < self._asked_until_s:
            return
        if self._asked > 0:
            self._lose("the consumer does not answer any more")
            return
        self._asked, self._asked_until_s = most, now_s + ASK_S + DEADLINE_S
        self._requests += 1
        request = msgspec.json.encode({"batch": most, "expires": round(ASK_S * 1e9)})
        stream, name, _ = self._taken
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}"
        try:
            await self._client.publish(subject, request, reply=f"{self._inbox}.{self._requests}")
        except _FAULTS as error:
            self._lose(f"{type(error).__name__}: {error}")

    async def _heard(self, message: Msg) -> None:
        if message.reply:
            self._asked -= 1
            self._held[message.reply] = message
            self._ready.append(message)
            self._came.set()
        elif message.subject == f"{self._inbox}.{self._requests}":
            said = message.headers or {}
            self._asked = 0
            if said.get("Status") not in _NOTHING:
                self._lose(f"the consumer says: {said.get('Status')} {said.get('Description')}")

    async def ack(self, messages: Sequence[Message]) -> None:
        """Let the server forget messages, beside each other: each is one round trip."""
        await self._settle(messages, _ACK)

    async def reject(self, message: Message, *, reason: str, detail: str) -> None:
        """Terminate one: the server tells so, with the reason, in an advisory, and never hands it out again."""
        said = " ".join(f"{reason}: {detail}".split())[:REASON_CHARS]
        await self._settle([message], b"%s %s" % (_END, said.encode()))

    async def put_back(self, messages: Sequence[Message]) -> None:
        """Give messages back; the server counts that as a delivery."""
        await self._settle(messages, _BACK)

    async def depth(self) -> Depth:
        """Tell how many messages were never handed out; since when the oldest waits is not told."""
        stream, name, _ = self._taken
        try:
            found = await self._client.jetstream(timeout=DEADLINE_S).consumer_info(stream, name)
        except (APIError, *_FAULTS) as error:
            detail = f"the consumer {name!r} of {stream!r} cannot be looked at any more: {error}"
            raise LineLostError(detail) from error
        return Depth(waiting=found.num_pending)

    async def end(self) -> None:
        """Give back what is held, if there is still a connection; else it comes again when its loan ends."""
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait([self._renewing])
        if self._lost is not None:
            return
        with contextlib.suppress(*_FAULTS):
            for reply in self._held:
                await self._client.publish(reply, _BACK)
            await self._client.flush()

    async def _renew(self, every_s: float) -> None:
        """Have loans last as long as they are needed."""
        while True:
            await asyncio.sleep(every_s)
            try:
                for reply in list(self._held):
                    await self._client.publish(reply, _HELD)
            except _FAULTS as error:
                self._lose(f"{type(error).__name__}: {error}")
                return

    async def _settle(self, messages: Sequence[Message], how: bytes) -> None:
        """Say what becomes of messages, and wait until the server has heard it."""
        self._check()
        replies = [_received(message).reply for message in messages]
        try:
            async with asyncio.TaskGroup() as settling:
                for reply in replies:
                    settling.create_task(self._say(reply, how))
        except ExceptionGroup as error:
            detail = f"what becomes of a message was not heard: {error.exceptions[0]!r}"
            self._lose(detail)
            raise LineLostError(detail) from error
        for reply in replies:
            self._held.pop(reply, None)

    async def _say(self, reply: str, how: bytes) -> None:
        await self._client.request(reply, how, timeout=DEADLINE_S)

    def _lose(self, why: str) -> None:
        self._lost = self._lost or why
        self._came.set()

    def _check(self) -> None:
        if self._lost is not None:
            raise LineLostError(self._lost)


def _received(message: Message) -> Msg:
    handle = message.handle
    if not isinstance(handle, Msg):
        msg = "the message came from another source"
        raise TypeError(msg)
    return handle


def _message(received: Msg) -> Message:
    headers = received.headers or {}
    known = {name.lower(): value for name, value in headers.items()}
    metadata = received.metadata
    return Message(
        body=received.data,
        handle=received,
        id=known.get(_SENDERS_ID) or _kept_as(received),
        content_type=known.get(_CONTENT_TYPE, ""),
        headers=_told(headers, received.subject),
        deliveries=metadata.num_delivered - 1,
    )


def _kept_as(received: Msg) -> str:
    """Return what the stream knows a message by; with its time, since numbers begin anew with a stream that is made anew."""
    metadata = received.metadata
    kept_us = from_datetime(metadata.timestamp)
    return f"{metadata.stream}:{metadata.sequence.stream}:{kept_us}"


def _told(headers: Mapping[str, str], subject: str) -> Mapping[str, str]:
    return {**headers, _SUBJECT: subject}
