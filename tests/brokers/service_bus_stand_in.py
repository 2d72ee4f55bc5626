"""What stands in for Azure Service Bus: AMQP 1.0 as the official SDK speaks it, as far as sources and their tests need it.

The official emulator is two containers under a proprietary licence, so it can be no part of this suite.  Done here: tokens
(``$cbs``), sending, receiving with peek-lock, settlement with its echo, lock renewal and peeking (``$management``), dead letters
with reason, locks that end, and draining.  Not done: sessions, scheduling, deferral, duplicate detection, transactions, rights.

Source: the SDK's own traffic, and Microsoft's "AMQP 1.0 in Azure Service Bus protocol guide".
"""

import threading
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from proton import (
    UNDESCRIBED,
    Array,
    Condition,
    Data,
    Delivery,
    Endpoint,
    Event,
    Link,
    Message,
    symbol,
    timestamp,
)
from proton.handlers import MessagingHandler
from proton.reactor import Container

from tests.brokers.service_bus_entity import Entity

HOST = "127.0.0.1"
CREDIT = 100
LOOK_S = 0.1
MAX_MESSAGE_BYTES = 1_048_576
_LOST = "com.microsoft:message-lock-lost"
_DEAD_LETTER = "com.microsoft:dead-letter"


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


class _Service(MessagingHandler):
    """The server's side of the protocol, all of it on the container's thread."""

    def __init__(self, bus: ServiceBusStandIn) -> None:
        super().__init__(prefetch=CREDIT, auto_accept=False, auto_settle=False)
        self.listens, self.asked_to_stop = threading.Event(), threading.Event()
        self._bus = bus
        self._connections: list[Any] = []
        self._receivers: list[tuple[Link, Entity]] = []
        self._lent: dict[Delivery, tuple[Entity, uuid.UUID]] = {}

    def on_start(self, event: Event) -> None:
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
        self._hand_out()

    def cut(self) -> None:
        """Close the sockets of all connections, as the end of a process would; the thread has ended."""
        for connection in self._connections:
            if connection.transport is not None:
                connection.transport._selectable._delegate.close()

    def on_connection_opened(self, event: Event) -> None:
        self._connections.append(event.connection)

    def on_link_opening(self, event: Event) -> None:
        """Attach back with the peer's own addresses, or refuse what is not there."""
        link = event.link
        link.source.copy(link.remote_source)
        link.target.copy(link.remote_target)
        link.rcv_settle_mode = link.remote_rcv_settle_mode
        link.snd_settle_mode = link.remote_snd_settle_mode
        link.max_message_size = MAX_MESSAGE_BYTES
        address = _path(
            link.remote_source.address if link.is_sender else link.remote_target.address
        )
        if address == "$cbs":
            return
        entity = self._bus.entities.get(address.removesuffix("/$management"))
        if entity is None:
            detail = f"The messaging entity '{address}' could not be found."
            link.condition = Condition("amqp:not-found", detail)
            link.close()
        elif link.is_sender and not address.endswith("/$management"):
            self._receivers.append((link, entity))

    def on_link_opened(self, event: Event) -> None:
        if event.link.condition is not None:
            event.link.close()

    def on_link_flow(self, event: Event) -> None:
        self._hand_out()
        if event.link.is_sender and event.link.drain_mode:
            event.link.drained()

    def on_link_closed(self, event: Event) -> None:
        self._forget(event.link)

    def on_disconnected(self, event: Event) -> None:
        self._connections = [each for each in self._connections if each != event.connection]
        self._receivers = [
            (link, e) for link, e in self._receivers if link.connection != event.connection
        ]

    def _forget(self, gone: Link) -> None:
        self._receivers = [(link, entity) for link, entity in self._receivers if link != gone]

    def _hand_out(self) -> None:
        with self._bus.guard:
            for link, entity in self._receivers:
                if not link.credit or not link.state & Endpoint.LOCAL_ACTIVE:
                    continue
                for token, message in entity.lend():
                    delivery = link.send(message, tag=token.bytes_le)
                    self._lent[delivery] = (entity, token)
                    if not link.credit:
                        break

    # What comes

    def on_message(self, event: Event) -> None:
        message, address = event.message, _path(event.link.remote_target.address)
        event.delivery.update(Delivery.ACCEPTED)
        event.delivery.settle()
        if address == "$cbs":
            answer = {"status-code": 202, "status-description": "Accepted"}
            self._reply(event, address, message, answer, None)
        elif address.endswith("/$management"):
            self._manage(event, address, message)
        else:
            with self._bus.guard:
                self._bus.entities[address].put(message)
            self._hand_out()

    def on_delivery(self, event: Event) -> None:
        """Carry a settlement out, and echo what became of it."""
        delivery = event.delivery
        if not event.link.is_sender or not delivery.remote_state:
            return
        entity, token = self._lent.pop(delivery, (None, None))
        if entity is None or token is None:
            delivery.settle()
            return
        with self._bus.guard:
            held = _settle(entity, token, delivery)
        if held:
            delivery.local.failed = delivery.remote.failed
            delivery.update(delivery.remote_state)
        else:
            delivery.local.condition = Condition(_LOST, "The lock supplied is invalid.")
            delivery.update(Delivery.REJECTED)
        delivery.settle()
        self._hand_out()

    def _manage(self, event: Event, address: str, message: Message) -> None:
        entity = self._bus.entities[address.removesuffix("/$management")]
        asked: Mapping[str, Any] = message.body
        with self._bus.guard:
            match message.properties["operation"]:
                case "com.microsoft:renew-lock":
                    until = [entity.renew(token) for token in asked["lock-tokens"].elements]
                    held = [timestamp(each * 1000) for each in until if each is not None]
                    body = {"expirations": Array(UNDESCRIBED, Data.TIMESTAMP, *held)}
                    status = 200 if len(held) == len(until) else 410
                case "com.microsoft:peek-message":
                    first = list(entity.waiting)[: asked["message-count"]]
                    shown = [{"message": entity.shown(stored).encode()} for stored in first]
                    body, status = {"messages": shown}, 200 if shown else 204
                case _:
                    body, status = {}, 501
        answer = {"statusCode": status, "statusDescription": "OK" if status < 300 else "no"}
        if status >= 300:
            answer["errorCondition"] = symbol(_LOST)
        self._reply(event, address, message, answer, body)

    def _reply(
        self, event: Event, address: str, to: Message, properties: dict[str, Any], body: object
    ) -> None:
        """Answer on the link of the same connection that comes from the same address."""
        link = event.connection.link_head(Endpoint.LOCAL_ACTIVE)
        while not (link.is_sender and _path(link.remote_source.address) == address):
            link = link.next(Endpoint.LOCAL_ACTIVE)
        link.send(Message(body=body, correlation_id=to.id, properties=properties))


def _settle(entity: Entity, token: uuid.UUID, delivery: Delivery) -> bool:
    match delivery.remote_state:
        case Delivery.ACCEPTED:
            return entity.complete(token)
        case Delivery.MODIFIED:
            return entity.give_back(token, failed=delivery.remote.failed)
        case Delivery.REJECTED:
            info = (delivery.remote.condition and delivery.remote.condition.info) or {}
            said = {str(name): str(value) for name, value in info.items()}
            reason = said.get("DeadLetterReason", "")
            return entity.kill(token, reason, said.get("DeadLetterErrorDescription", ""))
        case _:
            return entity.give_back(token, failed=False)


def _path(address: str | None) -> str:
    """Return an entity's path; the SDK names it with scheme and host, or bare."""
    text = address or ""
    return urlsplit(text).path.strip("/") if "://" in text else text
