"""Spreads to many: whatever else a connection is sent, everything arrives once, in order and under its own number."""

import sys
from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.realtime_fakes import session
from tocsin.realtime.dialects import JSON, RELIABLE_JSON, RELIABLE_PROTOBUF, Dialect
from tocsin.realtime.message import Message
from tocsin.realtime.settings import Replay
from tocsin.realtime.spread import Steps, write_at_once

DIALECTS = (RELIABLE_JSON, RELIABLE_JSON, RELIABLE_JSON, RELIABLE_PROTOBUF, JSON)


def message(number: int = 0, size: int = 10) -> Message:
    return Message(b"%*d" % (size, number))


class Line:
    """A session, what was written to its socket, and what should be."""

    def __init__(self, name: str, dialect: Dialect = RELIABLE_JSON) -> None:
        self.session = session(name, dialect=dialect)
        self.session.sink = self
        self.bytes = b""
        self.made: list[Message] = []
        self.written = self.acked = 0

    def write(self, data: bytes) -> int:
        self.bytes += data
        return len(data)

    def put(self, messages: Sequence[Message]) -> None:
        self.session.put(messages, sum(m.size for m in messages))
        self.made += messages

    def flush(self) -> None:
        while self.session.waiting:
            taken, first = self.session.take(25)
            self.write(self.session.dialect.encode(taken, first))

    def check(self) -> None:
        """See that what was written since the last check is what was not written before, and the rest is kept."""
        waiting = self.session.waiting // 10
        new = self.made[self.written : len(self.made) - waiting]
        assert self.bytes == self.session.dialect.encode(new, self.written + 1)
        self.bytes = b""
        self.written += len(new)
        if not self.session.dialect.reliable:
            self.acked = self.written
        assert self.session.held == 10 * (len(self.made) - self.acked)


def spread(messages: Sequence[Message], *lines: Line) -> None:
    steps = Steps(messages)
    sessions = [line.session for line in lines]
    half = len(sessions) // 2
    others = write_at_once(sessions[:half], steps) + write_at_once(sessions[half:], steps)
    for line in lines:
        if line.session in others:
            line.put(messages)
        else:
            line.made += messages


class Op(NamedTuple):
    kind: str
    line: int
    number: int


operations = st.lists(
    st.builds(
        Op,
        st.sampled_from(("spread", "spread", "spread", "put", "flush", "ack", "ack", "rewind")),
        st.integers(0, 2 ** len(DIALECTS) - 1),
        st.integers(1, 40),
    ),
    max_size=80,
)


@given(operations)
def test_every_message_is_written_under_its_own_number_however_the_ways_mix(
    operations: list[Op],
) -> None:
    lines = [Line(f"u{at}", dialect) for at, dialect in enumerate(DIALECTS)]
    for kind, at, number in operations:
        line = lines[at % len(lines)]
        if kind == "spread":
            some = [each for bit, each in enumerate(lines) if at >> bit & 1]
            spread([message(i) for i in range(number)], *some)
        elif kind == "put":
            line.put([message(i) for i in range(number % 4)])
        elif kind == "flush":
            line.flush()
        elif kind == "ack":
            told = line.acked + number % 8 - 1  # old ones and absurd ones, too
            line.session.acknowledge(told)
            line.acked = max(line.acked, min(told, line.written))
        elif line.session.dialect.reliable:
            assert line.session.rewind()
            line.written = line.acked
        for each in lines:
            each.check()


def test_what_many_are_sent_is_kept_once_whatever_their_numbers() -> None:
    first, second, third = (Line(f"u{i}") for i in range(3))
    second.put([message()])
    second.flush()
    for _ in range(3):
        spread([message()], first, second, third)
    assert first.session.place is second.session.place is third.session.place
    assert [line.session.held for line in (first, second, third)] == [30, 40, 30]


def test_who_is_sent_something_else_between_comes_back_to_the_others() -> None:
    *others, alone = lines = [Line(f"u{i}") for i in range(3)]
    spread([message()], *lines)
    spread([message()], *others)
    spread([message()], *lines)
    assert alone.session.place is not others[0].session.place
    spread([message()], *lines)
    assert alone.session.place is others[0].session.place
    for line in lines:
        line.check()


def test_what_was_sent_before_a_run_is_acknowledged_as_well() -> None:
    ahead, line = Line("u"), Line("v")
    spread([message()], ahead)
    line.put([message() for _ in range(3)])
    line.flush()
    spread([message()], ahead, line)
    assert ahead.session.place is line.session.place
    for line.acked in (2, 2, 4):
        line.session.acknowledge(line.acked)
        line.check()
    spread([message()], ahead, line)
    line.check()
    assert line.session.rewind()


def test_what_all_have_acknowledged_is_kept_by_nobody() -> None:
    lines = [Line(f"u{i}") for i in range(3)]
    one = message()
    before = sys.getrefcount(one)
    for line in lines:
        write_at_once([line.session], Steps([one]))
    write_at_once([line.session for line in lines], Steps([one]))
    assert sys.getrefcount(one) > before
    for line in lines:
        line.session.acknowledge(2)
    assert (sys.getrefcount(one), lines[0].session.held) == (before, 0)


def test_a_run_ends_after_some_messages_or_bytes() -> None:
    line = Line("u")
    longest = 0
    for size, count in ((10, 500), (100_000, 50)):
        for _ in range(count):
            spread([message(size=size)], line)
            place = line.session.place
            longest = max(longest, 0 if place is None else place.count)
            assert place is None or place.size < 400_000
    assert longest == 64


def test_who_acknowledges_nothing_keeps_no_more_than_is_promised() -> None:
    line = Line("u")
    line.session.replay = Replay(messages=100)
    for number in range(100):
        spread([message(number)], line)
    assert line.session.rewind()
    line.flush()
    for number in range(500):
        spread([message(number)], line)
        assert line.session.held <= 10 * (100 + 64)
    assert not line.session.rewind()
    assert line.session.held == 10 * 100


def test_a_client_without_numbers_acknowledges_nothing() -> None:
    line = Line("u", JSON)
    line.put([message()])
    line.session.acknowledge(1)
    assert (line.session.waiting, line.session.held) == (10, 10)
    line.flush()
    spread([message()], line)
    line.check()
