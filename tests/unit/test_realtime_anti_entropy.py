"""What the fan-out lost is found: heads where the store is ahead, on demand, and every ten minutes."""

import json

import pytest

from tests.unit.realtime_fakes import FakeClock, FakeSocket, FakeStore, Turns, session
from tocsin.errors import UnavailableError
from tocsin.model.position import Position
from tocsin.realtime.anti_entropy import USERS_PER_READ, AntiEntropy
from tocsin.realtime.hub import Hubs
from tocsin.realtime.session import Session
from tocsin.realtime.writer import Writer


class Floor:
    def __init__(self) -> None:
        self.store, self.hubs, self.clock, self.turns = (
            FakeStore(),
            Hubs(1000),
            FakeClock(),
            Turns(),
        )
        self.writer = Writer(
            call_soon=self.turns,
            overflowed=lambda session, added: None,
            outbox_bytes=10_000,
        )
        self.anti_entropy = AntiEntropy(
            self.store,  # type: ignore[arg-type]
            self.hubs,
            self.writer,
            self.clock.monotonic_s,
            600,
        )

    def join(self, user: str, hub: str = "h") -> tuple[Session, FakeSocket]:
        """A session that was sent everything up to (e, 3, 2)."""
        s = session(user, hub=hub)
        s.epoch, s.rev, s.brev, s.head_at_s = "e", 3, 2, self.clock.s
        self.store.of[hub, user] = Position("e", 3, 2)
        self.hubs.add(s)
        return s, FakeSocket(s)

    async def heads(self, socket: FakeSocket) -> list[dict[str, object]]:
        """Let it work and return the heads the socket has got by now."""
        await self.anti_entropy.work()
        self.turns.run_all()
        texts = [write[write.index(b"{") :] for write in socket.writes]
        return [json.loads(text)["data"] for text in texts]


async def test_equal_positions_say_nothing() -> None:
    floor = Floor()
    s, socket = floor.join("u")
    floor.anti_entropy.look(s)
    assert await floor.heads(socket) == []


@pytest.mark.parametrize("ahead", [Position("e", 4, 2), Position("e", 3, 3), Position("f", 1, 0)])
async def test_a_store_that_is_ahead_or_another_is_told_once(ahead: Position) -> None:
    floor = Floor()
    s, socket = floor.join("u")
    floor.store.of["h", "u"] = ahead
    floor.anti_entropy.look(s)
    await floor.heads(socket)
    floor.anti_entropy.look(s)
    (head,) = await floor.heads(socket)
    assert (head["epoch"], head["rev"], head["brev"]) == (ahead.epoch, ahead.rev, ahead.brev)


async def test_a_broadcast_sent_to_the_hub_counts_as_sent() -> None:
    floor = Floor()
    s, socket = floor.join("u")
    floor.store.of["h", "u"] = Position("e", 3, 5)
    hub = floor.hubs.hub("h")
    assert hub is not None
    hub.brev = 5
    floor.anti_entropy.look(s)
    assert await floor.heads(socket) == []


async def test_a_snapshot_from_before_the_last_frame_says_nothing() -> None:
    floor = Floor()
    s, socket = floor.join("u")
    s.rev = 4
    floor.anti_entropy.look(s)
    assert await floor.heads(socket) == []


async def test_a_head_comes_at_least_every_ten_minutes_and_when_asked_for() -> None:
    floor = Floor()
    s, socket = floor.join("u")
    floor.clock.s += 599
    floor.anti_entropy.look(s)
    assert len(await floor.heads(socket)) == 0
    floor.clock.s += 1
    floor.anti_entropy.look(s)
    assert len(await floor.heads(socket)) == 1
    floor.anti_entropy.ask(s)
    floor.anti_entropy.look(s)  # does not take the wish back
    assert len(await floor.heads(socket)) == 2


async def test_a_new_user_gets_an_inbox_before_the_head() -> None:
    floor = Floor()
    s, socket = floor.join("u")
    del floor.store.of["h", "u"]
    floor.anti_entropy.ask(s)
    (head,) = await floor.heads(socket)
    assert (head["rev"], floor.store.first_contacts) == (0, ["u"])


async def test_trouble_compares_everybody_in_chunks_and_spreads_the_healing() -> None:
    floor = Floor()
    joined = [floor.join(f"u{i}") for i in range(USERS_PER_READ + 100)]
    _, other = floor.join("v", hub="h2")
    floor.store.of["h", "u7"] = Position("e", 9, 2)
    floor.anti_entropy.trouble()
    assert await floor.heads(other) == []
    assert [len(users) for _, users in floor.store.reads] == [USERS_PER_READ, 100, 1]
    assert [i for i, (_, socket) in enumerate(joined) if socket.writes] == [7]
    (head,) = await floor.heads(joined[7][1])
    assert head["spread"] == USERS_PER_READ + 101


async def test_one_head_alone_carries_no_spread() -> None:
    floor = Floor()
    s, socket = floor.join("u")
    floor.anti_entropy.ask(s)
    (head,) = await floor.heads(socket)
    assert "spread" not in head


async def test_a_failing_store_forgets_nobody() -> None:
    floor = Floor()
    s, socket = floor.join("u")
    floor.store.of["h", "u"] = Position("e", 4, 2)
    floor.store.failures = [UnavailableError("gone")]
    floor.anti_entropy.look(s)
    with pytest.raises(UnavailableError):
        await floor.anti_entropy.work()
    assert len(await floor.heads(socket)) == 1


async def test_a_session_that_ended_meanwhile_is_left_alone() -> None:
    floor = Floor()
    s, socket = floor.join("u")
    floor.anti_entropy.ask(s)
    s.ended = True
    assert await floor.heads(socket) == []
    assert floor.store.reads == []


async def test_who_asks_while_the_store_is_read_is_answered() -> None:
    floor = Floor()
    s, socket = floor.join("u")
    floor.store.during_read = lambda: floor.anti_entropy.ask(s)
    floor.anti_entropy.look(s)
    assert len(await floor.heads(socket)) == 1


async def test_broadcasts_of_an_old_epoch_hide_nothing_of_the_new_one() -> None:
    floor = Floor()
    s, socket = floor.join("u")
    hub = floor.hubs.hub("h")
    assert hub is not None
    hub.brev = 9
    for position in (Position("f", 1, 0), Position("f", 1, 1)):
        floor.store.of["h", "u"] = position
        floor.anti_entropy.look(s)
        head = (await floor.heads(socket))[-1]
        assert (head["epoch"], head["brev"]) == ("f", position.brev)


async def test_one_failing_first_contact_holds_nobody_back() -> None:
    floor = Floor()
    people = {user: floor.join(user) for user in ("a", "new", "z")}
    del floor.store.of["h", "new"]
    floor.store.refused = {"new"}
    for user, (joined, _) in people.items():
        floor.store.of |= {} if user == "new" else {("h", user): Position("e", 4, 2)}
        floor.anti_entropy.ask(joined)
    assert [len(await floor.heads(socket)) for _, socket in people.values()] == [1, 0, 1]
    floor.store.refused = set()
    joined, socket = people["new"]
    floor.clock.s += 600
    floor.anti_entropy.look(joined)
    assert len(await floor.heads(socket)) == 1
