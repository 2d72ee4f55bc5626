"""Streams to groups: parts in order, each once; ends, and who is told of them.  No socket, time by hand."""

import json
from typing import Any

import pytest

from tests.unit.realtime_fakes import FakeClock, FakeSocket, Turns, payloads, session
from tocsin.adapters.memory.peers import NoPeers
from tocsin.realtime.answers import Answers
from tocsin.realtime.dialects import JSON, PLAIN, RELIABLE_JSON, Dialect
from tocsin.realtime.everywhere import Everywhere
from tocsin.realtime.here import Here
from tocsin.realtime.hub import Hubs
from tocsin.realtime.json_codec import JSON_CODEC
from tocsin.realtime.post import Post
from tocsin.realtime.rights import Rights
from tocsin.realtime.session import Session
from tocsin.realtime.settings import LONGEST_S
from tocsin.realtime.streams import MAX_STREAMS, Streams
from tocsin.realtime.wheel import Wheel
from tocsin.realtime.writer import Writer


class Stage:
    """A publisher who may send to ``g``, members of that group, and a clock."""

    def __init__(self) -> None:
        self.clock, self.turns, self.hubs = FakeClock(), Turns(), Hubs(10)
        self.writer = Writer(
            call_soon=self.turns,
            overflowed=lambda _session, _added: None,
            outbox_bytes=10_000,
        )
        self.wheel = Wheel(self.clock.monotonic_s())
        post = Post(self.hubs, self.writer)
        answers = Answers(self.writer, lambda _s, _callback: None, lambda *_: None)
        here = Here(self.hubs, post, lambda _session, _reason: None)
        everywhere = Everywhere(here, NoPeers(), self.clock.monotonic_s)
        self.streams = Streams(everywhere, answers, self.wheel, self.clock.monotonic_s)
        self.sockets: dict[Session, FakeSocket] = {}
        self.publisher = self.enter("publisher", rights=Rights(["webpubsub.sendToGroup.g"]))

    def enter(self, user: str, *groups: str, dialect: Dialect = JSON, **more: Any) -> Session:
        entered = session(user, dialect=dialect, **more)
        self.hubs.add(entered)
        for group in groups:
            self.hubs.join(entered, group)
        self.sockets[entered] = FakeSocket(entered)
        return entered

    def say(self, **request: Any) -> None:
        parsed = JSON_CODEC.parse(json.dumps(request).encode())
        match parsed.type:
            case "sendtogroup":
                self.streams.begin(self.publisher, parsed)
            case "streamdata":
                self.streams.take(self.publisher, parsed)
            case _:
                self.streams.end(self.publisher, parsed)
        self.turns.run_all()

    def begin(self, stream: str = "s", group: str = "g", **more: Any) -> None:
        no_echo = more.pop("noEcho", False)
        start = {"streamId": stream, **more}
        self.say(type="sendToGroup", group=group, noEcho=no_echo, stream=start)

    def send(self, number: int | None = None, data: str = "part", stream: str = "s") -> None:
        more = {} if number is None else {"streamSequenceId": number, "data": data}
        self.say(type="streamData", streamId=stream, dataType="text", **more)

    def wait(self, seconds: float) -> None:
        for _ in range(int(seconds * 4)):
            self.clock.s += 0.25
            self.wheel.advance(self.clock.s)
        self.turns.run_all()

    def heard(self, who: Session | None = None) -> list[dict[str, Any]]:
        """Return what someone heard since the last time, and forget it."""
        socket = self.sockets[who or self.publisher]
        texts, socket.writes = payloads(b"".join(socket.writes)), []
        return [json.loads(text) if text.startswith(b"{") else {"data": text} for text in texts]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def expects(number: int, stream: str = "s") -> dict[str, Any]:
    return {"type": "streamAck", "streamId": stream, "expectedSequenceId": number}


def closed(stage: Stage) -> str | None:
    """Return why the publisher's stream was closed, None if as it wanted."""
    *_, last = stage.heard()
    assert (last["type"], last["streamId"]) == ("streamClosed", "s")
    return last["error"]["name"] if "error" in last else None


def test_parts_reach_the_group_in_order_and_are_acknowledged(stage: Stage) -> None:
    reader = stage.enter("reader", "g", dialect=RELIABLE_JSON)
    stage.begin()
    stage.send(1, "one")
    stage.send(2, "two")
    stage.say(type="streamEnd", streamId="s")
    assert stage.heard()[:3] == [expects(1), expects(2), expects(3)]
    told = stage.heard(reader)
    assert [(m["data"], m["stream"], m["sequenceId"]) for m in told] == [
        ("one", {"streamId": "s", "streamSequenceId": 1}, 1),
        ("two", {"streamId": "s", "streamSequenceId": 2}, 2),
        ("", {"streamId": "s", "streamSequenceId": 3, "endOfStream": True}, 3),
    ]
    assert {(m["type"], m["group"], m["fromUserId"], m["dataType"]) for m in told} == {
        ("message", "g", "publisher", "text")
    }


def test_an_end_is_confirmed_and_an_application_error_reaches_readers_only(stage: Stage) -> None:
    reader = stage.enter("reader", "g")
    stage.begin()
    stage.say(type="streamEnd", streamId="s", error={"message": "boom", "userErrorCode": "app"})
    assert closed(stage) is None
    assert stage.heard(reader)[-1]["stream"]["error"] == {
        "name": "UserError",
        "message": "boom",
        "userErrorCode": "app",
    }


