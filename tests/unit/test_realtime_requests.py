"""What clients ask for, and how each is answered."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.realtime_fakes import FakeSocket, session
from tocsin.realtime.answers import Answers
from tocsin.realtime.dialects import JSON, PLAIN, PROTOBUF, RELIABLE_JSON, Dialect
from tocsin.realtime.frames import BINARY, TEXT
from tocsin.realtime.hub import Hubs
from tocsin.realtime.message import Message
from tocsin.realtime.request import AckError, Request
from tocsin.realtime.requests import Desk, handle_message
from tocsin.realtime.rights import Rights
from tocsin.realtime.session import Session


class Recorder:
    """A desk whose parts write down what is asked of them; answers and groups are real."""

    def __init__(self) -> None:
        self.answers: list[dict[str, object]] = []
        self.asked: list[Session] = []
        self.closed: list[int] = []
        self.ended: list[tuple[int, str]] = []
        self.reported: list[bytes] = []
        self.done: list[tuple[object, ...]] = []
        self.hubs = Hubs(groups_per_connection=2)
        stand_in: Any = self
        self.desk = Desk(
            answers=Answers(stand_in, lambda _delay_s, _callback: None, self.close),
            hubs=self.hubs,
            everywhere=stand_in,
            upstream=stand_in,
            token_life=stand_in,
            witness=stand_in,
            anti_entropy=stand_in,
            streams=stand_in,
            states=stand_in,
            now_s=lambda: 5.0,
        )

    def hear(self, asker: Session, payload: bytes, opcode: int = TEXT) -> None:
        if self.hubs.get(asker.id) is None:
            self.hubs.add(asker)
        socket = FakeSocket(asker)
        handle_message(self.desk, asker, opcode, payload)
        self.answers += [json.loads(frame[frame.index(b'{"') :]) for frame in socket.writes]

    def close(self, session: Session, code: int, reason: str) -> None:
        self.closed.append(code)
        self.ended.append((code, reason))

    def ask(self, session: Session) -> None:
        self.asked.append(session)

    def acknowledged(self, session: Session, sequence_id: int) -> None:
        self.done.append(("acknowledged", sequence_id, session.held))

    def told(self, session: Session, request: Request) -> None:
        self.reported.append(request.data)

    def to_group(self, hub: str, group: str, message: Message, where: object) -> None:
        self.done.append(("send", group, message.data_type, message.data))

    def raise_event(self, session: Session, request: Request) -> None:
        self.done.append(("event", request.event, request.ack_id))

    def invoke(self, session: Session, invocation_id: str, request: Request) -> None:
        self.done.append(("invoke", invocation_id, request.event))

    def cancel_invocation(self, session: Session, invocation_id: str) -> None:
        self.done.append(("cancel", invocation_id))

    def begin(self, session: Session, request: Request) -> None:
        self.done.append(("begin", request.stream_id, request.group, request.idle_timeout_ms))

    def take(self, session: Session, request: Request) -> None:
        self.done.append(("part", request.need_stream(), request.stream_number, request.data))

    def end(self, session: Session, request: Request) -> None:
        self.done.append(("end", request.need_stream(), request.fault and request.fault.name))

    def set_state(
        self, session: Session, group: str, state: Mapping[str, str] | None
    ) -> AckError | None:
        self.done.append(("state", group, state))
        return None

    def subscribe(self, session: Session, group: str) -> AckError | None:
        self.done.append(("watch", group))
        return None

    def unsubscribe(self, session: Session, group: str) -> None:
        self.done.append(("look away", group))

    def renew(self, session: Session, request: Request) -> None:
        self.done.append(("renew", request.ack_id, request.data))


def ask(text: str, asker: Session | None = None, opcode: int = TEXT) -> Recorder:
    recorder = Recorder()
    recorder.hear(asker or session(), text.encode(), opcode)
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
    recorder = ask('{"type":"sequenceAck","sequenceId":1}', asker)
    assert (recorder.answers, asker.held) == ([], 1)
    # The receipt is written while the message is still known.
    assert recorder.done == [("acknowledged", 1, 2)]


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
    recorder.hear(asker, b'{"type":"joinGroup","group":"ops","ackId":0}')
    assert recorder.hubs.of_group("h", "ops") == [asker]
    recorder.hear(
        asker, b'{"type":"sendToGroup","group":"any","ackId":1,"dataType":"binary","data":"AQI="}'
    )
    assert recorder.done == [("send", "any", "binary", b"\1\2")]
    recorder.hear(asker, b'{"type":"leaveGroup","group":"ops","ackId":2}')
    assert not recorder.hubs.of_group("h", "ops")
    assert [answer["success"] for answer in recorder.answers] == [True, True, True]


def test_a_repeat_is_told_and_not_done_again_but_a_failed_request_may_be_tried_again() -> None:
    asker = session(rights=ROLES)
    recorder = Recorder()
    for _ in range(2):
        recorder.hear(asker, b'{"type":"joinGroup","group":"ops","ackId":3}')
        recorder.hear(asker, b'{"type":"joinGroup","group":"no","ackId":4}')
    assert asker.groups == {"ops"}
    names = [a["error"]["name"] for a in recorder.answers if "error" in a]  # type: ignore[index]
    assert names == ["Forbidden", "Duplicate", "Forbidden"]


def test_the_last_thousand_requests_that_succeeded_are_remembered() -> None:
    asker = session(rights=ROLES)
    recorder = Recorder()
    for ack_id in (*range(1001), 1, 1000, 0):
        recorder.hear(asker, b'{"type":"joinGroup","group":"ops","ackId":%d}' % ack_id)
    assert [answer["success"] for answer in recorder.answers[:1001]] == [True] * 1001
    assert [answer["success"] for answer in recorder.answers[1001:]] == [False, False, True]


def test_who_is_in_too_many_groups_is_told_and_joins_no_more() -> None:
    asker = session(rights=Rights(["webpubsub.joinLeaveGroup"]))
    recorder = Recorder()
    for group in ("a", "b", "c"):
        recorder.hear(asker, b'{"type":"joinGroup","group":"%b","ackId":1}' % group.encode())
        asker._done = None
    assert asker.groups == {"a", "b"}
    assert recorder.answers[-1]["error"] == {
        "name": "BadRequest",
        "message": "The client is in 2 groups, and may be in no more.",
    }


def test_streams_are_taken_part_by_part_and_not_acknowledged_here() -> None:
    recorder, asker = Recorder(), session()
    for text in (
        '{"type":"sendToGroup","group":"ops","ackId":1,"stream":{"streamId":"s","idleTimeoutMs":9}}',
        '{"type":"streamData","streamId":"s","streamSequenceId":1,"dataType":"text","data":"x"}',
        '{"type":"streamData","streamId":"s"}',
        '{"type":"streamEnd","streamId":"s","error":{"message":null}}',
    ):
        recorder.hear(asker, text.encode())
    assert recorder.done == [
        ("begin", "s", "ops", 9),
        ("part", "s", 1, b"x"),
        ("part", "s", None, b""),
        ("end", "s", "UserError"),
    ]
    assert recorder.answers == []


def test_who_has_the_roles_sets_and_watches_states() -> None:
    roles = ["webpubsub.setGroupState", "webpubsub.getGroupState.ops"]
    recorder, asker = Recorder(), session(rights=Rights(roles))
    for text in (
        '{"type":"setGroupState","group":"any","ackId":1,"state":{"a":"b"}}',
        '{"type":"setGroupState","group":"any","ackId":2}',
        '{"type":"subscribeGroupState","group":"ops","ackId":3}',
        '{"type":"unsubscribeGroupState","group":"ops","ackId":4}',
    ):
        recorder.hear(asker, text.encode())
    assert recorder.done == [
        ("state", "any", {"a": "b"}),
        ("state", "any", None),
        ("watch", "ops"),
        ("look away", "ops"),
    ]
    assert [answer["success"] for answer in recorder.answers] == [True] * 4
    for kind in ("setGroupState", "subscribeGroupState"):
        refused = error(ask(f'{{"type":"{kind}","group":"ops","ackId":1}}'))
        assert refused[1] == "Forbidden"


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
        '{"type":"streamData"}',
        '{"type":"streamEnd","streamId":""}',
        '{"type":"streamData","streamId":"s","streamSequenceId":1}',
        '{"type":"streamData","streamId":"s","data":1}',
        '{"type":"streamData","streamId":"s","streamSequenceId":0,"data":1}',
        '{"type":"sendToGroup","group":"g","stream":{"streamId":"s"},"data":1}',
        '{"type":"streamEnd","streamId":"s","error":{"message":"%s"}}' % ("x" * 1025),
        '{"type":"setGroupState","group":"g","state":{"a":1}}',
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
