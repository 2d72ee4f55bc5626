"""What clients do, taken to their hub's event handlers, and the answers brought back."""

from functools import partial
from typing import Final

from tocsin.ports.event_handlers import (
    Client,
    Dealings,
    EventHandlers,
    Reply,
    Trouble,
    UserEvent,
)
from tocsin.realtime.answers import Answers
from tocsin.realtime.message import Message
from tocsin.realtime.request import AckError, Request
from tocsin.realtime.session import Session
from tocsin.realtime.talk import Talk
from tocsin.realtime.writer import Writer

_NO_HANDLER: Final = "There is no handler for event '{}'."


class Upstream:
    """Events of sessions; those of hubs without event handlers cost nothing."""

    def __init__(self, handlers: EventHandlers, writer: Writer, answers: Answers) -> None:
        self._handlers = handlers
        self._writer = writer
        self._answers = answers

    def begin(self, client: Client) -> Talk | None:
        """Return a new connection's talk with its event handlers, if there are any."""
        line = self._handlers.line(client)
        return None if line is None else Talk(client.connection_id, line)

    def introduce(self, session: Session, subprotocol: str | None) -> None:
        """Tell that a new session is connected, with the subprotocol that was agreed on."""
        if session.talk is not None:
            client = Client(session.hub, session.id, session.user, subprotocol)
            session.talk.line.connected(client)

    def is_busy(self, session: Session) -> bool:
        """Whether anything of a session is under way to its event handlers."""
        talk = session.talk
        return talk is not None and (
            bool(talk.acks or talk.invocations) or talk.line.dealings() is None
        )

    def hand_over(self, session: Session) -> Dealings | None:
        """Return what a session that is not busy has with its event handlers, who are told nothing more from here."""
        talk, session.talk = session.talk, None
        return None if talk is None else talk.line.dealings()

    def take_over(self, session: Session, before: Dealings) -> None:
        """Go on with the event handlers of a session that comes from elsewhere."""
        client = Client(session.hub, session.id, session.user, session.dialect.subprotocol)
        line = self._handlers.line(client, before)
        session.talk = None if line is None else Talk(session.id, line)

    def parted(self, session: Session, reason: str) -> None:
        """Tell, once, that a session has ended for good."""
        talk, session.talk = session.talk, None
        if talk is not None:
            talk.line.disconnected(reason)

    def raise_event(self, session: Session, request: Request) -> None:
        """Take a client's event to its handler; the answer becomes a message and the acknowledgement."""
        name, ack_id = request.event or "", request.ack_id
        talk = self._talk(session)
        if talk is None:
            self._event_answered(session, request, Trouble(_NO_HANDLER.format(name)))
        elif ack_id is None or ack_id not in talk.acks:
            if ack_id is not None:
                talk.acks.add(ack_id)
            talk.line.raise_event(_event(request), partial(self._event_answered, session, request))
        # A repeat of what is under way is answered when that is.

    def invoke(self, session: Session, invocation_id: str, request: Request) -> None:
        """Take a client's invocation to the handler of its event; the answer is the invocation's."""
        talk = self._talk(session)
        if talk is None:
            trouble = Trouble(_NO_HANDLER.format(request.event))
            self._answer_invocation(session, invocation_id, trouble)
        elif invocation_id in talk.invocations:
            trouble = Trouble(f"Invocation {invocation_id!r} is under way.")
            self._answer_invocation(session, invocation_id, trouble)
        else:
            answered = partial(self._invocation_answered, session, invocation_id)
            talk.invocations[invocation_id] = talk.line.raise_event(_event(request), answered)

    def cancel_invocation(self, session: Session, invocation_id: str) -> None:
        """Forget an invocation; nothing happens to one that was answered."""
        if session.talk is not None:
            pending = session.talk.invocations.pop(invocation_id, None)
            if pending is not None:
                pending.cancel()

    def _talk(self, session: Session) -> Talk | None:
        """Return the session's talk; its hub may have got its first event handler since it connected."""
        if session.talk is None and not session.ended:
            session.talk = self.begin(
                Client(session.hub, session.id, session.user, session.dialect.subprotocol)
            )
        return session.talk

    def _event_answered(self, session: Session, request: Request, answer: Reply | Trouble) -> None:
        ack_id = request.ack_id
        if session.talk is not None and ack_id is not None:
            session.talk.acks.discard(ack_id)
        error = None
        if isinstance(answer, Trouble):
            error = AckError("InternalServerError", answer.reason)
        elif answer.data_type is not None:
            # Past the spreads of the post: the answer comes before its acknowledgement.
            self._writer.send((session,), Message(answer.data, data_type=answer.data_type))
        self._answers.acknowledge(session, request, error)

    def _invocation_answered(
        self, session: Session, invocation_id: str, answer: Reply | Trouble
    ) -> None:
        if session.talk is not None:
            session.talk.invocations.pop(invocation_id, None)
        self._answer_invocation(session, invocation_id, answer)

    def _answer_invocation(
        self, session: Session, invocation_id: str, answer: Reply | Trouble
    ) -> None:
        codec = session.dialect.codec
        if codec is None:
            return
        if isinstance(answer, Trouble):
            error = AckError("InternalServerError", answer.reason)
            frame = codec.invocation_failed(invocation_id, error)
        else:
            frame = codec.invocation_answered(invocation_id, answer.data_type, answer.data)
        self._answers.answer(session, frame)


def _event(request: Request) -> UserEvent:
    return UserEvent(request.event or "", request.data_type, request.data, request.metadata)
