"""Messages to groups, users and hubs: who gets them, in which order, and who does not."""

from tests.unit.realtime_fakes import FakeSocket, Turns, session
from tocsin.realtime.dialects import EVENT_STREAM, JSON, PLAIN, RELIABLE_JSON
from tocsin.realtime.hub import Hubs
from tocsin.realtime.message import Message
from tocsin.realtime.post import OthersThan, Post
from tocsin.realtime.session import Session
from tocsin.realtime.writer import Writer


class House:
    """Some sessions, and a post among them."""

    def __init__(self) -> None:
        self.hubs, self.turns = Hubs(1000), Turns()
        writer = Writer(
            call_soon=self.turns,
            overflowed=lambda _s, _n: None,
            outbox_bytes=10_000,
        )
        self.post = Post(self.hubs, writer)
        self.sockets: dict[str, FakeSocket] = {}

    def enter(self, user: str, *groups: str, dialect: object = JSON) -> Session:
        new = session(user, dialect=dialect)  # type: ignore[arg-type]
        self.hubs.add(new)
        for group in groups:
            self.hubs.join(new, group)
        self.sockets[user] = FakeSocket(new)
        return new

    def heard(self, user: str) -> bytes:
        self.turns.run_all()
        return b"".join(self.sockets[user].writes)


def test_members_of_all_dialects_get_a_group_message_and_others_do_not() -> None:
    house = House()
    house.enter("a", "g")
    house.enter("b", "g", dialect=RELIABLE_JSON)
    house.enter("c", "g", dialect=PLAIN)
    house.enter("d", "other")
    message = Message(b"\x01\x02", data_type="binary", group="g", sender="a")
    house.post.to_group("h", "g", message)
    start = b'{"type":"message","from":"group","group":"g","fromUserId":"a","dataType":"binary"'
    assert house.heard("a").endswith(start + b',"data":"AQI="}')
    assert house.heard("b").endswith(start + b',"data":"AQI=","sequenceId":1}')
    assert house.heard("c") == b"\x82\x02\x01\x02"
    assert house.heard("d") == b""


def test_text_is_a_json_string_and_a_plain_text_frame() -> None:
    house = House()
    house.enter("a", "g")
    house.enter("c", "g", dialect=PLAIN)
    house.post.to_group("h", "g", Message('say "é"'.encode(), data_type="text", group="g"))
    assert house.heard("a").endswith('"dataType":"text","data":"say \\"é\\""}'.encode())
    assert house.heard("c") == b"\x81\x08" + 'say "é"'.encode()


def test_who_left_or_ended_gets_nothing_more() -> None:
    house = House()
    gone, left = house.enter("a", "g"), house.enter("b", "g")
    house.hubs.remove(gone)
    house.hubs.leave(left, "g")
    house.hubs.join(gone, "g")
    house.post.to_group("h", "g", Message(b"1", group="g"))
    assert (house.heard("a"), house.heard("b")) == (b"", b"")
    assert not house.hubs.of_group("h", "g")


def test_an_event_stream_hears_nothing_that_is_sent_to_connections() -> None:
    house = House()
    house.enter("u", "g", dialect=EVENT_STREAM)
    house.post.to_group("h", "g", Message(b"1"))
    house.post.to_user("h", "u", Message(b"2"))
    house.post.to_all("h", Message(b"3"))
    assert house.heard("u") == b""


def test_order_is_kept_between_few_and_many() -> None:
    house = House()
    everybody = [house.enter(f"u{number}", "few" if number < 2 else "rest") for number in range(99)]
    house.post.to_all("h", Message(b"1"))
    house.post.to_group("h", "few", Message(b"2", group="few"))
    house.post.to_user("h", "u0", Message(b"3"))
    house.post.to_connection(everybody[0], Message(b"4"))
    heard = house.heard("u0")
    places = [heard.index(b'"data":%d' % number) for number in (1, 2, 3, 4)]
    assert places == sorted(places)
    assert house.heard("u98").count(b'"data"') == 1


def test_a_filter_picks_among_few_and_among_many() -> None:
    for size in (3, 300):
        house = House()
        for number in range(size):
            house.enter(f"u{number}")
        house.post.to_all("h", Message(b"1"), lambda one: one.user != "u1")
        assert house.heard("u0")
        assert not house.heard("u1")


def test_a_burst_without_echo_is_one_write_for_each_and_ends_with_its_sender() -> None:
    house = House()
    first, second, *_ = [house.enter(f"u{number}", "room") for number in range(300)]
    for sender in (first, first, first, second):
        message = Message(b"1", group="room")
        house.post.to_group("h", "room", message, OthersThan(sender))
    assert [house.heard(user).count(b'"data"') for user in ("u0", "u1", "u2")] == [1, 3, 4]
    assert [len(house.sockets[user].writes) for user in ("u0", "u1", "u2")] == [1, 1, 2]


def test_an_expired_message_is_not_written_and_leaves_its_number_free() -> None:
    messages = [Message(b"1"), Message(b"2", expires_s=5.0), Message(b"3")]
    text = RELIABLE_JSON.encode(messages, 1, now_s=6.0)
    assert b'"data":1,"sequenceId":1}' in text
    assert b'"data":2' not in text
    assert b'"data":3,"sequenceId":3}' in text
    assert b'"data":2,"sequenceId":2}' in RELIABLE_JSON.encode(messages, 1, now_s=4.0)
