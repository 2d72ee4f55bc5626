"""The fan-out: announcements reach the nodes that hold their users."""

from collections.abc import Sequence
from importlib.util import find_spec

import pytest

from tests.ports.fanouts import Ear, Nodes, are_two, numbered, said
from tocsin.adapters.memory.fanout import MemoryFanout
from tocsin.ports.fanout import Announcement

# NATS needs a driver that Tocsin can do without, and so can these tests; tests/integration cannot.
KINDS = ["memory"]
if find_spec("nats") is not None:
    from tests.ports.nats_fanouts import nats, nats_nodes, open_nats, young_nats_nodes

    __all__ = ["nats", "nats_nodes", "open_nats", "young_nats_nodes"]
    KINDS.append("nats")


class MemoryNodes:
    """One node, since there can be no other."""

    def __init__(self) -> None:
        self.speaker = self.hearer = MemoryFanout()

    async def met(self) -> None:
        """It knows itself."""


@pytest.fixture
def memory_nodes() -> MemoryNodes:
    return MemoryNodes()


@pytest.fixture
def young_memory_nodes() -> MemoryNodes:
    return MemoryNodes()


@pytest.fixture(params=KINDS)
def nodes(request: pytest.FixtureRequest) -> Nodes:
    """Open two nodes of the adapter under test."""
    opened: Nodes = request.getfixturevalue(f"{request.param}_nodes")
    return opened


@pytest.fixture(params=KINDS)
def young_nodes(request: pytest.FixtureRequest) -> Nodes:
    """Open two nodes that have not met, and do not for as long as the test takes."""
    opened: Nodes = request.getfixturevalue(f"young_{request.param}_nodes")
    return opened


async def test_an_announcement_reaches_the_node_that_holds_its_user(nodes: Nodes) -> None:
    ear = Ear(nodes.hearer)
    nodes.hearer.hold("h", "ann")
    await nodes.met()
    one = Announcement("h", "ann", 7, b'{"rev":7}', ("a1", "a2"))
    nodes.speaker.announce([one])
    await ear.hears(one)
    assert ear.heard == [one]


async def test_whoever_has_just_come_is_announced_to_before_everybody_knows(
    young_nodes: Nodes,
) -> None:
    ear = Ear(young_nodes.hearer)
    young_nodes.hearer.hold("h", "ann")
    one = said("ann")
    young_nodes.speaker.announce([one])
    await ear.hears(one)


async def test_what_is_for_everybody_reaches_nodes_that_hold_nobody(nodes: Nodes) -> None:
    ear = Ear(nodes.hearer)
    one = said(None)
    nodes.speaker.announce([one])
    await ear.hears(one)


async def test_users_and_hubs_with_any_name_are_told_apart(nodes: Nodes) -> None:
    ear = Ear(nodes.hearer)
    names = ["a.b", "a*", ">", "a b", "%41", "A", "ä", "日本", "x" * 256]
    for name in names:
        nodes.hearer.hold("h.*>", name)
    await nodes.met()
    told = [said(name, hub="h.*>") for name in names]
    nodes.speaker.announce(told)
    await ear.hears(*told)


async def test_many_announcements_at_once_all_arrive(nodes: Nodes) -> None:
    ear = Ear(nodes.hearer)
    nodes.hearer.hold("h", "ann")
    await nodes.met()
    told = numbered("ann", 3_000)
    nodes.speaker.announce(told)
    await ear.hears(*told)


async def test_holding_twice_and_letting_go_of_nobody_changes_nothing(nodes: Nodes) -> None:
    ear = Ear(nodes.hearer)
    nodes.hearer.let_go("h", "bob")
    nodes.hearer.hold("h", "ann")
    nodes.hearer.hold("h", "ann")
    await nodes.met()
    one = said("ann")
    nodes.speaker.announce([one])
    await ear.hears(one)


async def test_a_listener_that_fails_is_told_of_trouble_and_harms_nobody(nodes: Nodes) -> None:
    def fail(_announcements: Sequence[Announcement]) -> None:
        raise RuntimeError("broken")

    troubles: list[bool] = []
    nodes.hearer.listen(fail, lambda: troubles.append(True))
    ear = Ear(nodes.hearer)
    nodes.hearer.hold("h", "ann")
    await nodes.met()
    one = said("ann")
    nodes.speaker.announce([one])
    await ear.hears(one)
    assert troubles
    assert not ear.troubles


async def test_who_comes_and_goes_at_one_node_is_elsewhere_for_the_other_alone(
    nodes: Nodes,
) -> None:
    ear = Ear(nodes.speaker)
    nodes.hearer.hold("h", "ann")
    await nodes.met()
    assert nodes.speaker.may_be_elsewhere("h", "ann") == are_two(nodes)
    assert not nodes.speaker.may_be_elsewhere("h", "bob")
    assert not nodes.speaker.may_be_elsewhere("other", "ann")
    await ear.becomes(lambda: not nodes.hearer.may_be_elsewhere("h", "ann"), "Ann is here alone")
    nodes.hearer.let_go("h", "ann")
    await ear.becomes(lambda: not nodes.speaker.may_be_elsewhere("h", "ann"), "Ann went")


async def test_where_no_node_ever_held_anybody_nobody_is_elsewhere(nodes: Nodes) -> None:
    ear = Ear(nodes.speaker)
    await ear.becomes(lambda: not nodes.speaker.may_be_elsewhere("h", "ann"), "nobody is there")


async def test_who_has_not_met_the_others_yet_says_that_anybody_may_be_elsewhere(
    young_nodes: Nodes,
) -> None:
    assert young_nodes.speaker.may_be_elsewhere("h", "ann") == are_two(young_nodes)


async def test_the_announcer_hears_itself_once(nodes: Nodes) -> None:
    ear = Ear(nodes.speaker)
    nodes.speaker.hold("h", "ann")
    one, everybody = said("ann"), said(None)
    nodes.speaker.announce([one, everybody])
    assert ear.heard == [one, everybody]
    other = Ear(nodes.hearer)
    await other.becomes(lambda: everybody in (*other.heard, *ear.heard), "it is on its way")
    assert ear.heard == [one, everybody]
