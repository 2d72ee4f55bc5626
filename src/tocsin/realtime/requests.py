"""What clients ask for, by kind of request: one function each, in one table; a new kind is one more of both.

A request that succeeded is remembered by its ack id and not done again: its repeat is told ``Duplicate``, which the
official clients take for success.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from tocsin.realtime.answers import Answers
from tocsin.realtime.anti_entropy import AntiEntropy
from tocsin.realtime.everywhere import Everywhere
from tocsin.realtime.frames import CLOSE_INVALID_DATA, CLOSE_UNSUPPORTED
from tocsin.realtime.group_states import GroupStates
from tocsin.realtime.hub import Hubs
from tocsin.realtime.message import NEVER_S, Message
from tocsin.realtime.plain_codec import plain_request
from tocsin.realtime.post import OthersThan
from tocsin.realtime.receipts import Witness
from tocsin.realtime.request import AckError, MalformedError, Request, is_event
from tocsin.realtime.session import Session
from tocsin.realtime.streams import Streams
from tocsin.realtime.token_life import TokenLife
from tocsin.realtime.upstream import Upstream

HEAD_EVENT: Final = "tocsin.head"
RECEIPTS_EVENT: Final = "tocsin.receipts"
TOKEN_EVENT: Final = "tocsin.token"  # noqa: S105 -- the name of an event


class Desk(NamedTuple):
    """What requests are done with."""

    answers: Answers
    hubs: Hubs
    everywhere: Everywhere
    upstream: Upstream
    token_life: TokenLife
    witness: Witness
    anti_entropy: AntiEntropy
    streams: Streams
    states: GroupStates
    now_s: Callable[[], float]


def handle_message(desk: Desk, session: Session, opcode: int, payload: bytes) -> None:
    """Do what a client's data message asks for; a message outside the protocol ends the session."""
    codec = session.dialect.codec
    try:
        if codec is None:
            request = plain_request(opcode, payload, session.speaks_to)
        elif opcode == codec.opcode:
            request = codec.parse(payload)
        else:
            wrong = "wrong kind of frame for the protocol"
            desk.answers.close(session, CLOSE_UNSUPPORTED, wrong)
            return
        _HANDLERS.get(request.type, _unknown)(desk, session, request)
    except MalformedError as error:
        desk.answers.close(session, CLOSE_INVALID_DATA, str(error))


def _unknown(_desk: Desk, _session: Session, request: Request) -> None:
    msg = f"there is no message type {request.type[:40]!r}"
    raise MalformedError(msg)


def _ping(desk: Desk, session: Session, _request: Request) -> None:
    if session.dialect.codec is not None:
        desk.answers.answer(session, session.dialect.codec.pong)


def _sequence_ack(desk: Desk, session: Session, request: Request) -> None:
    if request.sequence_id is None:
        raise MalformedError("sequenceAck without a sequenceId")
    # Only what is still kept is known by its number.
    desk.witness.acknowledged(session, request.sequence_id)
    session.acknowledge(request.sequence_id)


def _join_group(desk: Desk, session: Session, request: Request) -> AckError | None:
    group = request.need_group()
    refusal = session.rights.refusal("joinLeaveGroup", group, "join")
    return refusal or desk.hubs.join(session, group)


def _leave_group(desk: Desk, session: Session, request: Request) -> AckError | None:
    group = request.need_group()
    refusal = session.rights.refusal("joinLeaveGroup", group, "leave")
    if refusal is None:
        desk.hubs.leave(session, group)
    return refusal


def _send_to_group(desk: Desk, session: Session, request: Request) -> AckError | None:
    """The sender need not be a member."""
    group = request.need_group()
    refusal = session.rights.refusal("sendToGroup", group, "send to")
    if refusal is None:
        message = Message(
            request.data,
            data_type=request.data_type,
            group=group,
            sender=session.user,
            metadata=dict(request.metadata) or None,
            expires_s=desk.now_s() + request.ttl_s if request.ttl_s else NEVER_S,
        )
        where = OthersThan(session) if request.no_echo else None
        refusal = desk.everywhere.to_group(session.hub, group, message, where)
    return refusal


def _stream_data(desk: Desk, session: Session, request: Request) -> None:
    desk.streams.take(session, request)


