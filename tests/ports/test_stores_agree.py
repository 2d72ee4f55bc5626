"""Random histories on two stores at once: every answer and every state of one is that of the other."""

from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from tests.ports.opener import OpenStore
from tests.ports.turned_clock import TurnedClock
from tests.ports.world import AnyStore, World, envelope
from tocsin.adapters.memory.store import MemoryStore
from tocsin.model.alert import Audience, Envelope
from tocsin.model.commands import Command, Done, MarkUpTo, Patch, PatchItems, RestoreItem
from tocsin.model.inbox import Changes, ChangeSet
from tocsin.model.position import Position
from tocsin.ports.limits import StoreLimits
from tocsin.ports.store import Delivered, Listing, Swept

USERS = ("ann", "bob", "cyd")
TOPICS = ("t", "u")
HISTORIES = 25
STEPS = 60
DAY_US = 86_400_000_000


def ordered(answer: Any) -> Any:
    """Give rows that have no promised order one."""
    match answer:
        case ChangeSet() | Changes():
            return replace(
                answer,
                items=tuple(sorted(answer.items, key=lambda item: item.id)),
                removed=tuple(sorted(answer.removed)),
                states=tuple(sorted(answer.states, key=lambda state: state.brev)),
            )
        case Done():
            return replace(answer, changes=tuple(map(ordered, answer.changes)))
        case Delivered():
            return replace(answer, changes=tuple(map(ordered, answer.changes)))
        case Swept():
            changes = sorted(answer.changes, key=lambda pair: (pair[1].user, pair[1].rev))
            told = tuple((hub, ordered(change)) for hub, change in changes)
            return replace(answer, changes=told)
        case dict():
            return {name: ordered(value) for name, value in answer.items()}
        case _:
            return answer


