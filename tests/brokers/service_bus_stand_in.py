"""What stands in for Azure Service Bus: AMQP 1.0 as the official SDK speaks it, as far as its queues and their messages go.

The official emulator is two containers under a proprietary licence, so it can be no part of this suite.  Done here: tokens
(``$cbs``), sending alone and in batches, duplicate detection, receiving with peek-lock and with receive-and-delete, settlement
with its echo, locks that end, dead letters with reason and their queue, draining, sessions, by name and the next one, and by
``$management`` peeking, scheduling and cancelling, deferred messages, renewal of locks, and the state of sessions.  Not done:
rights, transactions, time to live, forwarding, partitions, lists of sessions, and topics: what is sent to a subscription is in
it.  ``service_bus_entity.py`` is the queue, ``service_bus_receivers.py`` the links that messages go out on,
``service_bus_management.py`` the operations; this is the server around them, and what comes in.

Source: the SDK's own traffic, and Microsoft's "AMQP 1.0 in Azure Service Bus protocol guide".
"""

import threading
from typing import Any
from urllib.parse import urlsplit

from proton import Condition, Delivery, Endpoint, Event, Handler, Link, Message, symbol
from proton.reactor import Container

from tests.brokers.service_bus_entity import Entity
from tests.brokers.service_bus_management import reply
from tests.brokers.service_bus_message import decoded, messages_in
from tests.brokers.service_bus_receivers import Receivers, refuse

HOST = "127.0.0.1"
CREDIT = 100
LOOK_S = 0.1
MAX_MESSAGE_BYTES = 1_048_576
_CBS = "$cbs"
_MANAGEMENT = "/$management"
_DEAD = "/$DeadLetterQueue"
# Without info at its end the SDK cannot read the error of what it sent.
_NO_SESSION = Condition("amqp:not-allowed", "The SessionId was not set.", {symbol("info"): ""})


class ServiceBusStandIn:
    """A thread that serves; what it keeps outlives its stops."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.entities: dict[str, Entity] = {}
        self.guard = threading.RLock()
        self._service: _Service | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen; returns when connections are taken."""
        service = self._service = _Service(self)
        self._thread = threading.Thread(target=Container(service).run, daemon=True)
        self._thread.start()
        assert service.listens.wait(30), "the stand-in does not listen"

    def stop(self) -> None:
        """Cut every connection and listen no more."""
        if self._service is not None and self._thread is not None:
            self._service.asked_to_stop.set()
            self._thread.join(30)
            self._service.cut()
            self._service = self._thread = None

    def find(self, path: str) -> Entity | None:
        """Return a queue, a subscription, or the dead letters of one."""
        entity = self.entities.get(path.removesuffix(_DEAD))
        return entity.dead if entity is not None and path.endswith(_DEAD) else entity


