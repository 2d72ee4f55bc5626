"""What ``$management`` of the stand-in for Azure Service Bus does: operations on messages without a link of their own."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from proton import UNDESCRIBED, Array, Data, timestamp

from tests.brokers.service_bus_entity import Entity
from tests.brokers.service_bus_message import decoded

MESSAGE_LOST: Final = "com.microsoft:message-lock-lost"
SESSION_LOST: Final = "com.microsoft:session-lock-lost"
_DELETES: Final = 0


class Reply(msgspec.Struct):
    """An answer: its status as in HTTP, its body, and the condition if it is an error."""

    status: int = 200
    body: Mapping[str, Any] = {}
    condition: str = ""


Asked = Mapping[str, Any]


def reply(entity: Entity, operation: str, asked: Asked) -> Reply:
    """Carry an operation out; one that is not known is refused."""
    known = _OPERATIONS.get(operation.removeprefix("com.microsoft:"))
    return Reply(501, condition="amqp:not-implemented") if known is None else known(entity, asked)


def _renew_lock(entity: Entity, asked: Asked) -> Reply:
    until_s = [entity.renew(token) for token in asked["lock-tokens"].elements]
    held = [timestamp(each * 1000) for each in until_s if each is not None]
    if len(held) < len(until_s):
        return Reply(410, condition=MESSAGE_LOST)
    return Reply(body={"expirations": Array(UNDESCRIBED, Data.TIMESTAMP, *held)})


def _peek_message(entity: Entity, asked: Asked) -> Reply:
    first, most = asked["from-sequence-number"], asked["message-count"]
    found = entity.peek(first, most, asked.get("session-id"))
    shown = [{"message": each.shown().encode()} for each in found]
    return Reply(200 if shown else 204, {"messages": shown})


def _schedule_message(entity: Entity, asked: Asked) -> Reply:
    numbers = [entity.put(decoded(bytes(each["message"]))) for each in asked["messages"]]
    return Reply(body={"sequence-numbers": Array(UNDESCRIBED, Data.LONG, *numbers)})


def _cancel_scheduled_message(entity: Entity, asked: Asked) -> Reply:
    cancelled = [entity.cancel(number) for number in asked["sequence-numbers"].elements]
    return Reply() if all(cancelled) else _not_found()


def _receive_by_sequence_number(entity: Entity, asked: Asked) -> Reply:
    session, numbers = asked.get("session-id"), asked["sequence-numbers"].elements
    if entity.sessions is not None and session not in entity.sessions.held:
        return Reply(410, condition=SESSION_LOST)
    lent = [entity.lend_deferred(number, session) for number in numbers]
    found = [each for each in lent if each is not None]
    if len(found) < len(lent):
        for token, _ in found:
            entity.give_back(token, failed=False)
        return _not_found()
    if asked["receiver-settle-mode"] == _DELETES:
        for token, _ in found:
            entity.complete(token)
    shown = [{"message": message.encode(), "lock-token": token} for token, message in found]
    return Reply(body={"messages": shown})


def _not_found() -> Reply:
    return Reply(404, condition="com.microsoft:message-not-found")


def _update_disposition(entity: Entity, asked: Asked) -> Reply:
    settled = [_settled(entity, token, asked) for token in asked["lock-tokens"].elements]
    return Reply() if all(settled) else Reply(410, condition=MESSAGE_LOST)


def _settled(entity: Entity, token: uuid.UUID, asked: Asked) -> bool:
    match asked["disposition-status"]:
        case "completed":
            return entity.complete(token)
        case "abandoned":
            return entity.give_back(token, failed=True)
        case "defered":  # so the service spells it
            return entity.defer(token)
        case "suspended":
            said = asked.get("deadletter-reason", ""), asked.get("deadletter-description", "")
            return entity.kill(token, *said)
        case status:
            raise AssertionError(status)


def _renew_session_lock(entity: Entity, asked: Asked) -> Reply:
    until_s = entity.renew_session(asked["session-id"])
    if until_s is None:
        return Reply(410, condition=SESSION_LOST)
    return Reply(body={"expiration": timestamp(until_s * 1000)})


def _get_session_state(entity: Entity, asked: Asked) -> Reply:
    states = {} if entity.sessions is None else entity.sessions.states
    return Reply(body={"session-state": states.get(asked["session-id"])})


def _set_session_state(entity: Entity, asked: Asked) -> Reply:
    state = asked["session-state"]
    if entity.sessions is not None:
        entity.sessions.states[asked["session-id"]] = None if state is None else bytes(state)
    return Reply()


_OPERATIONS: Final[Mapping[str, Callable[[Entity, Asked], Reply]]] = {
    "renew-lock": _renew_lock,
    "peek-message": _peek_message,
    "schedule-message": _schedule_message,
    "cancel-scheduled-message": _cancel_scheduled_message,
    "receive-by-sequence-number": _receive_by_sequence_number,
    "update-disposition": _update_disposition,
    "renew-session-lock": _renew_session_lock,
    "get-session-state": _get_session_state,
    "set-session-state": _set_session_state,
}
