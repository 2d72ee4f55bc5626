"""A small language over a store: deliver, act, look."""

import itertools
from typing import Any

import msgspec

from tests.ports.turned_clock import TurnedClock
from tocsin.adapters.memory.store import MemoryStore
from tocsin.adapters.sql.store.base import SqlStore
from tocsin.model.alert import Audience, Envelope
from tocsin.model.commands import (
    Done,
    MarkUpTo,
    Outcome,
    Patch,
    PatchItems,
    Refused,
    RestoreItem,
)
from tocsin.model.inbox import (
    Changes,
    ChangeSet,
    Counts,
    Entry,
    InboxPage,
    Reload,
)
from tocsin.model.position import Position
from tocsin.model.rules import count_item
from tocsin.ports.store import Listing, Swept

AnyStore = MemoryStore | SqlStore
_numbers = itertools.count(1)


def envelope(*users: str, hub: str = "h", **fields: Any) -> Envelope:
    """Make an alert for users, or for everybody when none is named."""
    number = next(_numbers)
    content = msgspec.Raw(b'{"source":"s","title":"t%d"}' % number)
    return Envelope(
        **{
            "id": f"a{number:06}",
            "hub": hub,
            "key_id": "key",
            "audience": Audience(users, all=not users),
            "content": content,
            "accepted_us": 1,
            **fields,
        }
    )


class World:
    """A store and its clock, seen from one hub."""

    def __init__(self, store: AnyStore, clock: TurnedClock) -> None:
        self.store = store
        self.clock = clock

    async def alert(self, *users: str, **fields: Any) -> str:
        """Deliver one alert and return its id."""
        told = envelope(*users, **fields)
        await self.store.deliver([told])
        return told.id

    async def page(self, user: str = "ann", limit: int = 200) -> InboxPage:
        page = await self.store.inbox("h", user, limit=limit)
        assert isinstance(page, InboxPage)
        return page

    async def at(self, user: str = "ann") -> Position:
        return (await self.store.head("h", user))[1]

    async def counts(self, user: str = "ann") -> tuple[int, int]:
        """Return the stored own counts, after checking them against a recount."""
        page = await self.page(user)
        counted = [count_item(item, page.watermarks) for item in page.items]
        recount = Counts(sum(c.unseen for c in counted), sum(c.unread for c in counted))
        assert page.counts == recount
        return page.counts.unseen, page.counts.unread

    async def listed(self, user: str = "ann") -> list[str]:
        return [item.id for item in (await self.page(user)).items]

    async def entry(self, item_id: str, user: str = "ann") -> Entry:
        entry = await self.store.entry("h", user, item_id)
        assert entry is not None
        return entry

    async def shown(self, user: str = "ann", **listing: Any) -> list[str]:
        page = await self.store.entries("h", user, Listing(**listing))
        return [entry.id for entry in page.entries]

    async def patch(
        self, *ids: str, user: str = "ann", op: str | None = None, **fields: Any
    ) -> Outcome:
        patches = tuple(Patch(**{"id": i, "alert_id": i, **fields}) for i in ids)
        return await self.store.act("h", user, PatchItems(patches), op)

    async def restore(self, item_id: str, user: str = "ann", op: str | None = None) -> Outcome:
        return await self.store.act("h", user, RestoreItem(item_id, item_id), op)

    async def mark(
        self,
        action: Any,
        *,
        sort: int = 2**53,
        brev: int = 10**6,
        user: str = "ann",
        op: str | None = None,
        category: str | None = None,
        epoch: str | None = None,
    ) -> Outcome:
        epoch = epoch or (await self.at(user)).epoch
        command = MarkUpTo(action, epoch, sort, brev, category)
        return await self.store.act("h", user, command, op)

    async def since(self, position: Position, user: str = "ann") -> Changes:
        changes = await self.store.changes("h", user, position)
        assert isinstance(changes, Changes)
        return changes

    async def must_reload(self, position: Position, user: str = "ann") -> bool:
        return isinstance(await self.store.changes("h", user, position), Reload)

    async def sweep(self, limit: int = 500) -> list[Swept]:
        """Sweep until nothing is left to do, and return the rounds."""
        rounds = [await self.store.sweep(limit=limit)]
        while rounds[-1].more:
            assert len(rounds) < 1000
            rounds.append(await self.store.sweep(limit=limit))
        return rounds


def change_of(outcome: Outcome) -> ChangeSet:
    """Return the one change set of an answer."""
    assert isinstance(outcome, Done)
    (change,) = outcome.changes
    assert change.rev == outcome.rev
    return change


def refusal_of(outcome: Outcome) -> str:
    assert isinstance(outcome, Refused)
    return outcome.code


def unchanged(outcome: Outcome) -> bool:
    return isinstance(outcome, Done) and not outcome.changes
