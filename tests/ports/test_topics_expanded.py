"""Any overlap of topics and named users, any coming and going between chunks: each person once."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ports.empty_store import put_empty_store
from tests.ports.turned_clock import TurnedClock
from tests.ports.world import AnyStore, World, envelope
from tocsin.adapters.memory.store import MemoryStore
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.model.alert import Audience
from tocsin.ports.limits import StoreLimits

TOPICS = ("t", "u")
people = st.sets(st.sampled_from("abcdefgh"))
changes = st.lists(
    st.tuples(st.sampled_from(TOPICS), st.sampled_from("abcdefgh"), st.booleans()), max_size=4
)
LIMITS = [StoreLimits(low_water_bytes=0, expand_users=limit) for limit in (1, 2, 3, 8)]


class Store:
    """A store that can be opened again, as after a crash; in memory it stays."""

    def __init__(self, kind: str, folder: Path, limits: StoreLimits) -> None:
        self.kind = kind
        self.folder = folder
        self.limits = limits
        self.clock = TurnedClock()
        self.store: AnyStore

    async def open(self) -> None:
        if self.kind == "sqlite":
            self.store = await SqliteStore.open(self.folder, self.clock, self.limits)
        else:
            self.store = MemoryStore(self.clock, self.limits)

    async def reopen(self) -> None:
        if self.kind == "sqlite":
            await self.store.close()
            await self.open()


@asynccontextmanager
async def opened(kind: str, limits: StoreLimits) -> AsyncIterator[Store]:
    with tempfile.TemporaryDirectory() as folder:
        put_empty_store(Path(folder))
        at = Store(kind, Path(folder), limits)
        await at.open()
        yield at
        await at.store.close()


async def expand(
    at: Store,
    subscribed: list[set[str]],
    named: set[str],
    meanwhile: list[list[tuple[str, str, bool]]],
) -> None:
    for topic, users in zip(TOPICS, subscribed, strict=True):
        await at.store.topics.subscribe("h", topic, sorted(users))
    throughout = {(t, u) for t, users in zip(TOPICS, subscribed, strict=True) for u in users}
    ever = set(throughout)
    told = envelope(audience=Audience(tuple(named), TOPICS))
    unfinished = True
    while unfinished:
        unfinished = bool((await at.store.deliver([told]))["h"].unfinished)
        for topic, user, comes in meanwhile.pop() if meanwhile else ():
            if comes:
                await at.store.topics.subscribe("h", topic, [user])
                ever.add((topic, user))
            else:
                await at.store.topics.unsubscribe("h", topic, [user])
                throughout.discard((topic, user))
        await at.reopen()
    has = {user for user in "abcdefgh" if await listed_once(at, user, told.id)}
    assert named | {user for _, user in throughout} <= has
    assert has <= named | {user for _, user in ever}
    status = await at.store.alert("h", told.id)
    assert status is not None
    assert (status.state, status.recipients) == ("processed", len(has))
    assert await at.store.deliver([told]) == {}


async def listed_once(at: Store, user: str, alert_id: str) -> bool:
    listed = await World(at.store, at.clock).listed(user)
    assert listed in ([], [alert_id])
    return bool(listed)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@settings(max_examples=40, deadline=None)
@given(
    subscribed=st.tuples(people, people),
    named=people,
    meanwhile=st.lists(changes, max_size=6),
    limits=st.sampled_from(LIMITS),
)
def test_who_was_subscribed_throughout_has_it_once(
    kind: str,
    subscribed: tuple[set[str], set[str]],
    named: set[str],
    meanwhile: list[list[tuple[str, str, bool]]],
    limits: StoreLimits,
) -> None:
    async def run() -> None:
        async with opened(kind, limits) as at:
            await expand(at, list(subscribed), named, list(meanwhile))

    asyncio.run(run())
