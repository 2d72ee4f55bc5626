"""Receipts wait for a moment and leave together; what finds no room is lost and counted."""

from collections.abc import Sequence

import pytest

from tocsin.errors import UnavailableError
from tocsin.inbox.recorder import BOUND, GATEWAY_BOUND, Recorder
from tocsin.model.receipt import Fact, Told
from tocsin.telemetry import Metrics


class Desk:
    """A store that takes notes, unless it is away."""

    def __init__(self) -> None:
        self.noted: list[Told] = []
        self.groups: list[int] = []
        self.away = False

    async def note(self, told: Sequence[Told]) -> None:
        if self.away:
            raise UnavailableError("away")
        self.noted += told
        self.groups.append(len(told))


class Office:
    """A recorder in front of a desk."""

    def __init__(self) -> None:
        self.desk, self.metrics = Desk(), Metrics()
        kept = {"few": frozenset({"acted"})}
        usual = frozenset({"written", "received", "shown", "acted"})
        self.recorder = Recorder(self.desk, kept, usual, self.metrics)  # type: ignore[arg-type]

    @property
    def lost(self) -> float:
        return self.metrics.registry.get_sample_value("tocsin_receipts_lost_total") or 0


def facts(count: int, fact: Fact = "shown", hub: str = "h") -> list[Told]:
    return [Told(hub, f"a{n}", "ann", fact, n) for n in range(count)]


async def test_what_was_recorded_leaves_in_groups_at_the_next_flush() -> None:
    office = Office()
    assert office.recorder.record(facts(600))
    assert office.desk.noted == []
    await office.recorder.flush()
    assert office.desk.noted == facts(600)
    assert office.desk.groups == [250, 250, 100]
    await office.recorder.flush()
    assert len(office.desk.noted) == 600


async def test_the_gateways_own_facts_leave_room_for_what_people_did() -> None:
    office = Office()
    assert not office.recorder.record(facts(GATEWAY_BOUND + 5, "written"))
    assert office.lost == 5
    assert office.recorder.record(facts(10, "acted"))
    assert not office.recorder.record(facts(BOUND, "shown"))
    assert office.lost == 5 + GATEWAY_BOUND + 10
    await office.recorder.flush()
    assert len(office.desk.noted) == BOUND


async def test_a_hub_keeps_only_the_facts_that_it_names() -> None:
    office = Office()
    assert office.recorder.record([*facts(1, "shown", "few"), *facts(1, "acted", "few")])
    await office.recorder.note([*facts(1, "shown", "few"), *facts(2, "acted", "few")])
    await office.recorder.flush()
    assert [one.fact for one in office.desk.noted] == ["acted", "acted", "acted"]
    assert office.lost == 0
    assert not office.recorder.keeps("few", "written")
    assert office.recorder.keeps("other", "written")
    assert not office.recorder.keeps("other", "seen")


async def test_while_the_store_is_away_receipts_wait_as_far_as_there_is_room() -> None:
    office = Office()
    office.desk.away = True
    office.recorder.record(facts(BOUND))
    with pytest.raises(UnavailableError):
        await office.recorder.flush()
    assert not office.recorder.record(facts(3))
    assert office.lost == 3
    office.desk.away = False
    await office.recorder.flush()
    assert office.desk.noted == facts(BOUND)
