"""Sends, deeds and questions over several gateways, without a line between them: what each does, and what is put together."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import pytest

from tests.unit.realtime_fakes import FakeClock, payloads
from tests.unit.test_realtime_post import House
from tocsin.errors import UnavailableError
from tocsin.ports.peers import Answers, Word
from tocsin.realtime.dialects import JSON, PLAIN
from tocsin.realtime.errands import (
    Asked,
    Check,
    Close,
    Find,
    Give,
    Grant,
    Join,
    Leave,
    Listing,
    Whom,
)
from tocsin.realtime.everywhere import Everywhere
from tocsin.realtime.here import Here
from tocsin.realtime.message import Message, StreamMark
from tocsin.realtime.post import OthersThan
from tocsin.realtime.session import Session

ALL = Whom("h", "all")


class Line:
    """Calls the other gateways at once; ``missing`` so many more do not answer, and none is there when it is ``cut``.

    Words that are heard ``meanwhile`` come after the others have answered and before their answers.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.others: list[Line] = []
        self.missing = 0
        self.cut = False
        self.said: list[bytes] = []
        self.meanwhile: list[Word] = []
        self.number = 0
        self.heard: Callable[[Word], None]
        self.asked: Callable[[bytes], Awaitable[bytes]]

    @property
    def has_others(self) -> bool:
        return bool(self.others)

    def tell(self, body: bytes) -> Word:
        self._say(body)
        self.number += 1
        word = Word(self.name, self.number, body)
        for other in self.others:
            other.heard(word)
        return word

    async def ask(self, body: bytes) -> Answers:
        self._say(body)
        given = tuple([await other.asked(body) for other in self.others])
        for word in self.meanwhile:
            self.heard(word)
        return Answers(given, self.missing)

    def told(self) -> Mapping[str, int]:
        return {"third": 5, self.name: self.number}

    def serve(
        self, heard: Callable[[Word], None], asked: Callable[[bytes], Awaitable[bytes]]
    ) -> None:
        self.heard, self.asked = heard, asked

    def _say(self, body: bytes) -> None:
        if self.cut:
            raise UnavailableError("cut")
        self.said.append(body)


