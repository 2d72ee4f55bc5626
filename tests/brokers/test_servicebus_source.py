"""What only Azure Service Bus has: locks that end, and subscriptions of topics."""

import gc
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.acceptance.deadlines import until_async
from tests.brokers.broker import Sent
from tests.brokers.service_bus_entity import Entity
from tests.brokers.servicebus import LOCK_S, ServiceBusBroker
from tests.brokers.test_sources import receive
from tocsin.adapters.servicebus.source import ServiceBus
from tocsin.clock import SystemClock

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def service_bus() -> Iterator[ServiceBusBroker]:
    made = ServiceBusBroker()
    try:
        made.start()
        yield made
    finally:
        made.remove()
        gc.collect()  # of sockets that the SDK left open is told here, and in no test of others


async def test_what_is_held_for_longer_than_its_lock_does_not_come_to_others(
    service_bus: ServiceBusBroker,
) -> None:
    queue = await service_bus.make_queue()
    entity = service_bus._bus.entities[queue]
    await service_bus.send(queue, Sent(b"x", "1"))
    async with service_bus.source(queue).line() as line:
        [message] = await receive(line, 1)
        [lock] = entity.locks.values()
        began_s = lock.until_s - LOCK_S

        async def is_renewed() -> bool:
            assert list(entity.locks.values()) == [lock], "it is nobody else's"
            return lock.until_s - began_s > 2 * LOCK_S

        await until_async(is_renewed, "the lock outlives what it was given for")
        await line.ack([message])
    assert (list(entity.waiting), entity.locks) == ([], {})


async def test_a_subscription_of_a_topic_is_read(service_bus: ServiceBusBroker) -> None:
    topic = f"t-{uuid4()}"
    service_bus._bus.entities[f"{topic}/Subscriptions/tocsin"] = Entity(LOCK_S)
    await service_bus.send(f"{topic}/Subscriptions/tocsin", Sent(b"x", "1"))
    source = ServiceBus(service_bus.url, SystemClock(), (topic, "tocsin"))
    async with source.line() as line:
        [message] = await receive(line, 1)
        assert (message.body, message.id) == (b"x", "1")
        await line.ack([message])
