"""The queue of one connection: written, acknowledged, replayed, bounded."""

from hypothesis import given
from hypothesis import strategies as st

from tocsin.realtime.message import Message
from tocsin.realtime.outbox import Outbox
from tocsin.realtime.settings import Replay


def message(number: int = 0, size: int = 10) -> Message:
    return Message(b"%*d" % (size, number))


def put(outbox: Outbox, *messages: Message) -> None:
    outbox.put(messages, sum(m.size for m in messages))


def test_taken_messages_are_numbered_from_one_and_leave_a_plain_outbox() -> None:
    outbox = Outbox(reliable=False)
    a, b = message(1), message(2)
    put(outbox, a)
    put(outbox, b)
    assert outbox.waiting == 20
    assert outbox.take(1000) == ([a, b], 1)
    assert (outbox.waiting, outbox.held) == (0, 0)
    assert outbox.take(1000)[0] == []


def test_a_write_takes_at_least_one_message_and_at_most_its_bytes() -> None:
    outbox = Outbox(reliable=True)
    big, small, last = message(1, 100), message(2, 10), message(3, 10)
    put(outbox, big, small, last)
    assert outbox.take(50) == ([big], 1)
    assert outbox.take(15) == ([small], 2)
    assert outbox.waiting == 10
    assert outbox.take(15) == ([last], 3)
    assert outbox.held == 120


def test_acknowledged_messages_are_forgotten_and_the_rest_is_replayed() -> None:
    outbox = Outbox(reliable=True)
    sent = [message(i) for i in range(4)]
    put(outbox, *sent)
    outbox.take(1000)
    outbox.acknowledge(2)
    assert outbox.rewind()
    assert outbox.take(1000) == (sent[2:], 3)


def test_old_repeated_and_absurd_acknowledgements_change_nothing_more() -> None:
    outbox = Outbox(reliable=True)
    put(outbox, message(1), message(2))
    outbox.take(1000)
    put(outbox, waiting := message(3))
    for sequence_id in (0, 2, 1, 2**64 - 1, 2):
        outbox.acknowledge(sequence_id)
    assert (outbox.held, outbox.waiting) == (10, 10)
    assert outbox.take(1000) == ([waiting], 3)


def test_beyond_the_promised_messages_the_oldest_is_forgotten_and_recovery_refused() -> None:
    outbox = Outbox(reliable=True)
    put(outbox, *(message(i) for i in range(Replay().messages)))
    outbox.take(10**9)
    assert outbox.rewind()
    put(outbox, message())
    outbox.take(10**9)
    assert outbox.held == Replay().messages * 10
    assert not outbox.rewind()
    outbox.acknowledge(1)
    assert outbox.rewind()


def test_replay_is_bounded_in_bytes() -> None:
    outbox = Outbox(reliable=True)
    size = Replay().size_bytes // 4 + 1
    put(outbox, *(message(i, size) for i in range(4)))
    outbox.take(10**9)
    assert outbox.held == 3 * size
    assert not outbox.rewind()


def test_a_dropped_connection_is_full_beyond_either_bound() -> None:
    many, large = Outbox(reliable=True), Outbox(reliable=True)
    put(many, *(message(i) for i in range(Replay().messages)))
    assert not many.is_full()
    put(many, message())
    assert many.is_full()
    large.put((message(),), Replay().size_bytes + 1)
    assert large.is_full()


operations = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(1, 4)),
        st.tuples(st.just("take"), st.integers(1, 60)),
        st.tuples(st.just("ack"), st.integers(0, 40)),
        st.tuples(st.just("rewind"), st.just(0)),
    ),
    max_size=60,
)


@given(operations)
def test_every_message_is_written_under_its_own_number_whatever_happens(
    steps: list[tuple[str, int]],
) -> None:
    outbox = Outbox(reliable=True)
    made: list[Message] = []
    acked = written = 0
    for step, value in steps:
        if step == "put":
            new = [message(len(made) + i) for i in range(value)]
            made += new
            put(outbox, *new)
        elif step == "take":
            taken, first = outbox.take(value)
            assert taken == made[first - 1 : first - 1 + len(taken)]
            assert first == written + 1
            written += len(taken)
        elif step == "ack":
            outbox.acknowledge(value)
            acked = max(acked, min(value, written))
        elif step == "rewind":
            assert outbox.rewind()
            written = acked
        assert outbox.held == 10 * (len(made) - acked)
        assert outbox.waiting == 10 * (len(made) - written)
