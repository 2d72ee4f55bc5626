"""The audit log keeps deeds in order, lists them by filters, and forgets by age alone."""

from tests.ports.opener import OpenStore
from tests.ports.world import World
from tocsin.ports.audit import Deed, DeedFilter


async def note(world: World, action: str, hub: str = "h", actor: str = "a", at_us: int = 1) -> None:
    deed = Deed(hub, actor, f"name of {actor}", action, f"target of {action}", "done", at_us)
    await world.store.deeds.note(deed)


async def listed(world: World, **wanted: object) -> list[str]:
    found = await world.store.deeds.deeds(DeedFilter(**wanted))  # type: ignore[arg-type]
    return [deed.action for deed in found]


async def test_deeds_are_listed_newest_first_page_by_page(world: World) -> None:
    for action in ("one", "two", "three"):
        await note(world, action)
    first = await world.store.deeds.deeds(DeedFilter(limit=2))
    assert [deed.action for deed in first] == ["three", "two"]
    assert await listed(world, below=first[-1].number) == ["one"]
    assert first[0] == Deed(
        "h", "a", "name of a", "three", "target of three", "done", 1, first[0].number
    )


async def test_filters_hold_together(world: World) -> None:
    await note(world, "one")
    await note(world, "two", hub="other")
    await note(world, "two", actor="b")
    assert await listed(world, hub="h") == ["two", "one"]
    assert await listed(world, action="two") == ["two", "two"]
    assert await listed(world, action="two", actor="a") == ["two"]
    assert await listed(world, target="target of one", hub="h") == ["one"]
    assert await listed(world, hub="nothing") == []


async def test_only_age_removes_a_deed(open_world: OpenStore) -> None:
    world = await open_world(audit_us=100)
    await note(world, "old", at_us=world.clock.now_us())
    world.clock.us += 60
    await note(world, "young", at_us=world.clock.now_us())
    await world.sweep()
    assert await listed(world) == ["young", "old"]
    world.clock.us += 60
    await world.sweep()
    assert await listed(world) == ["young"]
