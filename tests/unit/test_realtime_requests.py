"""What clients ask for, and how each is answered."""

import json

import pytest

from tests.unit.realtime_fakes import session
from tocsin.realtime.dialects import JSON, PLAIN, PROTOBUF, RELIABLE_JSON, Dialect
from tocsin.realtime.frames import BINARY, TEXT
from tocsin.realtime.message import Message
from tocsin.realtime.request import AckError, Request
from tocsin.realtime.requests import handle_message
from tocsin.realtime.rights import Rights
from tocsin.realtime.session import Session


class Recorder:
    """Answers by writing down what was asked of it."""

    def __init__(self) -> None:
        self.answers: list[dict[str, object]] = []
        self.asked: list[Session] = []
        self.closed: list[int] = []
        self.ended: list[tuple[int, str]] = []
        self.reported: list[bytes] = []
        self.done: list[tuple[object, ...]] = []

    def answer(self, session: Session, frame: bytes) -> None:
        self.answers.append(json.loads(frame[frame.index(b'{"') :]))

    def ask_head(self, session: Session) -> None:
        self.asked.append(session)

    def acknowledged(self, session: Session, sequence_id: int) -> None:
        session.acknowledge(sequence_id)

    def join_group(self, session: Session, group: str) -> AckError | None:
        self.done.append(("join", group))
        return None

    def leave_group(self, session: Session, group: str) -> None:
        self.done.append(("leave", group))

    def send_to_group(self, session: Session, request: Request) -> None:
        self.done.append(("send", request.need_group(), request.data_type, request.data))

    def take_receipts(self, session: Session, data: bytes) -> AckError | None:
        self.reported.append(data)
        return None

    def raise_event(self, session: Session, request: Request) -> None:
        self.done.append(("event", request.event, request.ack_id))

    def invoke(self, session: Session, invocation_id: str, request: Request) -> None:
        self.done.append(("invoke", invocation_id, request.event))

    def cancel_invocation(self, session: Session, invocation_id: str) -> None:
        self.done.append(("cancel", invocation_id))

    def renew_token(self, session: Session, request: Request) -> None:
        self.done.append(("renew", request.ack_id, request.data))

    def close_session(self, session: Session, code: int, reason: str) -> None:
        self.closed.append(code)
        self.ended.append((code, reason))


def ask(text: str, asker: Session | None = None, opcode: int = TEXT) -> Recorder:
    recorder = Recorder()
    handle_message(recorder, asker or session(), opcode, text.encode())
    return recorder


def error(recorder: Recorder) -> tuple[object, str, str]:
    (answer,) = recorder.answers
    details = answer["error"]
    assert isinstance(details, dict)
    return answer.get("ackId"), details["name"], details["message"]


def test_ping_is_answered_with_pong() -> None:
    assert ask('{"type":"PING"}').answers == [{"type": "pong"}]


def test_sequence_ack_forgets_messages_and_is_not_answered() -> None:
    asker = session(dialect=RELIABLE_JSON)
    asker.put([Message(b"1"), Message(b"2")], 2)
    asker.take(100)
    assert ask('{"type":"sequenceAck","sequenceId":1}', asker).answers == []
    assert asker.held == 1


@pytest.mark.parametrize(
    ("kind", "verb"), [("joinGroup", "join"), ("leaveGroup", "leave"), ("sendToGroup", "send to")]
)
def test_group_requests_are_refused_as_documented(kind: str, verb: str) -> None:
    refused = error(
        ask(f'{{"type":"{kind}","group":"ops","ackId":0,"dataType":"text","data":"x"}}')
    )
    assert refused == (
        0,
        "Forbidden",
        f"The client does not have permission to {verb} group 'ops'.",
    )
    assert ask(f'{{"type":"{kind}","group":"ops","data":1}}').answers == []


ROLES = Rights(["webpubsub.joinLeaveGroup.ops", "webpubsub.sendToGroup"])


def test_who_has_the_role_joins_sends_and_leaves() -> None:
    asker = session(rights=ROLES)
    recorder = Recorder()
    for number, text in enumerate(
        (
            '{"type":"joinGroup","group":"ops","ackId":%d}',
            '{"type":"sendToGroup","group":"any","ackId":%d,"dataType":"binary","data":"AQI="}',
            '{"type":"leaveGroup","group":"ops","ackId":%d}',
        )
    ):
        handle_message(recorder, asker, TEXT, (text % number).encode())
    assert recorder.done == [("join", "ops"), ("send", "any", "binary", b"\1\2"), ("leave", "ops")]
    assert [answer["success"] for answer in recorder.answers] == [True, True, True]


