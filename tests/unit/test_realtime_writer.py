"""Fan-out in slices, many messages in one write, and bounds on who does not read."""

import json

from tests.unit.realtime_fakes import FakeClock, FakeSocket, Notes, Turns, session
from tocsin.ports.fanout import Announcement
from tocsin.realtime.answers import Answers
from tocsin.realtime.dialects import JSON, PLAIN, RELIABLE_JSON
from tocsin.realtime.hub import Hubs
from tocsin.realtime.message import Message
from tocsin.realtime.receipts import Witness
from tocsin.realtime.relay import Relay
from tocsin.realtime.session import Session
from tocsin.realtime.settings import Replay
from tocsin.realtime.writer import BYTES_PER_TURN, SOCKETS_PER_TURN, Writer
from tocsin.supervisor import Supervisor


class Floor:
    """A writer over some hubs, with its overflows and turns to see."""

    def __init__(self, outbox_bytes: int = 1000) -> None:
        self.hubs = Hubs(1000)
        self.turns = Turns()
        self.overflows: list[tuple[Session, int]] = []
        self.writer = Writer(
            call_soon=self.turns,
            overflowed=lambda session, added: self.overflows.append((session, added)),
            outbox_bytes=outbox_bytes,
        )
        answers = Answers(self.writer, lambda _delay_s, _callback: None, lambda *_: None)
        witness = Witness(Notes(), FakeClock(), answers, Supervisor())
        self.relay = Relay(self.hubs, self.writer, witness)

    def spread(self, message: Message) -> None:
        self.writer.spread("all", lambda: self.hubs.inboxes("h"), message)

    def join(self, *sessions: Session) -> list[FakeSocket]:
        for each in sessions:
            self.hubs.add(each)
        return [FakeSocket(each) for each in sessions]


class TakesThree:
    def write(self, _data: bytes) -> int:
        return 3


class Fails:
    def write(self, _data: bytes) -> int:
        raise BlockingIOError


def data(text: str, size: int = 0) -> Message:
    return Message(json.dumps(text + "." * size).encode())


def test_nothing_is_written_before_the_turn_ends_and_then_in_one_write() -> None:
    floor = Floor()
    (socket,) = floor.join(s := session())
    floor.writer.send([s], data("a"))
    floor.writer.send([s], data("b"))
    assert socket.writes == []
    assert floor.turns.run_all() == 1
    assert socket.writes == [JSON.encode([data("a"), data("b")], 1)]


def test_a_burst_of_broadcasts_is_one_write_for_each() -> None:
    floor = Floor()
    sockets = floor.join(*(session(f"u{i}", dialect=RELIABLE_JSON) for i in range(3)))
    messages = [data(str(i)) for i in range(10)]
    for message in messages:
        floor.spread(message)
    floor.turns.run_all()
    for socket in sockets:
        assert socket.writes == [RELIABLE_JSON.encode(messages, 1)]
    assert floor.writer.sent == 30


def test_what_a_socket_does_not_take_is_handed_over_and_reaches_nobody_twice() -> None:
    floor = Floor()
    full, lost, well = floor.join(*(session(f"u{i}", dialect=RELIABLE_JSON) for i in range(3)))

    full.session.sink, lost.session.sink = TakesThree(), Fails()
    floor.spread(message := data("a"))
    floor.turns.run_all()
    frame = RELIABLE_JSON.encode([message], 1)
    assert [s.writes for s in (full, lost, well)] == [[frame[3:]], [frame], [frame]]
    assert all(s.session.rewind() and s.session.take(1000)[0] == [message] for s in (full, lost))


def test_each_session_has_its_own_numbers_and_dialect() -> None:
    floor = Floor()
    early, late = session("early", dialect=RELIABLE_JSON), session("late", dialect=RELIABLE_JSON)
    plain, simple = session("plain", dialect=JSON), session("simple", dialect=PLAIN)
    sockets = floor.join(early, late, plain, simple)
    floor.writer.send([early], data("own"))
    floor.turns.run_all()
    floor.spread(all_ := data("all"))
    floor.turns.run_all()
    assert [socket.writes[-1] for socket in sockets] == [
        RELIABLE_JSON.encode([all_], 2),
        RELIABLE_JSON.encode([all_], 1),
        JSON.encode([all_], 1),
        PLAIN.encode([all_], 1),
    ]


def test_a_large_fanout_leaves_the_loop_free_between_slices() -> None:
    floor = Floor()
    sockets = floor.join(*(session(f"u{i}") for i in range(3 * SOCKETS_PER_TURN - 1)))
    floor.spread(data("x"))
    for done in (1, 2):
        floor.turns.run_one()
        assert sum(len(s.writes) for s in sockets) == done * SOCKETS_PER_TURN
    floor.turns.run_all()
    assert all(len(s.writes) == 1 for s in sockets)


