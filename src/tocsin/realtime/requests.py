"""What clients ask for, by kind of message: one function each, in one table.

Groups and events have no handlers yet; their requests are answered as Web PubSub documents for a client without the
permission, and for an event nobody handles.
"""

from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from tocsin.realtime.frames import CLOSE_INTERNAL, CLOSE_INVALID_DATA, CLOSE_UNSUPPORTED, TEXT
from tocsin.realtime.protocol import (
    PLAIN,
    PONG_MESSAGE,
    AckError,
    MalformedError,
    Request,
    ack,
    invocation_failed,
    parse_request,
)
from tocsin.realtime.session import Session

HEAD_EVENT: Final = "tocsin.head"
RECEIPTS_EVENT: Final = "tocsin.receipts"


class Answerer(Protocol):
    """What handlers do to the outside."""

    def answer(self, session: Session, frame: bytes) -> None:
        """Send a frame with the next tick of acknowledgements."""
        ...

    def ask_head(self, session: Session) -> None:
        """Send a head frame soon."""
        ...

    def acknowledged(self, session: Session, sequence_id: int) -> None:
        """Forget what the client has."""
        ...

    def take_receipts(self, session: Session, data: msgspec.Raw) -> AckError | None:
        """Take receipts; why not, if they are not taken."""
        ...

    def close_session(self, session: Session, code: int, reason: str) -> None:
        """End the session."""
        ...


def handle_message(answerer: Answerer, session: Session, opcode: int, payload: bytes) -> None:
    """Do what a client's data message asks for; a message outside the protocol ends the session."""
    if session.dialect is PLAIN:
        answerer.close_session(session, CLOSE_INTERNAL, "no handler for messages")
    elif opcode != TEXT:
        answerer.close_session(session, CLOSE_UNSUPPORTED, "this subprotocol is text")
    else:
        try:
            request = parse_request(payload)
            _HANDLERS.get(request.type, _unknown)(answerer, session, request)
        except MalformedError as error:
            answerer.close_session(session, CLOSE_INVALID_DATA, str(error))


def _unknown(_answerer: Answerer, _session: Session, request: Request) -> None:
    msg = f"there is no message type {request.type[:40]!r}"
    raise MalformedError(msg)


def _ping(answerer: Answerer, session: Session, _request: Request) -> None:
    answerer.answer(session, PONG_MESSAGE)


def _sequence_ack(answerer: Answerer, session: Session, request: Request) -> None:
    if request.sequence_id is None:
        raise MalformedError("sequenceAck without a sequenceId")
    answerer.acknowledged(session, request.sequence_id)


def _event(answerer: Answerer, session: Session, request: Request) -> None:
    if request.event is None:
        raise MalformedError("event without a name")
    if request.event == HEAD_EVENT and session.inbox:
        answerer.ask_head(session)
        _acknowledge(answerer, session, request, None)
    elif request.event == RECEIPTS_EVENT and session.inbox:
        _acknowledge(answerer, session, request, answerer.take_receipts(session, request.data))
    else:
        _acknowledge(answerer, session, request, _no_handler(request.event))


def _invoke(answerer: Answerer, session: Session, request: Request) -> None:
    if request.invocation_id is None:
        raise MalformedError("invoke without an invocationId")
    error = _no_handler(request.event or "")
    answerer.answer(session, invocation_failed(request.invocation_id, error))


def _cancel_invocation(_answerer: Answerer, _session: Session, _request: Request) -> None:
    """Do nothing: every invocation has been answered by the time it could be cancelled."""


def _no_handler(event: str) -> AckError:
    return AckError("InternalServerError", f"There is no handler for event '{event}'.")


def _forbid(action: str) -> "Handler":
    def refuse(answerer: Answerer, session: Session, request: Request) -> None:
        if request.group is None:
            msg = f"{request.type} without a group"
            raise MalformedError(msg)
        text = f"The client does not have permission to {action} group '{request.group}'."
        _acknowledge(answerer, session, request, AckError("Forbidden", text))

    return refuse


def _acknowledge(
    answerer: Answerer, session: Session, request: Request, error: AckError | None
) -> None:
    if request.ack_id is not None:
        answerer.answer(session, ack(request.ack_id, error))


Handler = Callable[[Answerer, Session, Request], None]

_HANDLERS: Final[dict[str, Handler]] = {
    "ping": _ping,
    "sequenceack": _sequence_ack,
    "event": _event,
    "invoke": _invoke,
    "cancelinvocation": _cancel_invocation,
    "joingroup": _forbid("join"),
    "leavegroup": _forbid("leave"),
    "sendtogroup": _forbid("send to"),
}
