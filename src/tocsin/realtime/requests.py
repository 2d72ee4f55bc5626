"""What clients ask for, by kind of request: one function each, in one table; a new kind is one more of both.

A request that succeeded is remembered by its ack id and not done again: its repeat is told ``Duplicate``, which the
official clients take for success.
"""

from collections.abc import Callable
from typing import Final, Protocol

from tocsin.realtime.frames import (
    CLOSE_INTERNAL,
    CLOSE_INVALID_DATA,
    CLOSE_POLICY,
    CLOSE_UNSUPPORTED,
)
from tocsin.realtime.plain_codec import plain_request
from tocsin.realtime.request import AckError, MalformedError, Request, is_event
from tocsin.realtime.rights import Action
from tocsin.realtime.session import Session

HEAD_EVENT: Final = "tocsin.head"
RECEIPTS_EVENT: Final = "tocsin.receipts"
FORBIDDEN: Final = "Forbidden"
TOKEN_EVENT: Final = "tocsin.token"  # noqa: S105 -- the name of an event


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

    def take_receipts(self, session: Session, data: bytes) -> AckError | None:
        """Take receipts; why not, if they are not taken."""
        ...

    def renew_token(self, session: Session, request: Request) -> None:
        """Prolong the session by another token; whether that was done is acknowledged later."""
        ...

    def join_group(self, session: Session, group: str) -> AckError | None:
        """Put the session into a group; why not, if it cannot be."""
        ...

    def leave_group(self, session: Session, group: str) -> None:
        """Take the session out of a group."""
        ...

    def send_to_group(self, session: Session, request: Request) -> None:
        """Send a client's message to a group."""
        ...

    def raise_event(self, session: Session, request: Request) -> None:
        """Take an event to its handler, whose answer is acknowledged."""
        ...

    def invoke(self, session: Session, invocation_id: str, request: Request) -> None:
        """Take an invocation to the handler of its event, whose answer is sent."""
        ...

    def cancel_invocation(self, session: Session, invocation_id: str) -> None:
        """Forget an invocation."""
        ...

    def close_session(self, session: Session, code: int, reason: str) -> None:
        """End the session."""
        ...


def handle_message(answerer: Answerer, session: Session, opcode: int, payload: bytes) -> None:
    """Do what a client's data message asks for; a message outside the protocol ends the session."""
    codec = session.dialect.codec
    try:
        if codec is None:
            request = plain_request(opcode, payload, session.speaks_to)
        elif opcode == codec.opcode:
            request = codec.parse(payload)
        else:
            wrong = "wrong kind of frame for the protocol"
            answerer.close_session(session, CLOSE_UNSUPPORTED, wrong)
            return
        _HANDLERS.get(request.type, _unknown)(answerer, session, request)
    except MalformedError as error:
        answerer.close_session(session, CLOSE_INVALID_DATA, str(error))


def _unknown(_answerer: Answerer, _session: Session, request: Request) -> None:
    msg = f"there is no message type {request.type[:40]!r}"
    raise MalformedError(msg)


def _ping(answerer: Answerer, session: Session, _request: Request) -> None:
    if session.dialect.codec is not None:
        answerer.answer(session, session.dialect.codec.pong)


def _sequence_ack(answerer: Answerer, session: Session, request: Request) -> None:
    if request.sequence_id is None:
        raise MalformedError("sequenceAck without a sequenceId")
    answerer.acknowledged(session, request.sequence_id)


def _join_group(answerer: Answerer, session: Session, request: Request) -> AckError | None:
    group = request.need_group()
    return _forbidden(session, "joinLeaveGroup", group, "join") or answerer.join_group(
        session, group
    )


def _leave_group(answerer: Answerer, session: Session, request: Request) -> AckError | None:
    group = request.need_group()
    refusal = _forbidden(session, "joinLeaveGroup", group, "leave")
    if refusal is None:
        answerer.leave_group(session, group)
    return refusal