def _stream_end(desk: Desk, session: Session, request: Request) -> None:
    desk.streams.end(session, request)


def _set_group_state(desk: Desk, session: Session, request: Request) -> AckError | None:
    group = request.need_group()
    refusal = session.rights.refusal("setGroupState", group, "set the state in")
    return refusal or desk.states.set_state(session, group, request.state)


def _subscribe_group_state(desk: Desk, session: Session, request: Request) -> AckError | None:
    group = request.need_group()
    refusal = session.rights.refusal("getGroupState", group, "get the states of")
    return refusal or desk.states.subscribe(session, group)


def _unsubscribe_group_state(desk: Desk, session: Session, request: Request) -> AckError | None:
    desk.states.unsubscribe(session, request.need_group())
    return None


def _event(desk: Desk, session: Session, request: Request) -> None:
    name = request.need_event()
    own = _OWN_EVENTS.get(name) if session.inbox else None
    if own is not None:
        own(desk, session, request)
    elif name == TOKEN_EVENT:
        desk.token_life.renew(session, request)
    elif not is_event(name):
        desk.answers.acknowledge(session, request, _no_event(name))
    elif not _is_repeat(desk, session, request):
        desk.upstream.raise_event(session, request)


def _tell_head(desk: Desk, session: Session, _request: Request) -> None:
    desk.anti_entropy.ask(session)


def _tell_receipts(desk: Desk, session: Session, request: Request) -> None:
    if not _is_repeat(desk, session, request):
        desk.witness.told(session, request)


def _invoke(desk: Desk, session: Session, request: Request) -> None:
    name, invocation_id = request.need_event(), request.need_invocation()
    if is_event(name):
        desk.upstream.invoke(session, invocation_id, request)
    elif session.dialect.codec is not None:
        failed = session.dialect.codec.invocation_failed(invocation_id, _no_event(name))
        desk.answers.answer(session, failed)


def _no_event(name: str) -> AckError:
    text = f"An event's name is a letter, then at most 127 letters, digits or _ . -; {name[:40]!r} is none."
    return AckError("BadRequest", text)


def _cancel_invocation(desk: Desk, session: Session, request: Request) -> None:
    desk.upstream.cancel_invocation(session, request.need_invocation())


Handler = Callable[[Desk, Session, Request], None]
Acknowledged = Callable[[Desk, Session, Request], AckError | None]


def _acknowledging(handle: Acknowledged) -> Handler:
    """Answer with what ``handle`` returns, and keep it from being done twice under one ack id."""

    def handler(desk: Desk, session: Session, request: Request) -> None:
        if not _is_repeat(desk, session, request):
            desk.answers.acknowledge(session, request, handle(desk, session, request))

    return handler


def _is_repeat(desk: Desk, session: Session, request: Request) -> bool:
    """Whether the request has been done; then it is answered."""
    ack_id = request.ack_id
    if ack_id is None or not session.has_done(ack_id):
        return False
    text = f"Message with ack-id: {ack_id} has been processed"
    desk.answers.acknowledge(session, request, AckError("Duplicate", text))
    return True


_send_message = _acknowledging(_send_to_group)


def _send(desk: Desk, session: Session, request: Request) -> None:
    """Send a message, or begin a stream, which is acknowledged in its own way."""
    if request.stream_id is None:
        _send_message(desk, session, request)
    else:
        desk.streams.begin(session, request)


# What inbox clients tell Tocsin itself.
_OWN_EVENTS: Final[dict[str, Handler]] = {
    HEAD_EVENT: _acknowledging(_tell_head),
    RECEIPTS_EVENT: _tell_receipts,
}

_HANDLERS: Final[dict[str, Handler]] = {
    "ping": _ping,
    "sequenceack": _sequence_ack,
    "joingroup": _acknowledging(_join_group),
    "leavegroup": _acknowledging(_leave_group),
    "sendtogroup": _send,
    "streamdata": _stream_data,
    "streamend": _stream_end,
    "setgroupstate": _acknowledging(_set_group_state),
    "subscribegroupstate": _acknowledging(_subscribe_group_state),
    "unsubscribegroupstate": _acknowledging(_unsubscribe_group_state),
    "event": _event,
    "invoke": _invoke,
    "cancelinvocation": _cancel_invocation,
}
