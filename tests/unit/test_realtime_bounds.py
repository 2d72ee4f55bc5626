"""What one connection can cost: how fast it may speak, and how much memory it may hold."""

import tracemalloc
from typing import Any

import pytest

from tests.unit.test_realtime_gateway import Floor
from tests.wire.client_frames import client_frame
from tocsin.realtime.frames import BINARY, CLOSE, CONTINUATION, PING, TEXT, encode_close
from tocsin.realtime.message import Message
from tocsin.realtime.session import Session
from tocsin.realtime.settings import Replay

ASK = client_frame(TEXT, b'{"type":"ping"}')
LIMITED = encode_close(1008, "rate-limited")


def test_a_connection_may_send_a_windows_worth_at_once_and_that_much_per_window() -> None:
    floor = Floor(messages=100, messages_window_s=10)
    _, transport, connection = floor.connect()
    connection.data_received(ASK * 60)
    connection.data_received(ASK * 40)
    assert LIMITED not in transport.writes
    for _ in range(50):  # ten a second, for as long as one likes
        floor.wait(0.5)
        connection.data_received(ASK * 5)
    assert LIMITED not in transport.writes
    connection.data_received(ASK * 6)
    assert transport.writes[-1] == LIMITED


@pytest.mark.parametrize("frame", [ASK, client_frame(PING, b""), client_frame(TEXT, b"[]")])
def test_frames_of_every_kind_count_and_what_came_too_fast_is_not_done(frame: bytes) -> None:
    floor = Floor(messages=10)
    session, transport, connection = floor.connect()
    connection.data_received(frame * 11)
    assert session.ended
    assert transport.writes[-1] == LIMITED
    assert session.socket is None


def test_fragments_of_a_message_that_never_ends_count_too() -> None:
    floor = Floor(messages=10)
    session, transport, connection = floor.connect()
    connection.data_received(client_frame(TEXT, b"", final=False))
    connection.data_received(client_frame(CONTINUATION, b"", final=False) * 9)
    assert not session.ended
    connection.data_received(client_frame(CONTINUATION, b"", final=False))
    assert (session.ended, transport.writes[-1]) == (True, LIMITED)


@pytest.mark.parametrize("reads", [1, 2], ids=["with the flood", "after it"])
def test_the_close_of_a_client_that_was_too_fast_is_still_heard(reads: int) -> None:
    floor = Floor(messages=10)
    _, transport, connection = floor.connect()
    flood, goodbye = ASK * 11, client_frame(CLOSE, b"\x03\xf0")
    for data in [flood + goodbye] if reads == 1 else [flood, goodbye]:
        connection.data_received(data)
    assert transport.writes[-1] == LIMITED
    assert transport.is_closed


def test_another_connection_of_the_same_user_has_its_own_bucket() -> None:
    floor = Floor(messages=10)
    first, _, fast = floor.connect()
    other, _, slow = floor.connect()
    fast.data_received(ASK * 11)
    slow.data_received(ASK * 10)
    assert (first.ended, other.ended) == (True, False)


def test_without_a_limit_nothing_is_counted() -> None:
    floor = Floor(messages=0)
    session, _, connection = floor.connect()
    connection.data_received(ASK * 2000)
    assert not session.ended


class Deaf:
    """A transport whose peer takes nothing: what is written to it lies in its buffer, and it says so."""

    def __init__(self) -> None:
        self.protocol: Any = None
        self.buffer: list[bytes] = []

    def set_write_buffer_limits(self, high: int) -> None:
        assert high == 0

    def get_write_buffer_size(self) -> int:
        return sum(map(len, self.buffer))

    def get_extra_info(self, name: str) -> None:
        """Tell that there is neither a socket nor encryption."""

    def write(self, data: bytes) -> None:
        self.buffer.append(data)
        self.protocol.pause_writing()

    def can_write_eof(self) -> bool:
        return False

    def abort(self) -> None:
        return


def deaf(floor: Floor) -> tuple[Session, Any]:
    session, _, _ = floor.connect()
    session.detach()
    transport = Deaf()
    connection = floor.gateway.attach(session, transport)  # type: ignore[arg-type]
    transport.protocol = connection
    floor.turns.run_all()
    return session, connection


def test_the_worst_client_holds_no_more_than_the_stated_bounds() -> None:
    """It reads nothing, begins a message it never ends, floods pings and requests, and is sent all there is."""
    outbox, message, answers, slack = 200_000, 150_000, 64 * 1024, 100_000
    floor = Floor(
        outbox_bytes=outbox,
        replay=Replay(size_bytes=outbox),
        message_bytes=message,
        messages=0,
    )
    clients = [deaf(floor) for _ in range(10)]
    part = client_frame(BINARY, bytes(1000), final=False)
    more = client_frame(0, bytes(1000), final=False)
    tracemalloc.start()
    try:
        for _, connection in clients:
            connection.data_received(part)
            for _ in range(message // 1000 - 2):
                connection.data_received(more)
            for number in range(500):
                connection.data_received(client_frame(PING, b"%0100d" % number))
        number = 0
        while not all(session.ended for session, _ in clients):
            number += 1
            assert number < 10_000
            for session, _ in clients:
                # Each its own: nothing is shared.
                floor.gateway.post.to_connection(session, Message(b'{"n":"%0999d"}' % number))
            floor.turns.run_all()
            held = tracemalloc.get_traced_memory()[0]
            assert held <= len(clients) * (2 * outbox + 2 * message + answers + slack)
        assert floor.gateway.stats().slow_consumers == len(clients)
        for session, _ in clients:
            assert (session.held, session.waiting) == (0, 0)
    finally:
        tracemalloc.stop()
