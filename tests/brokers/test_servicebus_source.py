"""What only Azure Service Bus has: locks that end, subscriptions of topics, queues with sessions, and numbers to peek from."""

from uuid import uuid4

import pytest
from azure.servicebus import ServiceBusSubQueue
from azure.servicebus.aio import ServiceBusClient

from tests.acceptance.deadlines import until_async
from tests.brokers.broker import Sent
from tests.brokers.service_bus_entity import new_queue
from tests.brokers.servicebus import LOCK_S, ServiceBusBroker
from tests.brokers.test_sources import SOON_S, receive
from tocsin.adapters.servicebus.source import ServiceBus
from tocsin.clock import SystemClock
from tocsin.errors import LineLostError

pytestmark = pytest.mark.acceptance


async def test_what_is_held_for_longer_than_its_lock_does_not_come_to_others(
    service_bus: ServiceBusBroker,
) -> None:
    queue = await service_bus.make_queue()
    entity = service_bus.entity(queue)
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
    service_bus.add(f"{topic}/Subscriptions/tocsin", new_queue(LOCK_S))
    await service_bus.send(f"{topic}/Subscriptions/tocsin", Sent(b"x", "1"))
    source = ServiceBus(service_bus.url, SystemClock(), (topic, "tocsin"))
    async with source.line() as line:
        [message] = await receive(line, 1)
        assert (message.body, message.id) == (b"x", "1")
        await line.ack([message])


async def test_a_queue_that_requires_sessions_is_named_with_what_to_do(
    service_bus: ServiceBusBroker,
) -> None:
    queue = await service_bus.make_queue(sessions=True)
    told = f"'{queue}' requires sessions, which sources do not read; name a queue"
    with pytest.raises(LineLostError, match=told):
        async with service_bus.source(queue).line():
            pytest.fail("it names no session")


async def test_a_rejected_message_is_read_among_the_dead_letters_by_the_sdk(
    service_bus: ServiceBusBroker,
) -> None:
    queue = await service_bus.make_queue()
    await service_bus.send(queue, Sent(b"bad", "1", headers={"kind": "note"}))
    async with service_bus.source(queue).line() as line:
        [message] = await receive(line, 1)
        await line.reject(message, reason="invalid-json", detail="it says nothing")
    async with (
        ServiceBusClient.from_connection_string(service_bus.url) as client,
        client.get_queue_receiver(queue, sub_queue=ServiceBusSubQueue.DEAD_LETTER) as receiver,
    ):
        [letter] = await receiver.receive_messages(max_wait_time=SOON_S)
        assert (str(letter), letter.message_id) == ("bad", "1")
        said = (letter.dead_letter_reason, letter.dead_letter_error_description)
        assert said == ("invalid-json", "it says nothing")
        assert (letter.application_properties or {})[b"kind"] == b"note"
        await receiver.complete_message(letter)


async def test_how_long_the_oldest_has_waited_is_told_however_often_it_is_asked(
    service_bus: ServiceBusBroker,
) -> None:
    queue = await service_bus.make_queue()
    await service_bus.send(queue, Sent(b"held", "1"), Sent(b"waits", "2"))
    async with service_bus.source(queue).line() as line:
        [held] = await receive(line, 1, most=1)
        ages = [(await line.depth()).oldest_age_s or 0.0 for _ in range(3)]
        await line.ack([held])
    assert 0.0 < ages[0] < ages[1] < ages[2]
