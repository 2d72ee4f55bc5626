"""What a drill plans, decides and prints; and the options that it refuses."""

import io

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner

from tocsin.cli.app import app
from tocsin.cli.drill import screen
from tocsin.cli.drill.breaking import Break, run_break
from tocsin.cli.drill.drilled import Drilled
from tocsin.cli.drill.judging import Finding
from tocsin.cli.drill.ledger import Standing
from tocsin.cli.drill.plan import BATCH, Drill, alert_of, break_times, calls, people_of
from tocsin.cli.drill.verdict import Verdict, account, doubts, percentiles, verdict_of
from tocsin.clock import SystemClock

DRILL = Drill(
    duration_s=10.0, rate=20.0, clients=4, drop_every_s=2.0, settle_s=60.0, timeout_s=10.0
)


def drill_of(**more: float | str) -> Drill:
    return msgspec.structs.replace(DRILL, **more)


# The plan


@settings(deadline=None)
@given(st.floats(1, 60), st.floats(1, 100), st.integers(1, 9))
def test_every_alert_is_published_once_and_in_time(
    duration_s: float, rate: float, clients: int
) -> None:
    drill = drill_of(duration_s=duration_s, rate=rate, clients=clients)
    people = people_of("r1", clients)
    made = list(calls(drill, people))
    assert [number for call in made for number in call.numbers] == list(range(drill.alerts))
    assert all(0 <= call.due_s <= duration_s for call in made)
    assert all(1 <= len(call.numbers) <= BATCH for call in made)
    assert all(1 <= len(call.people) == len(set(call.people)) for call in made)
    if len(made) >= 2 * len(people):
        assert {user for call in made for user in call.people} == set(people)


def test_people_have_two_clients_each() -> None:
    assert [len(people_of("r1", clients)) for clients in (1, 2, 3, 10)] == [1, 1, 2, 5]


def test_a_repeated_alert_is_the_same() -> None:
    assert alert_of("r1", 3, ("ada",), 10**15) == alert_of("r1", 3, ("ada",), 10**15)


@pytest.mark.parametrize(
    ("options", "times"),
    [
        ({}, []),
        ({"break_command": "x"}, [5.0]),
        ({"break_command": "x", "break_at_s": 2.0}, [2.0]),
        ({"break_command": "x", "break_every_s": 3.0}, [3.0, 6.0, 9.0]),
    ],
)
def test_breaks_come_when_they_were_asked_for(
    options: dict[str, float | str], times: list[float]
) -> None:
    assert list(break_times(drill_of(**options))) == times


# Breaking


async def test_a_break_is_told_with_its_exit_code_and_words() -> None:
    clock = SystemClock()
    done = await run_break("echo gone; exit 3", clock.monotonic_s(), clock)
    assert (done.code, done.words) == (3, "gone")


async def test_what_a_break_leaves_running_is_not_waited_for() -> None:
    clock = SystemClock()
    done = await run_break("sleep 600 & echo $!", clock.monotonic_s(), clock)
    assert done.code == 0
    await run_break(f"kill {done.words}", 0.0, clock)


# The verdict


def drilled_with(standing: Standing = "acked") -> Drilled:
    drilled = Drilled(run="r1", nodes=1, people=["ada"], published_s=1.0, copies=1)
    drilled.ledger.watch("client 0", "ada")
    drilled.ledger.begin([0], ("ada",), 0.0)
    drilled.ledger.settle(0, standing, 0.01, "" if standing == "acked" else "no")
    return drilled


def test_a_drill_without_breach_or_doubt_has_passed() -> None:
    assert verdict_of(drilled_with()) is Verdict.PASSED


@pytest.mark.parametrize("standing", ["refused", "unsettled"])
def test_what_was_not_accepted_proves_nothing(standing: Standing) -> None:
    assert verdict_of(drilled_with(standing)) is Verdict.UNPROVEN


def test_an_inbox_that_was_not_read_proves_nothing() -> None:
    drilled = drilled_with()
    drilled.unread["ada"] = "away"
    assert verdict_of(drilled) is Verdict.UNPROVEN


@pytest.mark.parametrize(
    ("code", "words"), [(1, "exited with 1: no such unit"), (None, "after 120 s: no such unit")]
)
def test_a_break_that_failed_proves_nothing(code: int | None, words: str) -> None:
    drilled = drilled_with()
    drilled.breaks = [Break(1.0, 1.0, 0, ""), Break(1.0, 1.0, code, "well\nno \x1bsuch unit")]
    assert verdict_of(drilled) is Verdict.UNPROVEN
    [doubt] = doubts(drilled)
    assert words in doubt


def test_a_breach_weighs_more_than_a_doubt_and_that_more_than_what_is_left() -> None:
    drilled = drilled_with()
    drilled.uncleaned["ada"] = "away"
    assert verdict_of(drilled) is Verdict.UNCLEAN
    drilled.unread["ada"] = "away"
    assert verdict_of(drilled) is Verdict.UNPROVEN
    drilled.findings = [Finding("lost", "alert 0 was acked, and ada does not have it")]
    assert verdict_of(drilled) is Verdict.BROKEN


def test_percentiles_are_told_however_few_there_are() -> None:
    thousand = percentiles(number / 1000 for number in range(1001))
    assert thousand == {"p50": 500.0, "p95": 950.0, "p99": 990.0, "p99.9": 999.0, "max": 1000.0}
    assert percentiles([0.002]) == dict.fromkeys(("p50", "p95", "p99", "p99.9", "max"), 2.0)
    assert percentiles([]) == {}


# The screen


@pytest.mark.parametrize("broken", [False, True])
def test_the_ledger_fits_into_80_columns(capsys: pytest.CaptureFixture[str], broken: bool) -> None:
    drilled = drilled_with()
    if broken:
        drilled = drilled_with("refused")
        drilled.findings = [Finding("lost", f"alert {number}") for number in range(1_234_567)]
    drilled.ledger.begin(range(99_999), ("ada",), 0.0)
    screen.print_account(account(drilled))
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    assert ("BROKEN" in printed) == broken
    assert ("1,234,567" in printed) == broken
    assert "--json names the first 100" in printed or not broken


def test_no_colour_is_meant_for_one_ground_alone() -> None:
    """Styles are the sixteen colours of the terminal, and words on a ground of their own name both."""
    for style, _ in screen._VERDICTS.values():
        console = Console(file=io.StringIO(), force_terminal=True, color_system="standard")
        assert console.get_style(style).color is not None
        assert console.get_style(style).bgcolor is not None


# Options


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--duration", "3600", "--rate", "2000"], "7,200,000 alerts"),
        (["--break", "x", "--break-at", "1", "--break-every", "2"], "give one"),
        (["--break-every", "2"], "add --break"),
        (["--break", "x", "--break-at", "30"], "raise --duration"),
        (["--duration", "0"], "should be"),
        (["--rate", "nan"], "should be"),
        (["--break", "x", "--break-every", "nan"], "should be"),
        (["--clients", "201"], "should be"),
        (["--timeout", "0"], "should be"),
        (["--settle", "601"], "should be"),
        (["--drop-every", "-1"], "should be"),
        (["--drop-every", "0.01"], "at least 0.05"),
        (["--endpoint", "host:8080"], "--endpoint 'host:8080' is no address"),
        (["--gateway", "http://host", "--gateway", "ws://host"], "--gateway 'ws://host' is no"),
    ],
)
def test_an_option_that_cannot_be_is_refused(options: list[str], words: str) -> None:
    done = CliRunner().invoke(app, ["drill", *options])
    assert done.exit_code == 2
    assert words in " ".join(done.output.replace("│", " ").split())