class Gateway(House):
    """A gateway with its connections."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.line = Line()
        self.closed: list[tuple[str | None, str]] = []
        here = Here(self.hubs, self.post, self._close)
        self.everywhere = Everywhere(here, self.line, clock.monotonic_s)
        self.everywhere.start(self._give)

    def _close(self, session: Session, reason: str) -> None:
        self.closed.append((session.user, reason))

    async def _give(self, give: Give) -> bytes:
        """Give no connection up."""
        return b""

    def told(self, user: str) -> list[bytes]:
        """Return what a plain client got."""
        return payloads(self.heard(user))


@pytest.fixture
def clocks() -> tuple[FakeClock, FakeClock]:
    """One for each gateway: machines do not agree on a monotonic clock."""
    one, two = FakeClock(), FakeClock()
    two.s = 5.0
    return one, two


@pytest.fixture
def pair(clocks: Sequence[FakeClock]) -> tuple[Gateway, Gateway]:
    one, two = (Gateway(clock) for clock in clocks)
    one.line.others, two.line.others = [two.line], [one.line]
    return one, two


Pair = tuple[Gateway, Gateway]


def test_a_group_hears_at_both_gateways_and_the_sender_gets_no_echo(pair: Pair) -> None:
    one, two = pair
    sender = one.enter("ada", "g", dialect=PLAIN)
    one.enter("bo", "g", dialect=PLAIN)
    two.enter("eve", "g", dialect=PLAIN)
    two.enter("out", "other", dialect=PLAIN)
    refusal = one.everywhere.to_group("h", "g", Message(b"1", group="g"), OthersThan(sender))
    assert refusal is None
    heard = [one.told("ada"), one.told("bo"), two.told("eve"), two.told("out")]
    assert heard == [[], [b"1"], [b"1"], []]


def test_what_a_message_is_comes_along(pair: Pair, clocks: Sequence[FakeClock]) -> None:
    one, two = pair
    two.enter("eve", "g")
    message = Message(
        b"\0\xff",
        data_type="binary",
        group="g",
        sender="ada",
        metadata={"k": "v"},
        expires_s=clocks[0].s + 10,
    )
    one.everywhere.to_group("h", "g", message)
    [session] = two.hubs.of_group("h", "g")
    [got] = session._queue
    assert (got.data, got.data_type, got.group, got.sender) == (b"\0\xff", "binary", "g", "ada")
    assert (got.metadata, got.expires_s) == ({"k": "v"}, clocks[1].s + 10)


def test_filter_and_excluded_hold_at_every_gateway(pair: Pair) -> None:
    one, two = pair
    two.enter("eve", dialect=PLAIN)
    excluded = two.enter("evil", dialect=PLAIN)
    two.enter("bo", dialect=PLAIN)
    whom = Whom("h", "all", "", "startswith(userId, 'ev')", (excluded.id,))
    one.everywhere.send(whom, Message(b"1"), whom.where())
    assert [two.told(user) for user in ("eve", "evil", "bo")] == [[b"1"], [], []]


def test_users_and_connections_are_reached_at_the_other_gateway(pair: Pair) -> None:
    one, two = pair
    two.enter("eve", dialect=PLAIN)
    known = two.enter("bo", dialect=PLAIN)
    one.everywhere.send(Whom("h", "user", "eve"), Message(b"1"), None)
    one.everywhere.send(Whom("h", "connection", known.id), Message(b"2"), None)
    one.everywhere.send(Whom("other-hub", "connection", known.id), Message(b"3"), None)
    assert [two.told(user) for user in ("eve", "bo")] == [[b"1"], [b"2"]]


def test_what_is_for_a_connection_of_this_gateway_is_told_to_nobody(pair: Pair) -> None:
    one, _ = pair
    session = one.enter("ada", dialect=PLAIN)
    one.everywhere.send(Whom("h", "connection", session.id), Message(b"1"), None)
    assert one.told("ada") == [b"1"]
    assert one.line.said == []


def test_plain_clients_are_not_told_the_end_of_a_stream(pair: Pair) -> None:
    one, two = pair
    two.enter("eve", "g", dialect=PLAIN)
    two.enter("bo", "g", dialect=JSON)
    end = Message(b"", group="g", stream=StreamMark("s", 2, ended=True))
    one.everywhere.to_group("h", "g", Message(b"1", group="g", stream=StreamMark("s", 1)))
    one.everywhere.to_group("h", "g", end)
    assert two.told("eve") == [b"1"]
    assert len(two.told("bo")) == 2


def test_without_a_line_nobody_is_sent_anything_and_the_sender_is_told(pair: Pair) -> None:
    one, _ = pair
    one.enter("bo", "g", dialect=PLAIN)
    one.line.cut = True
    refusal = one.everywhere.to_group("h", "g", Message(b"1", group="g"))
    assert refusal is not None
    assert refusal.name == "InternalServerError"
    with pytest.raises(UnavailableError):
        one.everywhere.send(ALL, Message(b"2"), None)
    assert one.told("bo") == []


def test_the_others_are_told_whose_request_is_carried_out(pair: Pair) -> None:
    one, two = pair
    told: list[Asked] = []
    two.everywhere.tell_of_requests(told.append)
    asked = Asked(("h", "key", "id"), b"content")
    one.everywhere.send(ALL, Message(b"1"), None, asked)
    assert told == [asked]


async def test_deeds_are_done_at_both_and_counted_together(pair: Pair) -> None:
    one, two = pair
    ada = Whom("h", "user", "ada")
    for gateway in pair:
        gateway.enter("ada")
    assert (await one.everywhere.do(Join(ada, ("g", "f")))).found == 2
    assert [len(gateway.hubs.of_group("h", "g")) for gateway in pair] == [1, 1]
    await two.everywhere.do(Leave(ada, ("g",)))
    await two.everywhere.do(Leave(ada))
    assert [len(gateway.hubs.of_group("h", "f")) for gateway in pair] == [0, 0]
    assert (await one.everywhere.do(Close(ada, "why"))).found == 2
    assert [gateway.closed for gateway in pair] == [[("ada", "why")]] * 2


async def test_rights_are_given_and_found_wherever_the_connection_is(pair: Pair) -> None:
    one, two = pair
    bo = Whom("h", "connection", two.enter("bo").id)
    grant, check = Grant(bo, "sendToGroup", "g"), Check(bo, "sendToGroup", "g")
    assert not (await one.everywhere.do(check)).granted
    assert (await one.everywhere.do(grant)).found == 1
    assert (await one.everywhere.do(check)).granted
    nobody = Whom("h", "connection", "nobody")
    assert (await one.everywhere.do(Grant(nobody, "sendToGroup", "g"))).found == 0


async def test_a_refusal_at_the_other_gateway_is_told(pair: Pair) -> None:
    one, two = pair
    two.enter("ada")
    groups = tuple(map(str, range(1001)))
    outcome = await one.everywhere.do(Join(Whom("h", "user", "ada"), groups))
    assert outcome.refused == "The client is in 1000 groups, and may be in no more."


async def test_a_gateway_that_is_missing_fails_what_it_could_have_changed(pair: Pair) -> None:
    one, two = pair
    two.enter("ada", "g")
    one.line.missing = 1
    for errand in (Find(Whom("h", "user", "nobody")), Leave(Whom("h", "user", "ada"))):
        with pytest.raises(UnavailableError) as raised:
            await one.everywhere.do(errand)
        assert raised.value.code == "gateway-missing"
    assert not two.hubs.of_group("h", "g")
    with pytest.raises(UnavailableError):
        await one.everywhere.list(Listing(ALL, "", 10))


async def test_a_gateway_that_is_missing_does_not_matter_to_who_was_found(pair: Pair) -> None:
    one, two = pair
    known = two.enter("ada")
    one.line.missing = 1
    assert (await one.everywhere.do(Find(Whom("h", "user", "ada")))).found
    assert (await one.everywhere.do(Join(Whom("h", "connection", known.id), ("g",)))).found
    one.enter("bo")
    one.line.said.clear()
    assert (await one.everywhere.do(Find(Whom("h", "user", "bo")))).found
    assert one.line.said == []  # it is here


async def test_lists_are_put_together_in_order_and_users_counted_once(pair: Pair) -> None:
    one, two = pair
    for user in "ace":
        one.enter(user)
    for user in "bcd":
        two.enter(user)
    listed = await one.everywhere.list(Listing(ALL, "a", 3, by_user=True))
    assert [(one.name, one.connections) for one in listed] == [("b", 1), ("c", 2), ("d", 1)]
    ids = sorted({s.id for gateway in pair for s in gateway.hubs.of_hub("h")})
    assert [one.name for one in await two.everywhere.list(Listing(ALL, "", 10))] == ids


async def test_a_long_deed_lets_others_have_their_turn(pair: Pair) -> None:
    one, two = pair
    for number in range(1000):
        two.enter(f"u{number}")
    doing = asyncio.ensure_future(one.everywhere.do(Close(ALL)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert 0 < len(two.closed) < 1000
    assert (await doing).found == 1000