class History:
    """One random history; every step is taken on both stores and must be answered alike."""

    def __init__(
        self, stores: tuple[AnyStore, AnyStore], clock: TurnedClock, random: Random, epoch: str
    ) -> None:
        self.stores = stores
        self.clock = clock
        self.random = random
        self.told: list[Envelope] = []
        self.positions: list[Position] = [Position(epoch, 0, 0)]

    async def both(self, call: str, *args: Any, **named: Any) -> Any:
        one, other = [ordered(await getattr(s, call)(*args, **named)) for s in self.stores]
        assert one == other, (call, args)
        return one

    async def step(self) -> None:
        kinds = [
            self.deliver,
            self.subscribe,
            self.act,
            self.act,
            self.act,
            self.mark,
            self.pass_time,
            self.read,
        ]
        await self.random.choice(kinds)()

    async def deliver(self) -> None:
        batch = [self.an_alert() for _ in range(self.random.randint(1, 3))]
        self.told += batch
        # A delivery is known as repeated for as long as retention keeps alerts; no queue holds one that long.
        recent = [told for told in self.told if told.accepted_us > self.clock.us - 80 * DAY_US]
        await self.both("deliver", batch + self.random.sample(recent, 1))

    async def subscribe(self) -> None:
        pick = self.random
        change = pick.choice(["subscribe", "subscribe", "unsubscribe"])
        users = [pick.choice(USERS) for _ in range(pick.randint(1, 3))]
        one, other = [
            await getattr(store.topics, change)("h", pick_topic, users)
            for pick_topic in [pick.choice(TOPICS)]
            for store in self.stores
        ]
        assert one == other

    def an_alert(self) -> Envelope:
        pick = self.random
        users = pick.sample(USERS, pick.choice([0, 1, 1, 2, 3]))
        topics = pick.choice([(), (), TOPICS])
        to_all = not users and not topics
        expires = self.clock.us + pick.randint(1, 9) * DAY_US
        return envelope(
            audience=Audience(tuple(users), topics, all=to_all),
            accepted_us=self.clock.us,
            category=pick.choice([None, "news"]),
            collapse_key=None if to_all else pick.choice([None, None, "k", "l"]),
            expires_us=pick.choice([None, None, None, expires]),
        )

    async def act(self) -> None:
        if not self.told:
            return
        pick = self.random
        ids = [pick.choice(self.told).id for _ in range(pick.randint(1, 2))]
        fields: dict[str, Any] = pick.choice(
            [
                {"read": True},
                {"read": False},
                {"seen": True},
                {"archived": True},
                {"archived": False},
                {"deleted": True},
                {"snoozed_until": self.clock.us + pick.randint(1, 5) * DAY_US},
                {"snoozed_until": None},
                {"read": False, "seen": True},
            ]
        )
        patches = [Patch(**{"id": i, "alert_id": await self.says(i), **fields}) for i in ids]
        command: Command = PatchItems(tuple(patches))
        if pick.random() < 0.2:
            command = RestoreItem(ids[0], await self.says(ids[0]))
        op = pick.choice([None, "op1", "op2", "op3", "op4"])
        await self.both("act", "h", pick.choice(USERS), command, op)

    async def says(self, item_id: str) -> str:
        """Return the alert that somebody's item of this id says now, mostly."""
        entry = await self.stores[0].entry("h", self.random.choice(USERS), item_id)
        return item_id if entry is None else entry.alert_id

    async def mark(self) -> None:
        pick, user = self.random, self.random.choice(USERS)
        page = await self.both("inbox", "h", user, limit=100)
        sorts = [item.sort for item in page.items] or [0]
        mark = MarkUpTo(
            pick.choice(["seen", "read"]),
            "e",
            pick.choice([*sorts, 2**53]),
            pick.randint(0, page.position.brev + 1),
            pick.choice([None, None, "news"]),
        )
        await self.both("act", "h", user, mark, pick.choice([None, "op5", "op6"]))

    async def pass_time(self) -> None:
        pick = self.random
        self.clock.turn(us=pick.choice([1, 1000, DAY_US, 3 * DAY_US, 40 * DAY_US]))
        if pick.random() < 0.3 and self.told:
            await self.both("withdraw", "h", pick.choice(self.told).id)
        await self.both("sweep", limit=500)

    async def read(self) -> None:
        user, pick = self.random.choice(USERS), self.random
        position = (await self.both("head", "h", user))[1]
        await self.both("changes", "h", user, pick.choice(self.positions))
        self.positions.append(position)
        if self.told:
            told = pick.choice(self.told)
            await self.both("alert", "h", told.id)
            await self.both("entry", "h", user, told.id)
        for status in ("all", "unread", "archived"):
            cursor = None
            for _ in range(4):
                listing = Listing(status, pick.choice([None, "news"]), None, 3, cursor)
                cursor = (await self.both("entries", "h", user, listing)).next
                if cursor is None:
                    break
        await self.both("entries", "h", user, Listing("snoozed", limit=200))

    async def check(self) -> None:
        for user in USERS:
            await self.both("inbox", "h", user, limit=1000)
            await World(self.stores[1], self.clock).counts(user)


async def compare(
    open_world: OpenStore, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Take a random history on a store and on the one in memory, which draws the epoch that the other one tells."""
    random = Random(seed)
    limits: dict[str, int] = {
        "low_water_bytes": 0,
        "change_rows": random.choice([3, 10, 500]),
        "broadcasts_per_hub": random.choice([2, 5, 200]),
        "expand_users": random.choice([1, 2, 250]),
    }
    for module in ("contact", "base"):
        monkeypatch.setattr(f"tocsin.adapters.sql.store.{module}.new_epoch", lambda: "e")
    monkeypatch.setattr("tocsin.adapters.sql.store.sweep._REST_US", 0)  # retention walks on and on
    store = (await open_world(**limits)).store
    epoch = (await store.head("another", "ann"))[1].epoch
    for module in ("tables", "store"):
        monkeypatch.setattr(f"tocsin.adapters.memory.{module}.new_epoch", lambda: epoch)
    memory = MemoryStore(clock, StoreLimits(**limits))
    history = History((memory, store), clock, random, epoch)
    for _ in range(STEPS):
        await history.step()
        await history.check()


@pytest.mark.parametrize("seed", range(HISTORIES))
async def test_sqlite_answers_every_history_as_memory_does(
    seed: int, open_sqlite: OpenStore, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await compare(open_sqlite, clock, monkeypatch, seed)