def test_what_is_large_goes_to_fewer_in_one_turn() -> None:
    floor = Floor()
    sockets = floor.join(*(session(f"u{i}") for i in range(7)))
    floor.spread(large := data("x", BYTES_PER_TURN // 3 - 3))
    assert 3 * large.size == BYTES_PER_TURN - 1
    for done in (3, 6, 7):
        floor.turns.run_one()
        assert sum(len(s.writes) for s in sockets) == done
    floor.spread(data("x", 2 * BYTES_PER_TURN))
    floor.turns.run_one()
    assert sum(len(s.writes) for s in sockets) == 8


def test_many_waiting_sessions_are_flushed_in_slices_too() -> None:
    floor = Floor()
    sessions = [session(f"u{i}") for i in range(SOCKETS_PER_TURN + 1)]
    sockets = floor.join(*sessions)
    floor.writer.send(sessions, data("x"))
    floor.turns.run_one()
    assert sum(len(s.writes) for s in sockets) == SOCKETS_PER_TURN
    floor.turns.run_all()
    assert all(len(s.writes) == 1 for s in sockets)


def test_broadcasts_keep_their_order_and_come_behind_what_waits() -> None:
    floor = Floor()
    (socket,) = floor.join(s := session(dialect=RELIABLE_JSON))
    floor.writer.send([s], own := data("own"))
    floor.spread(first := data("1"))
    floor.turns.run_one()
    floor.spread(second := data("2"))
    floor.turns.run_all()
    assert b"".join(socket.writes) == RELIABLE_JSON.encode([own, first, second], 1)


def test_a_session_that_joins_during_a_fanout_is_not_written_twice_nor_missed_later() -> None:
    floor = Floor()
    floor.join(*(session(f"u{i}") for i in range(SOCKETS_PER_TURN + 1)))
    floor.spread(data("1"))
    floor.turns.run_one()
    (late,) = floor.join(session("late"))
    floor.spread(second := data("2"))
    floor.turns.run_all()
    assert late.writes == [JSON.encode([second], 1)]


def test_who_does_not_read_keeps_messages_up_to_the_bound_and_then_overflows() -> None:
    floor = Floor(outbox_bytes=100)
    slow, quick = session("slow"), session("quick")
    stuck, fine = floor.join(slow, quick)
    stuck.get_stuck()
    for _ in range(4):
        floor.spread(data("x", 20))
        floor.turns.run_all()
    assert (slow.waiting, floor.overflows) == (92, [])
    floor.spread(data("x", 20))
    floor.turns.run_all()
    assert floor.overflows == [(slow, 23)]
    assert len(fine.writes) == 5


def test_a_burst_above_the_bound_does_not_harm_who_reads() -> None:
    floor = Floor(outbox_bytes=100)
    (socket,) = floor.join(s := session())
    messages = [data("x", 50) for _ in range(10)]
    for message in messages:
        floor.writer.send([s], message)
    floor.turns.run_all()
    assert floor.overflows == []
    assert b"".join(socket.writes) == JSON.encode(messages, 1)


def test_messages_for_a_session_without_socket_wait_and_are_told() -> None:
    floor = Floor()
    s = session(dialect=RELIABLE_JSON)
    floor.hubs.add(s)
    floor.spread(message := data("x"))
    floor.turns.run_all()
    assert floor.overflows == [(s, message.size)]
    assert s.take(1000) == ([message], 1)


def test_an_ended_session_gets_nothing_more() -> None:
    floor = Floor()
    (socket,) = floor.join(s := session())
    floor.spread(data("x"))
    floor.writer.send([s], data("y"))
    socket.close(1008, "")
    floor.turns.run_all()
    assert socket.writes == []


def test_what_is_written_at_once_is_kept_for_a_replay_like_any_other() -> None:
    floor = Floor()
    (socket,) = floor.join(s := session(dialect=RELIABLE_JSON))
    messages = [data(str(i)) for i in range(Replay().messages)]
    for message in messages:
        floor.spread(message)
        floor.turns.run_all()
    assert b"".join(socket.writes) == RELIABLE_JSON.encode(messages, 1)
    assert s.held == sum(message.size for message in messages)
    assert s.rewind()
    assert s.take(10**9) == (messages, 1)
    floor.spread(data("one too many"))
    floor.turns.run_all()
    assert not s.rewind()


def announcement(number: int, user: str | None = "u", hub: str = "h") -> Announcement:
    return Announcement(hub, user, number, b'{"n":%d}' % number)


def test_relay_reaches_all_inbox_connections_of_the_user_and_nobody_else() -> None:
    floor = Floor()
    first, second = session("u"), Session("c-2", hub="h", user="u", dialect=JSON, inbox=True)
    plain = Session("c-3", hub="h", user="u", dialect=JSON)
    other, elsewhere = session("v"), session("u", hub="h2")
    sockets = floor.join(first, second, plain, other, elsewhere)
    floor.relay.heard([announcement(5), announcement(6), announcement(1, user="nobody")])
    floor.turns.run_all()
    assert [len(s.writes) for s in sockets] == [1, 1, 0, 0, 0]
    assert [s.rev for s in (first, second, plain, other, elsewhere)] == [6, 6, -1, -1, -1]


def test_relay_notes_the_largest_number_even_if_announcements_overtake() -> None:
    floor = Floor()
    floor.join(s := session())
    floor.relay.heard(
        [announcement(7), announcement(6), announcement(9, None), announcement(8, None)]
    )
    hub = floor.hubs.hub("h")
    assert hub is not None
    assert (s.rev, hub.brev) == (7, 9)


def test_relay_does_no_work_for_hubs_without_anybody() -> None:
    floor = Floor()
    floor.relay.heard([announcement(1, None, "empty"), announcement(1, "u", "empty")])
    assert floor.turns.callbacks == []


def test_hubs_forget_users_and_hubs_that_are_empty() -> None:
    hubs = Hubs(1000)
    a, b = session("a"), session("b")
    hubs.add(a)
    hubs.add(b)
    assert hubs.get("c-a") is a
    assert list(hubs.of_user("h", "a")) == [a]
    hubs.remove(a)
    hubs.remove(a)
    assert (hubs.get("c-a"), list(hubs.of_user("h", "a")), hubs.names()) == (None, [], ["h"])
    hubs.remove(b)
    assert (len(hubs), hubs.names(), list(hubs.inboxes("h"))) == (0, [], [])
