"""RabbitMQ for the tests of sources: quorum queues, whose dead letters go to a queue beside each."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aio_pika
from aio_pika.abc import AbstractChannel

from tests.brokers.broker import Sent
from tests.brokers.rabbitmq_server import RabbitServer
from tocsin.adapters.rabbitmq.source import RabbitMq
from tocsin.ports.source import MessageSource

QUIET_S = 0.3


class RabbitBroker:
    """One RabbitMQ server."""

    def __init__(self) -> None:
        self._server = RabbitServer()

    def settings(self, queue: str) -> dict[str, Any]:
        return {"url": self._server.url(), "queue": queue}

    def source(self, queue: str, *, held: int = 100, **instead: str) -> MessageSource:
        said = {**self.settings(queue), **instead}
        return RabbitMq(said["url"], said["queue"], held=held)

    def stranger_url(self) -> str:
        """Return a URL with a password that is wrong."""
        return self._server.url().replace("guest:guest", "guest:wrong")

    def told(self, headers: Mapping[str, Any]) -> Mapping[str, Any]:
        return headers

    async def make_queue(self, **more: Any) -> str:
        name = f"q-{uuid4()}"
        arguments = {
            "x-queue-type": "quorum",
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": _dead(name),
            **more,
        }
        async with self._channel() as channel:
            await channel.declare_queue(name, durable=True, arguments=arguments)
            await channel.declare_queue(_dead(name), durable=True)
        return name

    async def send(self, queue: str, *messages: Sent) -> None:
        async with self._channel() as channel:
            for sent in messages:
                message = aio_pika.Message(
                    sent.body,
                    message_id=sent.id,
                    content_type=sent.content_type,
                    headers=dict(sent.headers),
                    delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                )
                await channel.default_exchange.publish(message, queue)

    async def left(self, queue: str) -> int:
        async with self._channel() as channel:
            found = await channel.declare_queue(queue, passive=True)
            return found.declaration_result.message_count or 0

    async def dead(self, queue: str) -> Sequence[tuple[bytes, str]]:
        found = []
        async with self._channel() as channel:
            dead = await channel.get_queue(_dead(queue))
            while (message := await dead.get(no_ack=True, fail=False)) is not None:
                found.append((message.body, ""))  # AMQP 0-9-1 has no place for a reason
        return found

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def remove(self) -> None:
        self._server.remove()

    @asynccontextmanager
    async def _channel(self) -> AsyncIterator[AbstractChannel]:
        connection = await aio_pika.connect(self._server.url())
        async with connection:
            yield await connection.channel(on_return_raises=True)


def _dead(queue: str) -> str:
    return f"{queue}.dead"
