"""Connections that go from one gateway to another: what comes along, what is not lost or doubled on the way, what stays."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from tests.unit.realtime_fakes import FakeStore as Store
from tests.unit.realtime_fakes import FakeTransport, NoHandlers, Notes, payloads
from tests.unit.test_realtime_everywhere import Line as PeersLine
from tests.wire.client_frames import client_frame
from tocsin.adapters.memory.fanout import MemoryFanout
from tocsin.clock import SystemClock
from tocsin.errors import UnavailableError
from tocsin.ports.event_handlers import Client, Dealings, EventHandlers, Line
from tocsin.ports.peers import Word
from tocsin.realtime.carried import Carried
from tocsin.realtime.connection import Connection
from tocsin.realtime.dialects import JSON, RELIABLE_JSON, RELIABLE_PROTOBUF, Dialect
from tocsin.realtime.doorkeeper import Doorkeeper
from tocsin.realtime.errands import Sending, Whom, encode
from tocsin.realtime.everywhere import _RECORDED_BYTES
from tocsin.realtime.frames import TEXT
from tocsin.realtime.gateway import Gateway
from tocsin.realtime.message import Message
from tocsin.realtime.session import Session
from tocsin.realtime.settings import GatewaySettings
from tocsin.realtime.tokens import Claims
from tocsin.supervisor import Supervisor

ROLES = ("webpubsub.joinLeaveGroup.g", "webpubsub.sendToGroups.room-*", "webpubsub.setGroupState")


class Keys:
    """The keys of every hub, and since when tokens hold."""

    def __init__(self) -> None:
        self.valid_us = -1

    async def access_keys(self, hub: str) -> tuple[bytes, bytes]:
        return b"p" * 32, b"s" * 32

    async def valid_from_us(self, hub: str, user: str) -> int:
        return self.valid_us


class HandlerLine:
    """A line to event handlers, which keeps what is told; nothing waits on it unless it is ``busy``."""

    def __init__(self, before: Dealings | None) -> None:
        self.before, self.busy = before, False
        self.told: list[str] = []

    def dealings(self) -> Dealings | None:
        return None if self.busy else Dealings(3, "state", (("https://a", "b", "c"),))

    def disconnected(self, reason: str) -> None:
        self.told.append("disconnected")


class Handlers:
    """Event handlers of every hub."""

    def line(self, client: Client, before: Dealings | None = None) -> Line | None:
        stand_in: Any = HandlerLine(before)
        return cast("Line", stand_in)


class House:
    """One gateway, which is not started, and its line to the others."""

    def __init__(
        self, name: str, supervisor: Supervisor, handlers: EventHandlers | None = None
    ) -> None:
        self.line, self.keys, clock = PeersLine(name), Keys(), SystemClock()
        self.gateway = Gateway(
            store=Store(),  # type: ignore[arg-type]
            doorkeeper=Doorkeeper(self.keys, (), clock),
            fanout=MemoryFanout(),
            peers=self.line,
            clock=clock,
            supervisor=supervisor,
            settings=GatewaySettings(),
            endpoints=(),
            recorder=Notes(),
            handlers=handlers or NoHandlers(),
            recovery_secret=b"of all",
        )
        self.gateway.accepting = True
        self.gateway._loop = asyncio.get_running_loop()
        self.gateway.everywhere.start(self.gateway.moves.give)

    def connect(
        self, dialect: Dialect = RELIABLE_JSON, **more: Any
    ) -> tuple[Session, FakeTransport, Connection]:
        claims = Claims("h", "ada", 7, roles=ROLES, groups=("g",), **more)
        session = self.gateway.reception.open_session(claims, dialect)
        return session, *self.attach(session)

    def attach(self, session: Session) -> tuple[FakeTransport, Connection]:
        transport = FakeTransport()
        connection = self.gateway.attach(session, transport)  # type: ignore[arg-type]
        transport.protocol = connection
        return transport, connection

    async def take(self, session: Session, token: str | None = None) -> Session | None:
        """Have the client of a session come here."""
        moves = self.gateway.moves
        token = token or self.gateway.recovery.token(session.id)
        if moves.are_possible(session.id, token):
            await moves.fetch(session.hub, session.id)
        return self.gateway.reception.recover(session.hub, session.id, token)

    def say(self, data: bytes) -> None:
        """Send to the group, everywhere."""
        self.gateway.everywhere.to_group("h", "g", Message(data, group="g"))


@pytest.fixture
async def pair() -> AsyncIterator[tuple[House, House]]:
    supervisor = Supervisor()
    one, two = House("one", supervisor), House("two", supervisor)
    one.line.others, two.line.others = [two.line], [one.line]
    yield one, two
    await supervisor.stop()


Pair = tuple[House, House]


async def written(*what: FakeTransport) -> list[list[str]]:
    """Return what was written, as the data of messages and their numbers."""
    for _ in range(5):
        await asyncio.sleep(0)
    return [
        [frame.decode().partition('"data":')[2] for frame in payloads(b"".join(one.writes))]
        for one in what
    ]


async def test_a_connection_goes_on_with_what_was_not_acknowledged(pair: Pair) -> None:
    one, two = pair
    session, before, connection = one.connect()
    one.say(b"1")
    one.say(b"2")
    await written(before)
    connection.data_received(client_frame(TEXT, b'{"type":"sequenceAck","sequenceId":1}'))
    connection.connection_lost(None)
    two.say(b"3")  # while nobody is there
    moved = await two.take(session)
    assert moved is not None
    after, _ = two.attach(moved)
    one.say(b"4")
    told = await written(before, after)
    assert told[0] == ['1,"sequenceId":1}', '2,"sequenceId":2}']
    assert told[1] == ['2,"sequenceId":2}', '3,"sequenceId":3}', '4,"sequenceId":4}']
    assert (len(one.gateway.hubs), len(two.gateway.hubs)) == (0, 1)


async def test_all_that_its_client_counts_on_comes_along(pair: Pair) -> None:
    one, two = pair
    session, _, connection = one.connect(RELIABLE_PROTOBUF, scopes=("inbox",), signer="secondary")
    session.grant("sendToGroup", "granted")
    session.remember(41)
    session.epoch, session.rev, session.brev = "e", 5, 6
    connection.connection_lost(None)
    moved = await two.take(session)
    assert moved is not None
    for name in ("id", "hub", "user", "inbox", "expires_us", "device", "signer", "dialect"):
        assert getattr(moved, name) == getattr(session, name)
    assert moved.groups == frozenset({"g"})
    assert (moved.epoch, moved.rev, moved.brev) == ("e", 5, 6)
    assert moved.has_done(41)
    rights = moved.rights
    assert rights.may("joinLeaveGroup", "g")
    assert rights.may("sendToGroup", "granted")
    assert rights.may("sendToGroup", "room-1")
    assert rights.may("setGroupState", "any")
    assert not rights.may("sendToGroup", "other")
    assert two.gateway.hubs.of_group("h", "g") == [moved]


async def test_a_connection_that_hangs_is_taken_from_its_old_socket(pair: Pair) -> None:
    one, two = pair
    session, before, _ = one.connect()
    moved = await two.take(session)
    assert moved is not None
    assert before.is_aborted
    assert len(one.gateway.hubs) == 0


async def test_it_is_given_up_once(pair: Pair) -> None:
    one, two = pair
    session, _, connection = one.connect()
    connection.connection_lost(None)
    takes = [asyncio.ensure_future(two.take(session)) for _ in range(2)]
    found = {id(await take) for take in takes}
    assert id(None) not in found
    assert len(found) == 1
    assert await one.take(session) is not None  # and back
    assert len(two.gateway.hubs) == 0


async def test_what_is_said_on_the_way_is_neither_lost_nor_doubled(pair: Pair) -> None:
    one, two = pair
    session, _, connection = one.connect()
    connection.connection_lost(None)
    # Word 5 of the third gateway was heard where the connection was, and word 6 was not.
    for number, group in ((5, "g"), (6, "g"), (7, "other"), (8, "g")):
        sending = Sending(Whom("h", "group", group), Carried(b"%d" % number, group=group))
        two.line.meanwhile.append(Word("third", number, encode(sending)))
    moved = await two.take(session)
    assert moved is not None
    after, _ = two.attach(moved)
    assert await written(after) == [['6,"sequenceId":1}', '8,"sequenceId":2}']]


async def test_too_much_said_on_the_way_ends_it(pair: Pair) -> None:
    one, two = pair
    session, _, connection = one.connect()
    connection.connection_lost(None)
    sending = Sending(Whom("h", "group", "g"), Carried(b"x" * (_RECORDED_BYTES // 2), group="g"))
    two.line.meanwhile = [Word("third", number, encode(sending)) for number in (6, 7)]
    assert await two.take(session) is None
    assert len(one.gateway.hubs) == len(two.gateway.hubs) == 0


async def test_a_wrong_token_asks_nobody(pair: Pair) -> None:
    one, two = pair
    session, _, connection = one.connect()
    connection.connection_lost(None)
    assert await two.take(session, "wrong") is None
    assert two.line.said == []
    assert len(one.gateway.hubs) == 1


async def test_another_hub_is_given_nothing(pair: Pair) -> None:
    one, two = pair
    session, _, _ = one.connect()
    await two.gateway.moves.fetch("other", session.id)
    assert len(two.gateway.hubs) == 0
    assert len(one.gateway.hubs) == 1


async def test_who_cannot_be_asked_gives_nothing(pair: Pair) -> None:
    one, two = pair
    session, _, _ = one.connect()
    two.line.cut = True
    assert await two.take(session) is None
    with pytest.raises(UnavailableError):
        two.line.tell(b"")
    assert len(one.gateway.hubs) == 1


async def test_what_does_not_move_stays(pair: Pair) -> None:
    one, two = pair
    plain, _, _ = one.connect(JSON)
    publisher, _, connection = one.connect()
    start = b'{"type":"sendToGroup","group":"room-1","stream":{"streamId":"s"}}'
    connection.data_received(client_frame(TEXT, start))
    watcher, _, _ = one.connect()
    assert one.gateway._states.set_state(watcher, "g", {"is": "here"}) is None
    for session in (plain, publisher, watcher):
        assert await two.take(session) is None
    assert len(one.gateway.hubs) == 3


async def test_event_handlers_notice_nothing() -> None:
    supervisor = Supervisor()
    one, two = (House(name, supervisor, Handlers()) for name in ("one", "two"))
    one.line.others, two.line.others = [two.line], [one.line]
    session, _, connection = one.connect()
    talk = session.talk = one.gateway.upstream.begin(Client("h", session.id, "ada"))
    assert talk is not None
    line = cast("HandlerLine", talk.line)
    connection.connection_lost(None)
    line.busy = True
    assert await two.take(session) is None  # its answer would be nobody's
    line.busy = False
    moved = await two.take(session)
    assert moved is not None
    assert moved.talk is not None
    assert cast("HandlerLine", moved.talk.line).before == line.dealings()
    assert line.told == []
    await supervisor.stop()


async def test_a_revocation_that_only_one_of_them_knows_ends_it(pair: Pair) -> None:
    one, two = pair
    session, _, connection = one.connect()
    connection.connection_lost(None)
    two.keys.valid_us = 1
    assert await two.take(session) is None
    assert len(one.gateway.hubs) == len(two.gateway.hubs) == 0


async def test_nobody_is_asked_for_a_connection_that_is_here(pair: Pair) -> None:
    one, _ = pair
    session, _, connection = one.connect()
    connection.connection_lost(None)
    assert await one.take(session) is session
    assert one.line.said == []
