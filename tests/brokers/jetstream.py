"""NATS for the tests of sources: a stream for each queue, with what tells of messages that were given up beside it."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import nats
from nats.errors import TimeoutError as NothingError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import NotFoundError

from tests.brokers.broker import Sent
from tests.ports.nats_server import NatsServer
from tocsin.adapters.nats.source import NatsSource, Taken
from tocsin.ports.source import MessageSource

CONSUMER = "tocsin"
# Long enough for a machine under load, and a killed server's messages come again soon.
ACK_WAIT_S = 8.0


class NatsBroker:
    """One NATS server with JetStream."""

    def __init__(self) -> None:
        self._server = NatsServer()

    def settings(self, queue: str) -> dict[str, Any]:
        return {"url": self._server.url, "stream": queue, "consumer": CONSUMER}

    def source(self, queue: str, *, held: int = 100, **instead: str) -> MessageSource:
        said = {**self.settings(queue), **instead}
        taken = Taken(said["stream"], said["consumer"], said.get("subject"))
        return NatsSource(said["url"], taken)

    def told(self, headers: Mapping[str, Any]) -> Mapping[str, Any]:
        return {name: _text(value) for name, value in headers.items()}

    async def make_queue(self, **more: Any) -> str:
        name = f"q-{uuid4()}"
        async with self._jetstream() as jetstream:
            await jetstream.add_stream(name=name, subjects=[f"{name}.>"])
            given_up = f"$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.{name}.*"
            await jetstream.add_stream(name=_dead(name), subjects=[given_up])
            consumer = ConsumerConfig(
                durable_name=CONSUMER, ack_policy=AckPolicy.EXPLICIT, ack_wait=ACK_WAIT_S, **more
            )
            await jetstream.add_consumer(name, consumer)
        return name

    async def send(self, queue: str, *messages: Sent) -> None:
        async with self._jetstream() as jetstream:
            for sent in messages:
                headers = {**self.told(sent.headers)}
                if sent.id is not None:
                    headers["Nats-Msg-Id"] = sent.id
                if sent.content_type is not None:
                    headers["Content-Type"] = sent.content_type
                await jetstream.publish(f"{queue}.sent", sent.body, headers=headers)

    async def left(self, queue: str) -> int:
        async with self._jetstream() as jetstream:
            found = await jetstream.consumer_info(queue, CONSUMER)
            return (found.num_pending or 0) + (found.num_ack_pending or 0)

    async def dead(self, queue: str) -> Sequence[tuple[bytes, str]]:
        found = []
        async with self._jetstream() as jetstream:
            subject = f"$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.{queue}.*"
            try:
                asked = await jetstream.pull_subscribe(subject, "test", stream=_dead(queue))
                told = await asked.fetch(10, timeout=0.5)
            except (NothingError, NotFoundError):
                return []
            for each in told:
                await each.ack_sync()
                advisory = json.loads(each.data)
                message = await jetstream.get_msg(queue, advisory["stream_seq"])
                found.append((message.data or b"", advisory["reason"].partition(":")[0]))
        return found

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.kill()

    def remove(self) -> None:
        self._server.remove()

    @asynccontextmanager
    async def _jetstream(self) -> AsyncIterator[JetStreamContext]:
        client = await nats.connect(self._server.url)
        try:
            yield client.jetstream()
        finally:
            await client.close()


def _dead(queue: str) -> str:
    return f"{queue}-dead"


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
