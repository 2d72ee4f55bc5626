"""What the gateway takes note of: written, received, and what clients tell."""

import asyncio
from typing import Any

import pytest

from tests.unit.realtime_fakes import FakeClock, FakeSocket, FakeTransport, Notes, session
from tocsin.ports.fanout import Announcement
from tocsin.realtime.dialects import JSON, RELIABLE_JSON, Dialect
from tocsin.realtime.message import Message
from tocsin.realtime.receipts import Witness
from tocsin.realtime.request import AckError, Request
from tocsin.realtime.session import Session
from tocsin.supervisor import Supervisor

ARRIVAL = Announcement("h", "u", 1, b"1", ("a1", "a2"))


class Scene:
    """A witness and what it noted."""

    def __init__(self) -> None:
        self.notes, self.clock = Notes(), FakeClock()
        self.tasks = Supervisor()
        answers: Any = self
        self.witness = Witness(self.notes, self.clock, answers, self.tasks)

    def acknowledge(self, _session: Session, request: Request, error: AckError | None) -> None:
        """Stand in for the answers."""
        self.answer.set_result((request.ack_id, error))

    async def tell(self, teller: Session, data: bytes) -> AckError | None:
        """Report receipts and return what the acknowledgement says."""
        self.answer: asyncio.Future[tuple[int | None, AckError | None]] = asyncio.Future()
        self.witness.told(teller, Request(type="event", ack_id=7, data=data))
        assert not self.answer.done()
        ack_id, error = await self.answer
        assert ack_id == 7
        return error

    def facts(self) -> list[tuple[str, str, str | None]]:
        return [(one.fact, one.alert_id, one.device) for one in self.notes.told]

    def connect(self, dialect: Dialect = RELIABLE_JSON, *, reads: bool = True) -> Session:
        made = session(dialect=dialect)
        FakeSocket(made)
        made.sink = FakeTransport() if reads else None
        return made

    def deliver(self, *sessions: Session) -> None:
        self.witness.written(sessions, ARRIVAL)
        for each in sessions:
            each.put([Message(b"1", ARRIVAL.alert_ids)], 1)
            each.take(100)


def test_an_alert_is_written_to_those_who_read_and_received_with_the_acknowledgement() -> None:
    scene = Scene()
    reader = scene.connect()
    scene.deliver(reader)
    written = [("written", "a1", reader.id), ("written", "a2", reader.id)]
    assert scene.facts() == written
    scene.witness.acknowledged(reader, 0)
    assert scene.facts() == written
    scene.witness.acknowledged(reader, 1)
    reader.acknowledge(1)
    received = [("received", "a1", reader.id), ("received", "a2", reader.id)]
    assert scene.facts() == [*written, *received]
    scene.witness.acknowledged(reader, 1)
    assert len(scene.facts()) == 4
    assert not reader.brings_alerts


def test_who_does_not_read_has_nothing_written_and_who_cannot_acknowledge_receives_nothing() -> (
    None
):
    scene = Scene()
    slow, plain = scene.connect(reads=False), scene.connect(JSON)
    scene.deliver(slow, plain)
    assert {device for _, _, device in scene.facts()} == {plain.id}
    scene.witness.acknowledged(plain, 1)
    assert {fact for fact, _, _ in scene.facts()} == {"written"}


def test_a_hub_that_keeps_none_costs_no_notes() -> None:
    scene = Scene()
    quiet = Session("c", hub="keeps-nothing", user="u", dialect=RELIABLE_JSON)
    FakeSocket(quiet)
    quiet.sink = FakeTransport()
    scene.deliver(quiet)
    scene.witness.acknowledged(quiet, 1)
    assert scene.facts() == []


async def test_a_clients_report_is_noted_for_its_user_and_device() -> None:
    scene = Scene()
    phone = Session("c", hub="h", user="u", dialect=JSON, device="phone")
    said = b'{"receipts":[{"alert_id":"a","fact":"acted","action":"ok"}]}'
    assert await scene.tell(phone, said) is None
    [told] = scene.notes.told
    assert (told.hub, told.user, told.device) == ("h", "u", "phone")
    assert (told.alert_id, told.fact, told.action) == ("a", "acted", "ok")
    assert told.at_us == scene.clock.now_us()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"[]",
        b'{"receipts":[]}',
        b'{"receipts":[{"alert_id":"a","fact":"written"}]}',
        b'{"receipts":[{"alert_id":"a","fact":"acted"}]}',
        b'{"receipts":' + b"[" * 5000,
    ],
)
async def test_a_bad_report_is_refused_and_nothing_is_noted(said: bytes) -> None:
    scene = Scene()
    error = await scene.tell(scene.connect(), said)
    assert error is not None
    assert error.name == "BadRequest"
    assert scene.notes.told == []


async def test_a_report_that_finds_no_room_is_told_so() -> None:
    scene = Scene()
    scene.notes.full = True
    said = b'{"receipts":[{"alert_id":"a","fact":"shown"}]}'
    error = await scene.tell(scene.connect(), said)
    assert error is not None
    assert error.name == "ServiceUnavailable"
