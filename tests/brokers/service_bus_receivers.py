"""The receivers of the stand-in for Azure Service Bus: which sessions they hold, what they are sent, and how they settle it."""

import time
import uuid
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from proton import Condition, Delivery, Link, Terminus, symbol

from tests.brokers.service_bus_entity import Entity
from tests.brokers.service_bus_management import MESSAGE_LOST, SESSION_LOST
from tests.brokers.service_bus_sessions import Sessions

_FILTER: Final = symbol("com.microsoft:session-filter")
_LOCKED_UNTIL: Final = symbol("com.microsoft:locked-until-utc")
_TIMEOUT: Final = symbol("com.microsoft:timeout")
_NOT_ALLOWED: Final = "amqp:not-allowed"
# For so long a receiver waits for a session, unless it says for how long.
_WAIT_S: Final = 60.0
# .NET counts time in units of 100 ns, from the year 1.
_TICKS_PER_S: Final = 10_000_000
_TICKS_AT_1970: Final = 621_355_968_000_000_000


class _Receiver(msgspec.Struct, eq=False):
    link: Link
    entity: Entity
    session: str | None = None


class _Waiting(msgspec.Struct, eq=False):
    """A receiver that is answered when there is a session for it."""

    link: Link
    entity: Entity
    sessions: Sessions
    until_s: float


class Receivers:
    """All links that messages go out on; for the container's thread only, with the guard held."""

    def __init__(self) -> None:
        self._receivers: list[_Receiver] = []
        self._waiting: list[_Waiting] = []
        self._lent: dict[Delivery, tuple[Entity, uuid.UUID]] = {}

    # How they come and go

    def attach(self, link: Link, entity: Entity) -> None:
        """Open a receiver, or refuse one that names no session where there are sessions, or one where there are none."""
        asked = _session_filter(link)
        if _FILTER not in asked:
            self._attach_without_session(link, entity)
        elif entity.sessions is None:
            detail = "A sessionful message receiver cannot be created on an entity that does not require sessions."
            refuse(link, _NOT_ALLOWED, detail)
        elif (name := asked[_FILTER]) is None:
            until_s = time.time() + _patience_s(link)
            self._waiting.append(_Waiting(link, entity, entity.sessions, until_s))
            self._find_sessions()
        else:
            self._attach_with_session(link, entity, entity.sessions, name)

    def _attach_without_session(self, link: Link, entity: Entity) -> None:
        if entity.sessions is None:
            link.open()
            self._receivers.append(_Receiver(link, entity))
            return
        detail = "It is not possible for an entity that requires sessions to create a non-sessionful message receiver."
        refuse(link, _NOT_ALLOWED, detail)

    def _attach_with_session(
        self, link: Link, entity: Entity, sessions: Sessions, name: str
    ) -> None:
        if not sessions.take(name):
            detail = f"The requested session '{name}' cannot be accepted. It may be locked by another receiver."
            refuse(link, "com.microsoft:session-cannot-be-locked", detail)
            return
        link.source.filter.clear()
        link.source.filter.put_dict({_FILTER: name})
        link.properties = {_LOCKED_UNTIL: int(sessions.held[name] * _TICKS_PER_S) + _TICKS_AT_1970}
        link.open()
        self._receivers.append(_Receiver(link, entity, name))

    def _find_sessions(self) -> None:
        for waiting in self._waiting.copy():
            name = waiting.entity.free_session()
            if name is not None:
                self._waiting.remove(waiting)
                self._attach_with_session(waiting.link, waiting.entity, waiting.sessions, name)
            elif waiting.until_s < time.time():
                self._waiting.remove(waiting)
                refuse(waiting.link, "com.microsoft:timeout", "There was no session in time.")

    def detach(self, link: Link) -> None:
        """Forget a receiver.

        Its session is free at once; without one, what it did not settle is locked until its lock ends.
        """
        for receiver in [each for each in self._receivers if each.link == link]:
            self._receivers.remove(receiver)
            if receiver.session is not None:
                receiver.entity.leave_session(receiver.session)
        self._waiting = [each for each in self._waiting if each.link != link]
        self._lent = {each: lent for each, lent in self._lent.items() if each.link != link}

    def disconnect(self, connection: object) -> None:
        """Forget the receivers of a connection that is gone."""
        links = [each.link for each in self._receivers] + [each.link for each in self._waiting]
        for link in links:
            if link.connection == connection:
                self.detach(link)

    def look(self) -> None:
        """Close the receivers whose session is lost, and open those for whom there is one now."""
        for receiver in self._receivers.copy():
            sessions, name = receiver.entity.sessions, receiver.session
            if sessions is not None and name is not None and name not in sessions.held:
                self.detach(receiver.link)
                receiver.link.condition = Condition(SESSION_LOST, "The session lock has expired.")
                receiver.link.close()
        self._find_sessions()

    # What they get

    def hand_out(self) -> None:
        """Send what waits to whoever has credit."""
        for receiver in self._receivers:
            if receiver.link.credit > 0:
                self._serve(receiver)

    def _serve(self, receiver: _Receiver) -> None:
        for token, message in receiver.entity.lend(receiver.session):
            delivery = receiver.link.send(message, tag=token.bytes_le)
            if receiver.link.snd_settle_mode == Link.SND_SETTLED:
                receiver.entity.complete(token)
            else:
                self._lent[delivery] = (receiver.entity, token)
            if not receiver.link.credit:
                break

    def settle(self, delivery: Delivery) -> None:
        """Carry a settlement out, and echo what became of it."""
        entity, token = self._lent.pop(delivery, (None, None))
        if entity is None or token is None:
            pass  # what is settled already, or was sent so
        elif _settled(entity, token, delivery):
            delivery.local.failed = delivery.remote.failed
            delivery.local.undeliverable = delivery.remote.undeliverable
            delivery.update(delivery.remote_state)
        else:
            delivery.local.condition = Condition(MESSAGE_LOST, "The lock supplied is invalid.")
            delivery.update(Delivery.REJECTED)
        delivery.settle()


def refuse(link: Link, condition: str, detail: str) -> None:
    """Answer an attach with why it fails: it has no terminus of ours, and is closed at once."""
    ours = link.source if link.is_sender else link.target
    ours.type = Terminus.UNSPECIFIED
    link.open()
    link.condition = Condition(condition, detail)
    link.close()


def _settled(entity: Entity, token: uuid.UUID, delivery: Delivery) -> bool:
    match delivery.remote_state:
        case Delivery.ACCEPTED:
            return entity.complete(token)
        case Delivery.MODIFIED if delivery.remote.undeliverable:
            return entity.defer(token)
        case Delivery.MODIFIED:
            return entity.give_back(token, failed=delivery.remote.failed)
        case Delivery.REJECTED:
            info = (delivery.remote.condition and delivery.remote.condition.info) or {}
            said = {str(name): str(value) for name, value in info.items()}
            reason = said.get("DeadLetterReason", "")
            return entity.kill(token, reason, said.get("DeadLetterErrorDescription", ""))
        case _:
            return entity.give_back(token, failed=False)


def _session_filter(link: Link) -> Mapping[str, Any]:
    """Return the filters of a receiver; that of a session is null if any will do."""
    data = link.remote_source.filter
    data.rewind()
    return data.get_dict() if data.next() is not None else {}


def _patience_s(link: Link) -> float:
    timeout_ms: float = (link.remote_properties or {}).get(_TIMEOUT, _WAIT_S * 1000)
    return timeout_ms / 1000