class _Service(Handler):
    """The server's side of the protocol, all of it on the container's thread."""

    def __init__(self, bus: ServiceBusStandIn) -> None:
        super().__init__()
        self.listens, self.asked_to_stop = threading.Event(), threading.Event()
        self._bus = bus
        self._connections: list[Any] = []
        self._receivers = Receivers()

    def on_reactor_init(self, event: Event) -> None:
        self._acceptor = event.container.listen(f"{HOST}:{self._bus.port}")
        event.container.schedule(LOOK_S, self)
        self.listens.set()

    def on_timer_task(self, event: Event) -> None:
        """End locks, hand out what waits, and hear whether to stop."""
        if self.asked_to_stop.is_set():
            self._acceptor.close()
            event.container.stop()
            return
        event.container.schedule(LOOK_S, self)
        with self._bus.guard:
            for entity in self._bus.entities.values():
                entity.expire()
                if entity.dead is not None:
                    entity.dead.expire()
            self._receivers.look()
            self._receivers.hand_out()

    def cut(self) -> None:
        """Close the sockets of all connections, as the end of a process would; the thread has ended."""
        for connection in self._connections:
            if connection.transport is not None:
                connection.transport._selectable._delegate.close()
        for connection in self._connections:
            self._receivers.disconnect(connection)

    # How peers come and go

    def on_connection_remote_open(self, event: Event) -> None:
        self._connections.append(event.connection)
        event.connection.open()

    def on_connection_remote_close(self, event: Event) -> None:
        event.connection.close()

    def on_transport_closed(self, event: Event) -> None:
        self._connections = [each for each in self._connections if each != event.connection]
        with self._bus.guard:
            self._receivers.disconnect(event.connection)

    def on_session_remote_open(self, event: Event) -> None:
        event.session.open()

    def on_session_remote_close(self, event: Event) -> None:
        event.session.close()

    def on_link_remote_open(self, event: Event) -> None:
        """Attach back with the peer's own addresses, or refuse what is not there."""
        link = event.link
        _answer_alike(link)
        address = _address(link)
        entity = self._bus.find(address.removesuffix(_MANAGEMENT))
        if address != _CBS and entity is None:
            refuse(link, "amqp:not-found", f"The messaging entity '{address}' could not be found.")
        elif link.is_receiver:
            link.open()
            link.flow(CREDIT)
        elif entity is None or address.endswith(_MANAGEMENT):
            link.open()
        else:
            with self._bus.guard:
                self._receivers.attach(link, entity)

    def on_link_remote_close(self, event: Event) -> None:
        with self._bus.guard:
            self._receivers.detach(event.link)
        event.link.close()

    on_link_remote_detach = on_link_remote_close

    def on_link_flow(self, event: Event) -> None:
        with self._bus.guard:
            self._receivers.hand_out()
        if event.link.is_sender and event.link.drain_mode:
            event.link.drained()

    # What comes

    def on_delivery(self, event: Event) -> None:
        """Take a settlement of what went out, or a message when all of it is here.

        The SDK sends on a link that was refused, until it hears of that; such a message is dropped.
        """
        delivery, link = event.delivery, event.link
        if link.is_receiver:
            is_open = link.state & Endpoint.LOCAL_ACTIVE
            if is_open and delivery.readable and not delivery.partial:
                self._take(link, delivery)
        elif delivery.remote_state:
            with self._bus.guard:
                self._receivers.settle(delivery)
                self._receivers.hand_out()

    def _take(self, link: Link, delivery: Delivery) -> None:
        transfer = link.recv(delivery.pending)
        link.advance()
        link.flow(1)
        address = _address(link)
        if address == _CBS:
            answer = {"status-code": 202, "status-description": "Accepted"}
            self._reply(link, decoded(transfer), answer, None)
        elif address.endswith(_MANAGEMENT):
            self._manage(link, address.removesuffix(_MANAGEMENT), decoded(transfer))
        elif not self._put(address, messages_in(transfer)):
            delivery.local.condition = _NO_SESSION
            delivery.update(Delivery.REJECTED)
            delivery.settle()
            return
        delivery.update(Delivery.ACCEPTED)
        delivery.settle()

    def _put(self, address: str, messages: list[Message]) -> bool:
        """Take all messages in, or none; a queue that is read by sessions takes none without."""
        with self._bus.guard:
            entity = self._bus.entities[address]
            if entity.sessions is not None and any(each.group_id is None for each in messages):
                return False
            for message in messages:
                entity.put(message)
            self._receivers.hand_out()
        return True

    def _manage(self, link: Link, path: str, message: Message) -> None:
        with self._bus.guard:
            entity = self._bus.find(path)
            assert entity is not None, path
            done = reply(entity, message.properties["operation"], message.body)
            self._receivers.hand_out()
        answer = {"statusCode": done.status, "statusDescription": done.condition or "OK"}
        if done.condition:
            answer["errorCondition"] = symbol(done.condition)
        self._reply(link, message, answer, done.body)

    def _reply(self, asked_on: Link, to: Message, properties: dict[str, Any], body: object) -> None:
        """Answer on the link of the same connection that comes from the same address."""
        address = _address(asked_on)
        link = asked_on.connection.link_head(Endpoint.LOCAL_ACTIVE)
        while not (link.is_sender and _address(link) == address):
            link = link.next(Endpoint.LOCAL_ACTIVE)
        link.send(Message(body=body, correlation_id=to.id, properties=properties))


def _answer_alike(link: Link) -> None:
    link.source.copy(link.remote_source)
    link.target.copy(link.remote_target)
    link.rcv_settle_mode = link.remote_rcv_settle_mode
    link.snd_settle_mode = link.remote_snd_settle_mode
    link.max_message_size = MAX_MESSAGE_BYTES


def _address(link: Link) -> str:
    """Return the path of what a link is for; the SDK names it with scheme and host, or bare."""
    terminus = link.remote_source if link.is_sender else link.remote_target
    text: str = terminus.address or ""
    return urlsplit(text).path.strip("/") if "://" in text else text
