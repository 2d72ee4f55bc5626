"""Contestants of the bench run in turns: what fails is told, and keeps no other from it."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from bench.contestants.venue import Contestant, Venue
from bench.frame import Bench
from bench.rows.turns import in_turns


class Runs(NamedTuple):
    """A line that says which runs there were."""

    name: str
    runs: Sequence[str]
    note: str

    @staticmethod
    def columns() -> tuple[str, ...]:
        return ("what", "runs")

    def cells(self) -> tuple[str, ...]:
        return (self.name, " ".join(self.runs))


def test_each_runs_once_in_each_turn_and_one_that_fails_stops_nobody() -> None:
    bench = Bench(turns=2, large=False, short=False)
    order: list[str] = []

    def run(contestant: Contestant) -> str:
        order.append(contestant.name)
        if contestant.name == "fails" and len(order) < 3:
            raise RuntimeError("no port")
        return contestant.name

    contestants = [_contestant("first"), _contestant("fails"), _contestant("absent", there=False)]
    lines = in_turns(bench, contestants, run, Runs)
    assert order == ["first", "fails", "first", "fails"]
    assert [line.cells() for line in lines] == [
        ("first", "first first"),
        ("fails", "fails"),
        ("absent", ""),
    ]
    assert "not installed" in lines[2].note
    assert bench.failures == ["fails: RuntimeError('no port')"]


def test_note_says_the_version_or_why_there_are_no_figures() -> None:
    known = _contestant("known")._replace(version=lambda: "known v1")
    assert known.note() == "known: known v1; one core"
    assert _contestant("plain").note() == "plain: one core"
    assert _contestant("plain").why_not() == "plain: not measured, failed"
    assert "not installed" in _contestant("absent", there=False).why_not()


def _contestant(name: str, *, there: bool = True) -> Contestant:
    return Contestant(name, "one core", _nothing, lambda: there)


def _nothing() -> AbstractContextManager[Venue]:
    raise AssertionError
