"""Receipts wait for a moment and leave together; whoever waits for the disk is told what came of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from tocsin.errors import OverloadedError, UnavailableError
from tocsin.inbox.recorder import BOUND, GROUP, MANY, TOLD_BOUND, Recorder
from tocsin.model.receipt import Fact, Told
from tocsin.telemetry import Metrics


class Desk:
    """A store that takes notes, unless it is away; with ``open`` cleared it is slow."""

    def __init__(self) -> None:
        self.noted: list[Told] = []
        self.groups: list[int] = []
        self.shown: list[Told] = []
        self.away = False
        self.open = asyncio.Event()
        self.open.set()

    async def cancel_shown(self, told: Sequence[Told]) -> None:
        self.shown += told

    async def note(self, told: Sequence[Told]) -> None:
        await self.open.wait()
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
        self.recorder = Recorder(self.desk, kept, usual, self.desk, self.metrics)  # type: ignore[arg-type]

    @property
    def lost(self) -> float:
        return self.metrics.registry.get_sample_value("tocsin_receipts_lost_total") or 0


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    """Return an office at work."""
    office = Office()
    work = asyncio.create_task(office.recorder.run())
    yield office
    work.cancel()


def facts(count: int, fact: Fact = "written", hub: str = "h") -> list[Told]:
    return [Told(hub, f"a{n}", "ann", fact, n) for n in range(count)]


def record(office: Office, told: Sequence[Told]) -> None:
    """Take facts as they come from deliveries, ten at a time."""
    for start in range(0, len(told), 10):
        office.recorder.record(told[start : start + 10])


async def test_what_was_recorded_leaves_in_groups_at_the_next_flush() -> None:
    office = Office()
    told = facts(2 * GROUP + 100)
    record(office, told)
    assert office.desk.noted == []
    await office.recorder.flush()
    assert office.desk.noted == told
    assert office.desk.groups == [GROUP, GROUP, 100]
    await office.recorder.flush()
    assert len(office.desk.noted) == len(told)


async def test_who_waits_for_the_disk_is_told_after_it_and_takes_along_what_gathered(
    office: Office,
) -> None:
    record(office, facts(10))
    await office.recorder.note(facts(3, "shown"))
    assert office.desk.noted == [*facts(10), *facts(3, "shown")]
    assert office.desk.groups == [13]


async def test_while_one_group_is_written_the_next_gathers(office: Office) -> None:
    office.desk.open.clear()
    waiting = [asyncio.create_task(office.recorder.note(facts(1, "shown"))) for _ in range(5)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting += [asyncio.create_task(office.recorder.note(facts(1, "acted"))) for _ in range(5)]
    await asyncio.sleep(0)
    assert not any(one.done() for one in waiting)
    office.desk.open.set()
    await asyncio.gather(*waiting)
    assert office.desk.groups in ([5, 5], [10])


async def test_what_clients_tell_is_refused_before_the_gateways_own_facts_are() -> None:
    office = Office()
    record(office, facts(TOLD_BOUND))
    with pytest.raises(OverloadedError) as refused:
        await office.recorder.note(facts(1, "shown"))
    assert refused.value.code == "receipts-busy"
    assert office.lost == 0
    record(office, facts(BOUND - TOLD_BOUND))
    office.recorder.record(facts(5))
    assert office.lost == 5
    await office.recorder.flush()
    assert len(office.desk.noted) == BOUND


async def test_who_makes_facts_waits_while_many_wait_and_not_for_ever() -> None:
    office = Office()
    await asyncio.wait_for(office.recorder.caught_up(60), 30)
    record(office, facts(MANY))
    behind = asyncio.create_task(office.recorder.caught_up(60))
    await asyncio.sleep(0)
    assert not behind.done()
    await asyncio.wait_for(office.recorder.caught_up(0.01), 30)
    await office.recorder.flush()
    await asyncio.wait_for(behind, 30)


async def test_a_hub_keeps_only_the_facts_that_it_names(office: Office) -> None:
    await office.recorder.note([*facts(1, "shown", "few"), *facts(2, "acted", "few")])
    await office.recorder.note(facts(1, "shown", "few"))
    assert [one.fact for one in office.desk.noted] == ["acted", "acted"]
    assert not office.recorder.keeps("few", "written")
    assert office.recorder.keeps("other", "written")
    assert not office.recorder.keeps("other", "seen")


async def test_while_the_store_is_away_who_waits_is_told_and_the_gateways_facts_wait_on() -> None:
    office = Office()
    office.desk.away = True
    record(office, facts(100))
    told = asyncio.create_task(office.recorder.note(facts(1, "shown")))
    await asyncio.sleep(0)
    with pytest.raises(UnavailableError):
        await office.recorder.flush()
    with pytest.raises(UnavailableError):
        await told
    office.desk.away = False
    await office.recorder.flush()
    assert office.desk.noted == facts(100)
    assert office.lost == 0


async def test_what_was_shown_cancels_pushes_even_where_that_fact_is_not_kept() -> None:
    office = Office()
    told = facts(1, "shown", "few")
    await office.recorder.note(told)
    assert (office.desk.shown, office.desk.noted) == (told, [])