def test_a_repeat_is_told_and_not_done_again_but_a_failed_request_may_be_tried_again() -> None:
    asker = session(rights=ROLES)
    recorder = Recorder()
    for _ in range(2):
        handle_message(recorder, asker, TEXT, b'{"type":"joinGroup","group":"ops","ackId":3}')
        handle_message(recorder, asker, TEXT, b'{"type":"joinGroup","group":"no","ackId":4}')
    assert recorder.done == [("join", "ops")]
    names = [a["error"]["name"] for a in recorder.answers if "error" in a]  # type: ignore[index]
    assert names == ["Forbidden", "Duplicate", "Forbidden"]


def test_events_go_upstream_and_are_not_answered_here_but_for_repeats() -> None:
    asker = session()
    text = '{"type":"event","event":"order","ackId":7,"dataType":"json","data":{}}'
    recorder = ask(text, asker)
    assert (recorder.done, recorder.answers) == ([("event", "order", 7)], [])
    asker.remember(7)
    assert (error(ask(text, asker))[1], ask(text, asker).done) == ("Duplicate", [])


def test_head_event_is_for_inbox_connections() -> None:
    asker = session()
    text = '{"type":"event","event":"tocsin.head","ackId":1,"dataType":"text","data":""}'
    recorder = ask(text, asker)
    assert (recorder.asked, recorder.answers) == (
        [asker],
        [{"type": "ack", "ackId": 1, "success": True}],
    )
    stranger = ask(text, session(inbox=False))
    assert (stranger.asked, stranger.done) == ([], [("event", "tocsin.head", 1)])


@pytest.mark.parametrize("name", ["a/b", "1a", "", "a" * 129])
def test_what_can_be_no_event_is_refused(name: str) -> None:
    refused = error(ask(f'{{"type":"event","event":"{name}","ackId":1,"data":1}}'))
    assert refused[:2] == (1, "BadRequest")
    recorder = ask(f'{{"type":"invoke","invocationId":"1","event":"{name}","data":1}}')
    assert (error(recorder)[1], recorder.done) == ("BadRequest", [])


def test_invocations_go_upstream_and_are_cancelled_there() -> None:
    text = '{"type":"invoke","invocationId":"3","target":"event","event":"e","data":1}'
    assert ask(text).done == [("invoke", "3", "e")]
    assert ask('{"type":"cancelInvocation","invocationId":"3"}').done == [("cancel", "3")]


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"shout"}',
        '{"type":"sequenceAck"}',
        '{"type":"event"}',
        '{"type":"invoke","invocationId":"1"}',
        '{"type":"cancelInvocation"}',
        '{"type":"joinGroup","ackId":1}',
        '{"type":"joinGroup","group":" "}',
        '{"type":"sendToGroup","group":"g"}',
        '{"type":"sendToGroup","group":"g","data":null}',
        '{"type":"sendToGroup","group":"g","data":1,"dataType":"xml"}',
        '{"type":"sendToGroup","group":"g","data":1,"dataType":"text"}',
        '{"type":"sendToGroup","group":"g","data":"?","dataType":"binary"}',
        '{"type":"sendToGroup","group":"g","data":1,"ttlSeconds":301}',
        '{"type":"sendToGroup","group":"g","data":1,"metadata":{"a b":"c"}}',
        '{"type":"invoke"}',
        "no json",
    ],
)
def test_malformed_request_ends_the_session(text: str) -> None:
    recorder = ask(text)
    assert (recorder.answers, recorder.closed) == ([], [1007])


@pytest.mark.parametrize(
    ("dialect", "opcode", "text"),
    [(JSON, BINARY, '{"type":"ping"}'), (PROTOBUF, TEXT, '{"type":"ping"}'), (JSON, BINARY, "")],
)
def test_a_frame_of_the_wrong_kind_ends_the_session(
    dialect: Dialect, opcode: int, text: str
) -> None:
    assert ask(text, session(dialect=dialect), opcode).closed == [1003]


@pytest.mark.parametrize(("opcode", "data_type"), [(TEXT, "text"), (BINARY, "binary")])
def test_a_plain_client_with_the_role_speaks_to_its_group(opcode: int, data_type: str) -> None:
    asker = session(dialect=PLAIN, rights=ROLES, speaks_to="any")
    recorder = ask('{"type":"ping"}', asker, opcode)
    assert recorder.done == [("send", "any", data_type, b'{"type":"ping"}')]
    assert (recorder.answers, recorder.closed) == ([], [])


def test_a_plain_client_without_the_role_is_ended_with_the_reason() -> None:
    assert ask("hello", session(dialect=PLAIN, speaks_to="ops")).ended == [
        (1008, "The client does not have permission to send to group 'ops'.")
    ]


def test_what_a_plain_client_without_a_group_says_is_the_event_message() -> None:
    assert ask("hello", session(dialect=PLAIN)).done == [("event", "message", None)]


def test_a_token_is_acknowledged_when_it_was_checked_and_not_before() -> None:
    recorder = ask('{"type":"event","event":"tocsin.token","ackId":9,"dataType":"text","data":"j"}')
    assert recorder.done == [("renew", 9, b"j")]
    assert recorder.answers == []
