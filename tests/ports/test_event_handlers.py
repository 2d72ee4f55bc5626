"""Event handlers are kept, in the order in which they were added."""

from typing import Any

from tests.ports.world import World
from tocsin.model.event_handler import EventHandler


def handler(handler_id: str, created_us: int, **fields: Any) -> EventHandler:
    given = {"hub": "h", "url": "https://a.example/{event}", "user_events": "*", **fields}
    return EventHandler(id=handler_id, created_us=created_us, **given)


async def test_event_handlers_are_listed_as_they_were_added(world: World) -> None:
    store = world.store.event_handlers
    second = handler("e1", 2, system_events=("connect", "connected"), authorization=b"sealed")
    first = handler("e2", 1, hub="other", user_events="")
    await store.add_event_handler(second)
    await store.add_event_handler(first)
    assert await store.event_handlers() == [first, second]


async def test_an_event_handler_is_removed_by_its_own_hub_only(world: World) -> None:
    store = world.store.event_handlers
    kept = handler("e1", 1)
    await store.add_event_handler(kept)
    assert not await store.remove_event_handler("other", "e1")
    assert not await store.remove_event_handler("h", "e9")
    assert await store.event_handlers() == [kept]
    assert await store.remove_event_handler("h", "e1")
    assert await store.event_handlers() == []
