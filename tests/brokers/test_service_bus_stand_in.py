"""What stands in for Azure Service Bus does what its queues do, as Microsoft's own SDK sees it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from azure.servicebus import (
    NEXT_AVAILABLE_SESSION,
    AutoLockRenewer,
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusMessageState,
    ServiceBusReceivedMessage,
    ServiceBusReceiveMode,
    ServiceBusReceiver,
    ServiceBusSubQueue,
    exceptions,
)
from azure.servicebus.aio import ServiceBusClient as AsyncServiceBusClient

from tests.acceptance.deadlines import until
from tests.brokers.service_bus_entity import MAX_DELIVERIES, Entity, new_queue
from tests.brokers.servicebus import ServiceBusBroker

pytestmark = pytest.mark.acceptance

LONG_S = 60.0
SOON_S = 20.0
# For so long a receiver listens to be sure that nothing comes.
NOTHING_S = 0.5


class Queue:
    """A queue, and the SDK on it."""

    def __init__(self, bus: ServiceBusBroker, client: ServiceBusClient, entity: Entity) -> None:
        self.name = f"q-{uuid4()}"
        self.entity = entity
        self._client = client
        bus.add(self.name, entity)

    def send(self, *messages: ServiceBusMessage) -> None:
        """Send messages, each alone."""
        with self._client.get_queue_sender(self.name) as sender:
            for message in messages:
                sender.send_messages(message)

    def sender(self) -> Any:
        return self._client.get_queue_sender(self.name)

    def receiver(self, **more: Any) -> Any:
        return self._client.get_queue_receiver(self.name, **more)

    def dead(self) -> Any:
        return self.receiver(sub_queue=ServiceBusSubQueue.DEAD_LETTER)

    def is_empty(self, **more: Any) -> bool:
        with self.receiver(**more) as receiver:
            return not receiver.receive_messages(max_wait_time=NOTHING_S)


@pytest.fixture(scope="module")
def client(service_bus: ServiceBusBroker) -> Iterator[ServiceBusClient]:
    with ServiceBusClient.from_connection_string(service_bus.url, retry_total=0) as client:
        yield client


@pytest.fixture
def queue(service_bus: ServiceBusBroker, client: ServiceBusClient) -> Queue:
    return Queue(service_bus, client, new_queue(LONG_S))


@pytest.fixture
def sessions(service_bus: ServiceBusBroker, client: ServiceBusClient) -> Queue:
    """A queue that is read session by session."""
    return Queue(service_bus, client, new_queue(LONG_S, sessions=True))


def message(body: str, **more: Any) -> ServiceBusMessage:
    return ServiceBusMessage(body, **more)


def receive(receiver: ServiceBusReceiver, count: int = 1) -> list[ServiceBusReceivedMessage]:
    """Receive exactly so many."""
    found: list[ServiceBusReceivedMessage] = []
    while len(found) < count:
        came = receiver.receive_messages(count - len(found), max_wait_time=SOON_S)
        assert came, f"{len(found)} of {count} messages came"
        found += came
    return found


def bodies(messages: Sequence[ServiceBusReceivedMessage]) -> list[str]:
    return [str(each) for each in messages]


@contextmanager
def received(queue: Queue, **more: Any) -> Iterator[tuple[Any, Any]]:
    """Receive one message; yields receiver and message."""
    with queue.receiver(**more) as receiver:
        [message] = receive(receiver)
        yield receiver, message


# Sending


def test_a_message_is_sent_received_and_completed(queue: Queue) -> None:
    began = datetime.now(UTC) - timedelta(seconds=1)
    queue.send(message("x", message_id="m1", application_properties={"kind": "note"}))
    with received(queue) as (receiver, got):
        assert (str(got), got.message_id, got.sequence_number) == ("x", "m1", 1)
        assert got.application_properties == {b"kind": b"note"}
        assert not got.delivery_count
        assert began < got.enqueued_time_utc < got.locked_until_utc
        assert queue.entity.locks.keys() == {got.lock_token}
        receiver.complete_message(got)
    assert not queue.entity.locks
    assert queue.is_empty()


def test_the_messages_of_a_batch_come_one_by_one_with_all_that_each_says(queue: Queue) -> None:
    with queue.sender() as sender:
        batch = sender.create_message_batch()
        for number in range(3):
            batch.add_message(message(f"{number}", message_id=f"m{number}", subject=f"s{number}"))
        sender.send_messages(batch)
    with queue.receiver() as receiver:
        got = receive(receiver, 3)
    found = [(str(each), each.message_id, each.subject) for each in got]
    assert found == [("0", "m0", "s0"), ("1", "m1", "s1"), ("2", "m2", "s2")]


def test_a_list_of_messages_is_sent_at_once(queue: Queue) -> None:
    with queue.sender() as sender:
        sender.send_messages([message("a"), message("b")])
        sender.send_messages([message("alone")])
    with queue.receiver() as receiver:
        assert bodies(receive(receiver, 3)) == ["a", "b", "alone"]


async def test_the_asynchronous_client_sends_alone_and_in_batches_and_receives(
    service_bus: ServiceBusBroker, queue: Queue
) -> None:
    async with (
        AsyncServiceBusClient.from_connection_string(service_bus.url) as client,
        client.get_queue_sender(queue.name) as sender,
        client.get_queue_receiver(queue.name) as receiver,
    ):
        await sender.send_messages(message("a"))
        batch = await sender.create_message_batch()
        batch.add_message(message("b"))
        await sender.send_messages(batch)
        found: list[str] = []
        while len(found) < 2:
            for each in await receiver.receive_messages(2, max_wait_time=SOON_S):
                found.append(str(each))
                await receiver.complete_message(each)
    assert found == ["a", "b"]
    assert (queue.entity.waiting, queue.entity.locks) == ([], {})


def test_a_message_of_900_kb_comes_whole(queue: Queue) -> None:
    body = "0123456789" * 90_000
    queue.send(message(body))
    with received(queue) as (receiver, got):
        assert str(got) == body
        receiver.complete_message(got)


def test_a_second_message_of_the_same_id_is_dropped_where_duplicates_are_detected(
    service_bus: ServiceBusBroker, client: ServiceBusClient, queue: Queue
) -> None:
    detecting = Queue(service_bus, client, new_queue(LONG_S, duplicates_s=LONG_S))
    for each in (queue, detecting):
        each.send(message("first", message_id="1"), message("again", message_id="1"))
        each.send(message("without"), message("without"))
    with queue.receiver() as receiver:
        assert len(receive(receiver, 4)) == 4
    with detecting.receiver() as receiver:
        assert bodies(receive(receiver, 3)) == ["first", "without", "without"]
    assert detecting.is_empty()


def test_the_envelope_of_a_batch_is_no_duplicate_of_its_first_message(
    service_bus: ServiceBusBroker, client: ServiceBusClient
) -> None:
    queue = Queue(service_bus, client, new_queue(LONG_S, duplicates_s=LONG_S))
    with queue.sender() as sender:
        sender.send_messages(message("a", message_id="1"))
        sender.send_messages([message("again", message_id="1"), message("b", message_id="2")])
    with queue.receiver() as receiver:
        assert bodies(receive(receiver, 2)) == ["a", "b"]
    assert queue.is_empty()


def test_an_id_is_free_again_after_the_time_of_detection(
    service_bus: ServiceBusBroker, client: ServiceBusClient
) -> None:
    queue = Queue(service_bus, client, new_queue(LONG_S, duplicates_s=0.05))

    def came_again() -> bool:
        queue.send(message("x", message_id="1"))
        return len(queue.entity.waiting) >= 2

    until(came_again, "the id is new again", SOON_S)


# Settling


def test_an_abandoned_message_comes_again_and_its_deliveries_are_counted(queue: Queue) -> None:
    queue.send(message("x"), message("y"))
    counts = []
    with queue.receiver() as receiver:
        for _ in range(3):
            [got] = receive(receiver)
            assert str(got) == "x", "it comes again before those behind it"
            counts.append(got.delivery_count or 0)
            receiver.abandon_message(got)
    assert counts == [0, 1, 2]


def test_a_dead_letter_is_read_with_its_reason_and_completed(queue: Queue) -> None:
    queue.send(message("x", application_properties={"kind": "note"}))
    with received(queue) as (receiver, got):
        receiver.dead_letter_message(got, reason="bad", error_description="it is bad")
    assert queue.is_empty()
    with queue.dead() as receiver:
        [letter] = receiver.peek_messages()
        assert str(letter) == "x"
        [letter] = receive(receiver)
        said = (letter.dead_letter_reason, letter.dead_letter_error_description)
        assert said == ("bad", "it is bad")
        assert (letter.application_properties or {})[b"kind"] == b"note"
        receiver.complete_message(letter)
        assert not receiver.receive_messages(max_wait_time=NOTHING_S)


def test_a_message_dies_of_too_many_deliveries(queue: Queue) -> None:
    queue.send(message("x"))
    with queue.receiver() as receiver:
        for _ in range(MAX_DELIVERIES):
            [got] = receive(receiver)
            receiver.abandon_message(got)
        assert not receiver.receive_messages(max_wait_time=NOTHING_S)
    with queue.dead() as receiver:
        [letter] = receive(receiver)
    said = (letter.dead_letter_reason, letter.delivery_count)
    assert said == ("MaxDeliveryCountExceeded", MAX_DELIVERIES)


def test_what_is_received_to_be_deleted_is_gone_at_once(queue: Queue) -> None:
    queue.send(message("a"), message("b"))
    with queue.receiver(receive_mode=ServiceBusReceiveMode.RECEIVE_AND_DELETE) as receiver:
        assert bodies(receive(receiver, 2)) == ["a", "b"]
        assert (queue.entity.waiting, queue.entity.locks) == ([], {})
    assert queue.is_empty()


def test_a_receiver_that_closes_leaves_nothing_locked_that_it_did_not_take(queue: Queue) -> None:
    queue.send(message("taken"))
    with queue.receiver(prefetch_count=5) as receiver:
        [taken] = receive(receiver)
        queue.send(message("a"), message("b"))
        until(lambda: len(queue.entity.locks) == 3, "two are on their way", SOON_S)
    until(lambda: len(queue.entity.waiting) == 2, "both are given back", SOON_S)
    queue.send(message("c"))
    with queue.receiver() as receiver:
        got = receive(receiver, 3)
    assert [(str(each), each.delivery_count or 0) for each in got] == [("a", 0), ("b", 0), ("c", 0)]
    assert taken.lock_token in queue.entity.locks


# Locks


def test_a_lock_is_renewed(queue: Queue) -> None:
    queue.send(message("x"))
    with received(queue) as (receiver, got):
        before = got.locked_until_utc
        assert receiver.renew_message_lock(got) > before
        assert got.locked_until_utc > before
        receiver.complete_message(got)


def test_a_lock_that_is_renewed_all_the_time_outlives_what_it_was_given_for(
    service_bus: ServiceBusBroker, client: ServiceBusClient
) -> None:
    queue = Queue(service_bus, client, new_queue(3.0))
    queue.send(message("x"))
    with AutoLockRenewer() as renewer, received(queue) as (receiver, got):
        renewer.register(receiver, got, max_lock_renewal_duration=LONG_S)
        over = got.locked_until_utc + timedelta(seconds=0.5)
        until(lambda: datetime.now(UTC) > over, "the first lock is over", SOON_S)
        assert queue.entity.locks.keys() == {got.lock_token}
        receiver.complete_message(got)
    assert queue.is_empty()


def test_a_message_whose_lock_ends_comes_again_and_its_holder_is_told(
    service_bus: ServiceBusBroker, client: ServiceBusClient
) -> None:
    queue = Queue(service_bus, client, new_queue(1.0))
    queue.send(message("x"))
    with received(queue) as (first, got):
        queue.entity.lock_s = LONG_S
        with received(queue) as (second, again):
            assert (str(again), again.delivery_count) == ("x", 1)
            with pytest.raises(exceptions.MessageLockLostError):
                first.complete_message(got)
            second.complete_message(again)


def test_a_lock_that_the_queue_lost_before_its_time_is_told_by_the_queue(queue: Queue) -> None:
    queue.send(message("x"), message("y"))
    with queue.receiver() as receiver:
        settled, renewed = receive(receiver, 2)
        queue.entity.locks.clear()
        with pytest.raises(exceptions.MessageLockLostError, match="lock supplied is invalid"):
            receiver.complete_message(settled)
        with pytest.raises(exceptions.MessageLockLostError, match="renew failed"):
            receiver.renew_message_lock(renewed)


# Put aside


def deferred(queue: Queue, body: str = "x") -> int:
    """Send a message and defer it; returns its number."""
    queue.send(message(body))
    with received(queue) as (receiver, got):
        receiver.defer_message(got)
        number = got.sequence_number
    assert isinstance(number, int)
    return number


def test_a_deferred_message_comes_only_when_it_is_asked_for_by_its_number(queue: Queue) -> None:
    number = deferred(queue)
    assert queue.is_empty()
    with queue.receiver() as receiver:
        [got] = receiver.receive_deferred_messages(number)
        assert (str(got), got.sequence_number) == ("x", number)
        assert got.state is ServiceBusMessageState.DEFERRED
        assert queue.entity.locks.keys() == {got.lock_token}
        receiver.complete_message(got)
        with pytest.raises(exceptions.MessageNotFoundError):
            receiver.receive_deferred_messages(number)
    assert (queue.entity.aside, queue.entity.locks) == ({}, {})


def test_a_deferred_message_is_settled_as_any_other(queue: Queue) -> None:
    number = deferred(queue)
    with queue.receiver() as receiver:
        [got] = receiver.receive_deferred_messages(number)
        receiver.abandon_message(got)
        [got] = receiver.receive_deferred_messages([number])
        assert got.delivery_count == 1
        receiver.renew_message_lock(got)
        receiver.defer_message(got)
        [got] = receiver.receive_deferred_messages(number)
        receiver.dead_letter_message(got, reason="bad", error_description="it is bad")
        with pytest.raises(exceptions.MessageLockLostError):
            lost(receiver, queue, deferred(queue))
    with queue.dead() as receiver:
        [letter] = receive(receiver)
    said = (letter.dead_letter_reason, letter.dead_letter_error_description)
    assert said == ("bad", "it is bad")


def lost(receiver: ServiceBusReceiver, queue: Queue, number: int) -> None:
    """Settle a deferred message whose lock the queue has lost."""
    [got] = receiver.receive_deferred_messages(number)
    queue.entity.locks.clear()
    receiver.complete_message(got)


def test_a_deferred_message_is_deleted_by_a_receiver_that_deletes(queue: Queue) -> None:
    number = deferred(queue)
    with queue.receiver(receive_mode=ServiceBusReceiveMode.RECEIVE_AND_DELETE) as receiver:
        assert bodies(receiver.receive_deferred_messages(number)) == ["x"]
    assert (queue.entity.aside, queue.entity.locks) == ({}, {})


def test_a_scheduled_message_comes_at_its_time(queue: Queue) -> None:
    at = datetime.now(UTC) + timedelta(seconds=2)
    with queue.sender() as sender:
        first, second = sender.schedule_messages([message("a"), message("b")], at)
        sender.send_messages(message("now"))
        sender.send_messages(message("c", scheduled_enqueue_time_utc=at))
    assert (first, second) == (1, 2)
    with queue.receiver() as receiver:
        assert bodies(receive(receiver)) == ["now"]
        got = receive(receiver, 3)
    assert bodies(got) == ["a", "b", "c"]
    assert datetime.now(UTC) >= at
    assert min(each.sequence_number or 0 for each in got) > 4, "it is as if they were sent now"


def test_a_scheduled_message_that_was_cancelled_does_not_come(queue: Queue) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    with queue.sender() as sender:
        [kept, cancelled] = sender.schedule_messages([message("a"), message("b")], at)
        sender.cancel_scheduled_messages(cancelled)
        with queue.receiver() as receiver:
            [waiting] = receiver.peek_messages(9)
        assert (waiting.sequence_number, str(waiting)) == (kept, "a")
        assert waiting.state is ServiceBusMessageState.SCHEDULED
        with pytest.raises(exceptions.MessageNotFoundError):
            sender.cancel_scheduled_messages(cancelled)


def test_messages_are_looked_at_from_a_number_on_and_nothing_becomes_of_them(queue: Queue) -> None:
    queue.send(*(message(f"{number}") for number in range(1, 6)))
    with received(queue) as (receiver, held):
        assert bodies(receiver.peek_messages(2, sequence_number=1)) == ["1", "2"]
        assert bodies(receiver.peek_messages(2)) == ["3", "4"]
        [last] = receiver.peek_messages(9, sequence_number=5)
        assert (str(last), last.sequence_number) == ("5", 5)
        assert not receiver.peek_messages(9, sequence_number=6)
        assert queue.entity.locks.keys() == {held.lock_token}
    assert len(queue.entity.waiting) == 4


# Sessions


def in_session(name: str, *texts: str) -> Sequence[ServiceBusMessage]:
    return [message(body, session_id=name) for body in texts]


def test_the_receiver_of_a_session_gets_its_messages_and_no_others(sessions: Queue) -> None:
    sessions.send(*in_session("a", "a1"), *in_session("b", "b1"), *in_session("a", "a2"))
    with sessions.receiver(session_id="b") as receiver:
        got = receive(receiver)
        assert [(str(each), each.session_id) for each in got] == [("b1", "b")]
        receiver.complete_message(got[0])
        assert not receiver.receive_messages(max_wait_time=NOTHING_S)
        assert receiver.session.session_id == "b"
        left = receiver.session.locked_until_utc - datetime.now(UTC)
        assert LONG_S / 2 < left.total_seconds() <= LONG_S
    with sessions.receiver(session_id="a") as receiver:
        assert bodies(receive(receiver, 2)) == ["a1", "a2"]


def test_a_session_that_somebody_has_is_refused(sessions: Queue) -> None:
    with sessions.receiver(session_id="a") as first:
        assert first.session.session_id == "a"
        with (
            pytest.raises(exceptions.SessionCannotBeLockedError, match="another receiver"),
            sessions.receiver(session_id="a"),
        ):
            pytest.fail("somebody has it")


def test_receivers_that_want_any_session_get_one_each_that_has_messages(sessions: Queue) -> None:
    sessions.send(*in_session("a", "a1"), *in_session("b", "b1"), *in_session("a", "a2"))
    with received(sessions, session_id=NEXT_AVAILABLE_SESSION) as (one, first):
        assert (one.session.session_id, str(first)) == ("a", "a1")
        with received(sessions, session_id=NEXT_AVAILABLE_SESSION) as (other, second):
            assert (other.session.session_id, str(second)) == ("b", "b1")
            with (
                pytest.raises(exceptions.OperationTimeoutError),
                sessions.receiver(session_id=NEXT_AVAILABLE_SESSION, max_wait_time=NOTHING_S),
            ):
                pytest.fail("there is no third")


def test_a_receiver_waits_for_the_next_session(sessions: Queue) -> None:
    sent = in_session("a", "a1")
    with sessions.sender() as sender:
        [number] = sender.schedule_messages(sent, datetime.now(UTC) + timedelta(seconds=2))
    with received(sessions, session_id=NEXT_AVAILABLE_SESSION) as (receiver, got):
        assert (receiver.session.session_id, str(got)) == ("a", "a1")
        assert got.sequence_number > number


def test_a_session_that_is_closed_is_free_and_counts_no_failure(sessions: Queue) -> None:
    sessions.send(*in_session("a", "a1"))
    with received(sessions, session_id="a") as (_, first):
        assert str(first) == "a1"
    with received(sessions, session_id="a") as (receiver, again):
        assert not again.delivery_count
        receiver.complete_message(again)


def test_the_lock_of_a_session_is_renewed_with_those_of_its_messages(sessions: Queue) -> None:
    sessions.send(*in_session("a", "a1"))
    with received(sessions, session_id="a") as (receiver, got):
        before = receiver.session.locked_until_utc
        assert receiver.session.renew_lock() > before
        [lock] = sessions.entity.locks.values()
        assert lock.until_s > before.timestamp()
        receiver.complete_message(got)


def test_a_session_whose_lock_ends_goes_to_the_next_and_its_receiver_is_told(
    service_bus: ServiceBusBroker, client: ServiceBusClient
) -> None:
    queue = Queue(service_bus, client, new_queue(1.5, sessions=True))
    queue.send(*in_session("a", "a1"))
    with received(queue, session_id="a") as (first, got):
        assert queue.entity.sessions is not None
        queue.entity.sessions.lock_s = LONG_S
        with received(queue, session_id=NEXT_AVAILABLE_SESSION) as (second, again):
            assert (second.session.session_id, again.delivery_count) == ("a", 1)
            second.complete_message(again)
        with pytest.raises(exceptions.SessionLockLostError):
            first.complete_message(got)


def test_a_session_keeps_its_state(sessions: Queue) -> None:
    with sessions.receiver(session_id="a") as receiver:
        assert receiver.session.get_state() is None
        receiver.session.set_state("so far")
    with sessions.receiver(session_id="a") as receiver:
        assert receiver.session.get_state() == b"so far"
        receiver.session.set_state(None)
        assert receiver.session.get_state() is None


def test_a_message_of_a_session_is_deferred_and_peeked_within_it(sessions: Queue) -> None:
    sessions.send(*in_session("a", "a1", "a2"), *in_session("b", "b1"))
    with received(sessions, session_id="a") as (receiver, got):
        receiver.defer_message(got)
        peeked = receiver.peek_messages(9, sequence_number=1)
        assert bodies(peeked) == ["a1", "a2"]
        [again] = receiver.receive_deferred_messages(got.sequence_number)
        receiver.complete_message(again)
    with (
        sessions.receiver(session_id="b") as receiver,
        pytest.raises(exceptions.MessageNotFoundError),
    ):
        receiver.receive_deferred_messages(got.sequence_number)


def test_a_message_without_session_is_refused_where_sessions_are_required(sessions: Queue) -> None:
    with pytest.raises(exceptions.ServiceBusError, match="SessionId was not set"):
        sessions.send(message("x"))
    assert not sessions.entity.waiting


def test_a_receiver_without_session_is_refused_where_sessions_are_required(sessions: Queue) -> None:
    with (
        pytest.raises(exceptions.ServiceBusError, match="an entity that requires sessions"),
        sessions.receiver(),
    ):
        pytest.fail("it names no session")


def test_a_receiver_with_session_is_refused_where_there_are_none(queue: Queue) -> None:
    with (
        pytest.raises(exceptions.ServiceBusError, match="does not require sessions"),
        queue.receiver(session_id="a"),
    ):
        pytest.fail("there are no sessions")
