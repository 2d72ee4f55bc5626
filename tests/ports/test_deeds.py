"""Whoever changes something leaves a deed with it; what changes nothing leaves none."""

import pytest

from tests.ports.deed_cases import CASES, Case
from tests.ports.world import World
from tocsin.ports.audit import Deed, DeedFilter


def deed(at_us: int = 1) -> Deed:
    return Deed("h", "key", "ops", "some.action", "target", "done", at_us, detail={"why": "test"})


async def kept(world: World) -> list[Deed]:
    return list(await world.store.deeds.deeds(DeedFilter()))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_an_action_leaves_one_deed_and_a_repeat_without_effect_none(
    world: World, case: Case
) -> None:
    await case.prepare(world)
    before = await case.look(world)
    await case.act(world, deed())
    after = await case.look(world)
    assert after != before
    [left] = await kept(world)
    more = {} if case.people is None else {"count": case.people}
    assert (left.action, left.detail) == ("some.action", {"why": "test", **more})
    if case.name.endswith(".create"):  # its id is drawn anew each time, so there is no repeat
        return
    await case.act(world, deed(2))
    assert len(await kept(world)) == 1 + case.again


async def test_what_nobody_asked_for_leaves_no_deed(world: World) -> None:
    await world.store.topics.subscribe("h", "ops", ["ann"])
    await world.store.topics.unsubscribe("h", "ops", ["ann"])
    await world.alert("ann", id="told")
    await world.store.withdraw("h", "told")
    assert await kept(world) == []