def test_a_repeated_part_is_acknowledged_and_not_told_again(stage: Stage) -> None:
    reader = stage.enter("reader", "g")
    stage.begin()
    stage.send(1)
    stage.send(1)
    assert stage.heard() == [expects(1), expects(2), expects(2)]
    assert len(stage.heard(reader)) == 1


def test_a_part_after_a_gap_is_refused_and_the_stream_goes_on(stage: Stage) -> None:
    reader = stage.enter("reader", "g")
    stage.begin()
    stage.send(2)
    refusal = stage.heard()[-1]
    assert (refusal["type"], refusal["name"], refusal["expectedSequenceId"]) == (
        "streamNack",
        "InvalidSequenceId",
        1,
    )
    stage.send(1)
    assert (stage.heard(), len(stage.heard(reader))) == ([expects(2)], 1)


def test_a_stream_that_is_not_there_is_closed(stage: Stage) -> None:
    stage.send(1)
    assert closed(stage) == "StreamNotFound"
    stage.say(type="streamEnd", streamId="s")
    assert closed(stage) == "StreamNotFound"
    stage.begin()
    stage.say(type="streamEnd", streamId="s")
    stage.heard()
    stage.send(1)
    assert closed(stage) == "StreamNotFound"


def test_who_may_not_send_to_the_group_cannot_begin(stage: Stage) -> None:
    stage.begin(group="other")
    assert closed(stage) == "Forbidden"
    stage.send(1)
    assert closed(stage) == "StreamNotFound"


def test_a_grant_that_is_taken_back_ends_the_stream_for_all(stage: Stage) -> None:
    reader = stage.enter("reader", "g")
    stage.begin()
    stage.send(1)
    stage.publisher.withdraw_grant("sendToGroup", "g")
    stage.send(2)
    assert closed(stage) == "Forbidden"
    first, last = stage.heard(reader)
    assert first["data"] == "part"
    assert last["stream"]["error"]["name"] == "Forbidden"


@pytest.mark.parametrize("timeout", [0, -1, 2**32])
def test_an_impossible_idle_timeout_is_refused(stage: Stage, timeout: int) -> None:
    stage.begin(idleTimeoutMs=timeout)
    assert closed(stage) == "BadRequest"


def test_a_beginning_may_be_repeated_until_the_first_part(stage: Stage) -> None:
    stage.begin()
    stage.begin()
    assert stage.heard() == [expects(1), expects(1)]
    stage.send(1)
    stage.begin()
    assert closed(stage) == "BadRequest"
    stage.send(2)
    assert stage.heard() == [expects(3)]


def test_one_connection_has_a_bounded_number_of_streams(stage: Stage) -> None:
    for number in range(MAX_STREAMS):
        stage.begin(str(number))
    stage.heard()
    stage.begin()
    assert closed(stage) == "BadRequest"
    stage.say(type="streamEnd", streamId="0")
    stage.heard()
    stage.begin()
    assert stage.heard() == [expects(1)]


def test_an_idle_stream_ends_for_all_and_signs_of_life_keep_it(stage: Stage) -> None:
    reader = stage.enter("reader", "g")
    stage.begin(idleTimeoutMs=2000)
    stage.heard()
    for _ in range(3):
        stage.wait(1.5)
        stage.send()
    assert (stage.heard(), stage.heard(reader)) == ([], [])
    stage.wait(2.5)
    assert closed(stage) == "IdleTimeout"
    [end] = stage.heard(reader)
    assert end["stream"]["error"]["name"] == "IdleTimeout"
    assert end["stream"]["streamSequenceId"] == 1


def test_an_idle_timeout_may_be_longer_than_the_wheel(stage: Stage) -> None:
    stage.begin(idleTimeoutMs=(LONGEST_S + 300) * 1000)
    stage.heard()
    stage.wait(LONGEST_S + 299)
    assert stage.heard() == []
    stage.wait(2)
    assert closed(stage) == "IdleTimeout"


def test_the_end_of_the_connection_cancels_its_streams(stage: Stage) -> None:
    reader = stage.enter("reader", "g")
    stage.begin()
    stage.begin("t")
    stage.send(1)
    stage.streams.ended(stage.publisher)
    stage.turns.run_all()
    ends = [m["stream"] for m in stage.heard(reader)][1:]
    assert [(end["streamId"], end["error"]["name"]) for end in ends] == [
        ("s", "Cancelled"),
        ("t", "Cancelled"),
    ]
    stage.wait(LONGEST_S)
    assert (stage.heard(reader), stage.streams.has_published(stage.publisher)) == ([], False)


def test_no_echo_keeps_parts_and_end_from_the_publisher(stage: Stage) -> None:
    stage.hubs.join(stage.publisher, "g")
    stage.begin("loud")
    stage.begin(noEcho=True)
    stage.heard()
    stage.send(1)
    stage.say(type="streamEnd", streamId="s")
    assert {m["type"] for m in stage.heard()} == {"streamAck", "streamClosed"}
    stage.send(1, stream="loud")
    assert {m["type"] for m in stage.heard()} == {"message", "streamAck"}


def test_plain_clients_get_the_data_and_no_end(stage: Stage) -> None:
    plain = stage.enter("plain", "g", dialect=PLAIN)
    stage.begin()
    stage.send(1, "one")
    stage.say(type="streamEnd", streamId="s")
    assert stage.heard(plain) == [{"data": b"one"}]