def _send_to_group(answerer: Answerer, session: Session, request: Request) -> AckError | None:
    refusal = _forbidden(session, "sendToGroup", request.need_group(), "send to")
    if refusal is None:
        answerer.send_to_group(session, request)
    return refusal


def _event(answerer: Answerer, session: Session, request: Request) -> None:
    name = request.need_event()
    own = _OWN_EVENTS.get(name) if session.inbox else None
    if own is not None:
        own(answerer, session, request)
    elif name == TOKEN_EVENT:
        answerer.renew_token(session, request)
    elif not is_event(name):
        acknowledge(answerer, session, request, _no_event(name))
    elif not _is_repeat(answerer, session, request):
        answerer.raise_event(session, request)


def _tell_head(answerer: Answerer, session: Session, _request: Request) -> None:
    answerer.ask_head(session)


def _tell_receipts(answerer: Answerer, session: Session, request: Request) -> AckError | None:
    return answerer.take_receipts(session, request.data)


def _invoke(answerer: Answerer, session: Session, request: Request) -> None:
    name, invocation_id = request.need_event(), request.need_invocation()
    if is_event(name):
        answerer.invoke(session, invocation_id, request)
    elif session.dialect.codec is not None:
        failed = session.dialect.codec.invocation_failed(invocation_id, _no_event(name))
        answerer.answer(session, failed)


def _no_event(name: str) -> AckError:
    text = f"An event's name is a letter, then at most 127 letters, digits or _ . -; {name[:40]!r} is none."
    return AckError("BadRequest", text)


def _cancel_invocation(answerer: Answerer, session: Session, request: Request) -> None:
    answerer.cancel_invocation(session, request.need_invocation())


def _forbidden(session: Session, action: Action, group: str, verb: str) -> AckError | None:
    if session.rights.may(action, group):
        return None
    text = f"The client does not have permission to {verb} group '{group}'."
    return AckError(FORBIDDEN, text)


Handler = Callable[[Answerer, Session, Request], None]
Acknowledged = Callable[[Answerer, Session, Request], AckError | None]


def _acknowledging(handle: Acknowledged) -> Handler:
    """Answer with what ``handle`` returns, and keep it from being done twice under one ack id."""

    def handler(answerer: Answerer, session: Session, request: Request) -> None:
        if not _is_repeat(answerer, session, request):
            acknowledge(answerer, session, request, handle(answerer, session, request))

    return handler


def _is_repeat(answerer: Answerer, session: Session, request: Request) -> bool:
    """Whether the request has been done; then it is answered."""
    ack_id = request.ack_id
    if ack_id is None or not session.has_done(ack_id):
        return False
    text = f"Message with ack-id: {ack_id} has been processed"
    acknowledge(answerer, session, request, AckError("Duplicate", text))
    return True


def acknowledge(
    answerer: Answerer, session: Session, request: Request, error: AckError | None
) -> None:
    """Tell the client what became of a request, if it asked, and remember one that succeeded.

    A plain client cannot ask and cannot be told: a failure ends its connection.
    """
    ack_id, codec = request.ack_id, session.dialect.codec
    if codec is None:
        if error is not None:
            code = CLOSE_POLICY if error.name == FORBIDDEN else CLOSE_INTERNAL
            answerer.close_session(session, code, error.message)
    elif ack_id is not None:
        if error is None:
            session.remember(ack_id)
        answerer.answer(session, codec.ack(ack_id, error))


# What inbox clients tell Tocsin itself.
_OWN_EVENTS: Final[dict[str, Handler]] = {
    HEAD_EVENT: _acknowledging(_tell_head),
    RECEIPTS_EVENT: _acknowledging(_tell_receipts),
}

_HANDLERS: Final[dict[str, Handler]] = {
    "ping": _ping,
    "sequenceack": _sequence_ack,
    "joingroup": _acknowledging(_join_group),
    "leavegroup": _acknowledging(_leave_group),
    "sendtogroup": _acknowledging(_send_to_group),
    "event": _event,
    "invoke": _invoke,
    "cancelinvocation": _cancel_invocation,
}
