"""The stand-in for Azure Service Bus, for the tests of sources; messages are sent by the SDK, as senders do."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient

from tests.acceptance.server_process import free_port
from tests.brokers.broker import Sent
from tests.brokers.service_bus_entity import Entity, new_queue
from tests.brokers.service_bus_stand_in import HOST, ServiceBusStandIn
from tocsin.adapters.servicebus.source import ServiceBus
from tocsin.clock import SystemClock
from tocsin.ports.source import MessageSource

LOCK_S = 5.0


class ServiceBusBroker:
    """One namespace."""

    def __init__(self) -> None:
        self._bus = ServiceBusStandIn(free_port())

    @property
    def url(self) -> str:
        """Its connection string."""
        where = f"Endpoint=sb://{HOST}:{self._bus.port}/"
        return (
            f"{where};SharedAccessKeyName=all;SharedAccessKey=c2VjcmV0;UseDevelopmentEmulator=true"
        )

    def settings(self, queue: str) -> dict[str, Any]:
        return {"url": self.url, "queue": queue}

    def source(self, queue: str, *, held: int = 100) -> MessageSource:
        del held  # nothing is received that was not asked for
        return ServiceBus(self.url, SystemClock(), queue)

    def told(self, headers: Mapping[str, Any]) -> Mapping[str, Any]:
        return headers

    async def make_queue(self, lock_s: float = LOCK_S, **more: Any) -> str:
        name = f"q-{uuid4()}"
        self.add(name, new_queue(lock_s, **more))
        return name

    def add(self, name: str, entity: Entity) -> None:
        """Have a queue, or a subscription, under this path."""
        with self._bus.guard:
            self._bus.entities[name] = entity

    def entity(self, name: str) -> Entity:
        """Return what is under a path."""
        with self._bus.guard:
            return self._bus.entities[name]

    async def send(self, queue: str, *messages: Sent) -> None:
        async with (
            ServiceBusClient.from_connection_string(self.url) as client,
            client.get_queue_sender(queue) as sender,
        ):
            for sent in messages:
                properties: Any = dict(sent.headers)
                message = ServiceBusMessage(
                    sent.body,
                    message_id=sent.id,
                    content_type=sent.content_type,
                    application_properties=properties,
                )
                await sender.send_messages(message)

    async def left(self, queue: str) -> int:
        with self._bus.guard:
            return len(self._bus.entities[queue].waiting)

    async def dead(self, queue: str) -> Sequence[tuple[bytes, str]]:
        letters = self.entity(queue).dead
        assert letters is not None
        with self._bus.guard:
            dead, letters.waiting = [each.message for each in letters.waiting], []
        return [(bytes(letter.body), letter.properties["DeadLetterReason"]) for letter in dead]

    def start(self) -> None:
        self._bus.start()

    def stop(self) -> None:
        self._bus.stop()

    def remove(self) -> None:
        self.stop()
