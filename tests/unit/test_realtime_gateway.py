"""Sessions and their sockets: beats, recovery, slow readers, the end.  No socket, no loop, time by hand."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from tests.unit.realtime_fakes import FakeClock, FakeStore, FakeTransport, NoHandlers, Notes, Turns
from tests.wire.client_frames import client_frame
from tocsin.adapters.memory.fanout import MemoryFanout
from tocsin.adapters.memory.peers import NoPeers
from tocsin.errors import ConfigError
from tocsin.ports.fanout import Announcement
from tocsin.realtime.connection import Connection
from tocsin.realtime.dialects import JSON, PLAIN, RELIABLE_JSON, Dialect
from tocsin.realtime.frames import CLOSE, PING, PONG, TEXT, encode_close, encode_frame
from tocsin.realtime.gateway import Gateway
from tocsin.realtime.json_codec import JSON_CODEC
from tocsin.realtime.message import Message
from tocsin.realtime.session import Session
from tocsin.realtime.settings import GatewaySettings, Replay
from tocsin.realtime.tokens import Claims
from tocsin.supervisor import Supervisor

PING_FRAME = encode_frame(PING, b"")


class Floor:
    """A gateway that is accepting, with clock and loop turned by hand."""

    def __init__(self, **settings: Any) -> None:
        self.clock, self.turns, self.fanout = FakeClock(), Turns(), MemoryFanout()
        self.notes = Notes()
        self.gateway = Gateway(
            store=FakeStore(),  # type: ignore[arg-type]
            doorkeeper=None,  # type: ignore[arg-type]
            fanout=self.fanout,
            peers=NoPeers(),
            clock=self.clock,
            supervisor=Supervisor(),
            settings=GatewaySettings(**settings),
            endpoints=("http://x",),
            recorder=self.notes,
            handlers=NoHandlers(),
        )
        self.gateway.accepting = True
        self.gateway.writer._call_soon = self.turns
        self.fanout.listen(self.gateway.relay.heard, self.gateway.anti_entropy.trouble)

    def connect(
        self, user: str = "u", dialect: Dialect = RELIABLE_JSON, expires_us: int = 0
    ) -> tuple[Session, FakeTransport, Connection]:
        claims = Claims("h", user, expires_us, scopes=("inbox",))
        session = self.gateway.reception.open_session(claims, dialect)
        return session, *self.attach(session)

    def attach(self, session: Session) -> tuple[FakeTransport, Connection]:
        transport = FakeTransport()
        connection = self.gateway.attach(session, transport)  # type: ignore[arg-type]
        transport.protocol = connection
        self.turns.run_all()
        return transport, connection

    def announce(self, *numbers: int, user: str | None = "u") -> None:
        self.fanout.announce([Announcement("h", user, n, b"%d" % n) for n in numbers])
        self.turns.run_all()

    def wait(self, seconds: float) -> None:
        for _ in range(int(seconds * 4)):
            self.clock.s += 0.25
            self.gateway.wheel.advance(self.clock.s)
            self.turns.run_all()


def frames(*numbers: int, first: int = 1) -> bytes:
    return RELIABLE_JSON.encode([Message(b"%d" % n) for n in numbers], first)


def test_announcement_is_one_frame_on_the_transport() -> None:
    floor = Floor()
    _, transport, _ = floor.connect()
    floor.announce(1)
    floor.announce(2, 3)
    assert transport.writes == [frames(1), frames(2, 3, first=2)]


def test_an_empty_message_is_written_too() -> None:
    floor = Floor()
    session, transport, _ = floor.connect()
    empty = Message(b"", data_type="text")
    floor.gateway.post.to_connection(session, empty)
    floor.turns.run_all()
    assert transport.writes == [RELIABLE_JSON.encode([empty], 1)]


def test_metadata_counts_for_the_bounds() -> None:
    assert Message(b"", metadata={"key": "value"}).size == 9


def test_while_the_peer_does_not_read_messages_gather_for_one_write() -> None:
    floor = Floor()
    _, transport, _ = floor.connect()
    transport.blocked = True
    for number in (1, 2, 3):
        floor.announce(number)
    assert transport.writes == [frames(1)]
    transport.take_all()
    assert transport.writes[1:] == [frames(2, 3, first=2)]


def test_slow_reader_is_closed_with_its_reason_and_forgotten() -> None:
    floor = Floor(outbox_bytes=10, replay=Replay(messages=2))
    session, transport, _ = floor.connect()
    transport.blocked = True
    floor.announce(1)
    floor.announce(*range(1_000_000, 1_000_003))
    assert transport.writes[-1] == encode_close(1008, "slow-consumer")
    assert (session.ended, floor.gateway.stats().slow_consumers, len(floor.gateway.hubs)) == (
        True,
        1,
        0,
    )
    floor.announce(5)
    floor.wait(6)
    assert transport.is_aborted


def test_what_is_kept_for_a_recovery_may_wait_for_a_slow_reader_too() -> None:
    floor = Floor(outbox_bytes=10, replay=Replay(messages=4))
    session, transport, connection = floor.connect()
    transport.blocked = True
    floor.announce(1)
    floor.announce(*range(1_000_000, 1_000_002))
    connection.connection_lost(None)
    token = floor.gateway.recovery.token(session.id)
    assert floor.gateway.reception.recover("h", session.id, token) is session
    transport, _ = floor.attach(session)
    transport.blocked = True
    floor.announce(1_000_002)
    assert not session.ended
    floor.announce(1_000_003, 1_000_004)
    assert session.ended


def test_who_answers_pings_stays_and_who_is_silent_is_cut_off_but_recoverable() -> None:
    floor = Floor(beat_s=10, idle_s=25, recovery_window_s=30)
    _, alive, connection = floor.connect("a")
    session, dead, _ = floor.connect("d")
    for _ in range(20):
        floor.wait(5)
        connection.data_received(client_frame(PONG, b""))
        if dead.is_aborted and not session.ended:
            dead.protocol.connection_lost(None)
    assert 9 <= alive.writes.count(PING_FRAME) <= 11
    assert not alive.is_aborted
    assert dead.is_aborted
    assert session.ended  # its window is over by now


def test_dropped_session_collects_and_replays_after_the_last_acknowledgement() -> None:
    floor = Floor()
    session, transport, connection = floor.connect()
    floor.announce(1, 2, 3)
    ack = b'{"type":"sequenceAck","sequenceId":1}'
    connection.data_received(client_frame(TEXT, ack))
    connection.connection_lost(None)
    floor.announce(4)
    token = floor.gateway.recovery.token(session.id)
    assert floor.gateway.reception.recover("h", session.id, token) is session
    transport, _ = floor.attach(session)
    assert transport.writes == [frames(2, 3, 4, first=2)]
    assert floor.gateway.recovery.held == 0
    floor.wait(60)
    assert not session.ended


def test_recovery_takes_the_session_from_the_old_socket() -> None:
    floor = Floor()
    session, old, connection = floor.connect()
    floor.announce(1)
    assert floor.gateway.reception.recover(
        "h", session.id, floor.gateway.recovery.token(session.id)
    )
    new, _ = floor.attach(session)
    connection.connection_lost(None)
    floor.announce(2)
    assert (old.is_aborted, old.writes) == (True, [frames(1)])
    assert new.writes == [frames(1), frames(2, first=2)]


@pytest.mark.parametrize("wrong", ["hub", "id", "token", "window", "protocol", "ended"])
def test_recovery_is_refused_for_what_does_not_fit(wrong: str) -> None:
    floor = Floor(recovery_window_s=30)
    session, _, connection = floor.connect(dialect=JSON if wrong == "protocol" else RELIABLE_JSON)
    token = floor.gateway.recovery.token(session.id)
    if wrong == "ended":
        connection.data_received(client_frame(CLOSE, (1000).to_bytes(2)))
    connection.connection_lost(None)
    floor.wait(31 if wrong == "window" else 29)
    hub = "other" if wrong == "hub" else "h"
    connection_id = "other" if wrong == "id" else session.id
    assert (
        floor.gateway.reception.recover(hub, connection_id, "x" if wrong == "token" else token)
        is None
    )
    assert floor.gateway.stats().not_recovered == 1


def test_a_recovery_for_which_messages_are_gone_ends_the_old_socket_too() -> None:
    floor = Floor(replay=Replay(messages=2))
    session, old, _ = floor.connect()
    floor.announce(1, 2, 3)
    token = floor.gateway.recovery.token(session.id)
    assert floor.gateway.reception.recover("h", session.id, token) is None
    assert (session.ended, session.socket) == (True, None)
    assert old.writes[-1] == encode_close(1008, "recovery-impossible")
    floor.wait(6)
    assert old.is_aborted


@pytest.mark.parametrize(("code", "stays"), [(1000, 0), (None, 0), (1001, 1), (1011, 1), (4000, 1)])
def test_only_a_normal_close_ends_the_session_at_once(code: int | None, stays: int) -> None:
    floor = Floor()
    _, transport, connection = floor.connect()
    payload = b"" if code is None else code.to_bytes(2)
    connection.data_received(client_frame(CLOSE, payload))
    assert transport.writes == [encode_frame(CLOSE, payload)]
    assert transport.is_closed
    connection.connection_lost(None)
    assert len(floor.gateway.recovery) == stays


@pytest.mark.parametrize("reason", ["", "drill"])
def test_an_application_closes_with_what_waits_then_the_reason_then_1000(reason: str) -> None:
    floor = Floor()
    session, transport, _ = floor.connect()
    floor.gateway.post.to_connection(session, Message(b"1"))
    floor.gateway.close_connection(session, reason)
    text = "Application server closed the connection." + (f" Reason: {reason}" if reason else "")
    last = JSON_CODEC.disconnected(text)
    assert transport.writes == [frames(1), last, encode_close(1000)]
    token = floor.gateway.recovery.token(session.id)
    assert floor.gateway.reception.recover("h", session.id, token) is None


def test_an_application_closes_dropped_and_plain_connections_without_a_word() -> None:
    floor = Floor()
    dropped, _, connection = floor.connect()
    connection.connection_lost(None)
    plain, transport, _ = floor.connect(dialect=PLAIN)
    for session in (dropped, plain):
        floor.gateway.close_connection(session, "drill")
        assert session.ended
    assert transport.writes == [encode_close(1000)]


def test_a_dropped_session_that_gets_too_much_is_given_up() -> None:
    floor = Floor()
    session, _, connection = floor.connect()
    connection.connection_lost(None)
    floor.announce(*range(Replay().messages))
    assert not session.ended
    floor.announce(1)
    assert (session.ended, floor.gateway.recovery.held, len(floor.gateway.hubs)) == (True, 0, 0)


def test_over_the_budget_of_all_the_oldest_drop_is_given_up_first() -> None:
    floor = Floor(detached_bytes=25)
    sessions = [floor.connect(name)[0] for name in "abc"]
    for session in reversed(sessions):
        session.socket.connection_lost(None)  # type: ignore[union-attr]
    for name in "abc":
        floor.announce(1_000_000_000, user=name)  # 10 bytes
    assert [s.ended for s in sessions] == [False, False, True]
    assert floor.gateway.recovery.held == 20


def test_a_session_whose_replay_is_incomplete_is_not_kept() -> None:
    floor = Floor()
    session, _, connection = floor.connect()
    for _ in range(2):
        floor.announce(*range(Replay().messages))
    connection.connection_lost(None)
    assert session.ended


def test_connections_beyond_the_limit_close_the_oldest_of_that_user_only() -> None:
    floor = Floor(connections_per_user=2)
    _, other, _ = floor.connect("v")
    transports = [floor.connect()[1] for _ in range(3)]
    too_many = encode_close(1008, "too-many-connections")
    assert [too_many in t.writes for t in [*transports, other]] == [True, False, False, False]


def test_connections_without_an_inbox_are_as_many_as_an_application_likes() -> None:
    floor = Floor(connections_per_user=2)
    inbox, _, _ = floor.connect()
    plain = [
        floor.gateway.reception.open_session(Claims("h", "u", 0), RELIABLE_JSON) for _ in range(5)
    ]
    floor.connect()
    assert not any(session.ended for session in (inbox, *plain))
    floor.connect()
    assert inbox.ended
    assert not any(session.ended for session in plain)


def test_a_dropped_session_counts_as_a_connection_and_goes_first() -> None:
    floor = Floor(connections_per_user=2)
    gone, _, connection = floor.connect()
    connection.connection_lost(None)
    floor.connect()
    floor.connect()
    assert gone.ended


def test_who_has_a_live_inbox_connection_is_present_and_whoever_may_have_one_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    floor = Floor()
    floor.gateway.reception.open_session(Claims("h", "u", 0), RELIABLE_JSON)
    assert not floor.gateway.is_present("h", "u")
    _, _, connection = floor.connect()
    assert floor.gateway.is_present("h", "u")
    connection.connection_lost(None)
    assert not floor.gateway.is_present("h", "u"), "what is dropped is not live"
    monkeypatch.setattr(
        floor.fanout, "may_be_elsewhere", lambda hub, user: (hub, user) == ("h", "u")
    )
    assert floor.gateway.is_present("h", "u")
    assert not floor.gateway.is_present("h", "other")


def test_a_token_ends_a_connection_only_where_it_is_wanted() -> None:
    for wanted in (True, False):
        floor = Floor(beat_s=10, cut_at_expiry=frozenset(["h"] if wanted else []))
        _, transport, connection = floor.connect(expires_us=int((floor.clock.s + 15) * 1e6))
        floor.wait(9)
        connection.data_received(client_frame(PONG, b""))
        assert encode_close(4401, "token-expired") not in transport.writes
        floor.wait(20)
        assert (encode_close(4401, "token-expired") in transport.writes) == wanted


def test_an_inbox_client_is_asked_for_a_token_before_it_is_cut() -> None:
    for life_s, asked_s in ((300, 240), (40, 20)):
        floor = Floor(cut_at_expiry=frozenset(["h"]), beat_s=30, idle_s=1000)
        _, transport, _ = floor.connect(expires_us=int((floor.clock.s + life_s) * 1e6))
        floor.wait(asked_s - 1)
        assert b'"kind":"token"' not in b"".join(transport.writes)
        floor.wait(2)
        wish = b'{"tocsin":1,"kind":"token","expires_in_s":%d}' % (life_s - asked_s)
        assert b"".join(transport.writes).count(wish) == 1
        floor.wait(life_s - asked_s)
        assert b"".join(transport.writes).count(b'"kind":"token"') == 1
        assert encode_close(4401, "token-expired") in transport.writes


def test_who_comes_back_with_a_token_that_ended_meanwhile_is_cut() -> None:
    floor = Floor(cut_at_expiry=frozenset(["h"]), beat_s=30)
    session, _, connection = floor.connect(expires_us=int((floor.clock.s + 10) * 1e6))
    floor.wait(5)
    connection.connection_lost(None)
    floor.wait(10)
    recovered = floor.gateway.reception.recover(
        "h", session.id, floor.gateway.recovery.token(session.id)
    )
    assert recovered is session
    transport, _ = floor.attach(session)
    floor.wait(1)
    assert encode_close(4401, "token-expired") in transport.writes


def test_pings_that_are_not_read_do_not_pile_up_without_bound() -> None:
    floor = Floor()
    session, transport, connection = floor.connect()
    transport.blocked = True
    floor.announce(1)
    for _ in range(600):
        connection.data_received(client_frame(PING, bytes(125)))
    assert session.ended
    assert transport.writes[-1] == encode_close(1008, "slow-consumer")


def test_nothing_is_written_after_a_close_frame() -> None:
    floor = Floor()
    session, transport, connection = floor.connect()
    floor.gateway.close_session(session, 1001, "")
    written = len(transport.writes)
    floor.announce(1)
    connection.data_received(client_frame(PING, b"x") + client_frame(TEXT, b'{"type":"ping"}'))
    connection.pause_writing()
    connection.resume_writing()
    assert len(transport.writes) == written
    connection.data_received(client_frame(CLOSE, (1001).to_bytes(2)))
    assert transport.is_closed


async def test_drain_closes_everything_and_accepts_nothing_back() -> None:
    floor = Floor()
    session, transport, connection = floor.connect()
    dropped = floor.connect("v")[0]
    dropped.socket.connection_lost(None)  # type: ignore[union-attr]
    async with asyncio.timeout(30):
        await floor.gateway.drain(0)
    assert transport.writes[-1] == encode_close(1001, "retry-after-ms=2002")
    connection.connection_lost(None)
    assert (len(floor.gateway.hubs), session.ended, dropped.ended) == (0, True, True)


async def test_drain_tells_clients_to_stay_away_for_as_long_as_is_set() -> None:
    floor = Floor(comeback_s=12.5)
    transports = [floor.connect(f"u{i}")[1] for i in range(3)]
    await floor.gateway.drain(0)
    assert {t.writes[-1] for t in transports} == {encode_close(1001, "retry-after-ms=12503")}


async def test_drain_spreads_many_closes_over_its_time() -> None:
    floor = Floor()
    transports = [floor.connect(f"u{i}")[1] for i in range(40)]
    draining = asyncio.ensure_future(floor.gateway.drain(0.1))
    await asyncio.sleep(0)
    assert sum(bool(t.writes) for t in transports) == 20
    async with asyncio.timeout(30):
        await draining
    assert all(t.writes for t in transports)


def test_times_the_wheel_cannot_hold_are_refused_at_the_start() -> None:
    with pytest.raises(ConfigError, match="recovery_window_s"):
        GatewaySettings(recovery_window_s=3600)


def test_a_failing_listener_is_told_of_trouble_and_harms_nobody() -> None:
    fanout = MemoryFanout()
    told: list[str] = []
    heard: list[Sequence[Announcement]] = []

    def fail(_announcements: object) -> None:
        raise RuntimeError("broken")

    fanout.listen(fail, lambda: told.append("trouble"))
    fanout.listen(heard.append, lambda: told.append("wrong"))
    fanout.announce(batch := [Announcement("h", "u", 1, b"1")])
    assert (told, heard) == (["trouble"], [batch])
