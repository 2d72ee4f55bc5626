"""Topics on the command line, which opens the data folder itself where no server runs."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tocsin.cli.app import app, main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("TOCSIN_URL", raising=False)
    # Else every later test would log to a stream that the runner has closed, and this one to standard output.
    monkeypatch.setattr("tocsin.cli.calls.configure_logging", lambda _: None)
    monkeypatch.setattr("tocsin.adapters.sqlite.store.warn_if_old", lambda: None)
    return tmp_path


def run(folder: Path, *words: str, reads: str | None = None) -> list[str]:
    done = CliRunner().invoke(app, ["--data-dir", str(folder), *words], input=reads)
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()


def test_people_are_subscribed_listed_and_taken_off(folder: Path) -> None:
    run(folder, "topic", "subscribe", "on/call", "ada", "ben [x]", "cyd")
    run(folder, "topic", "subscribe", "other", "ada")
    run(folder, "topic", "unsubscribe", "on/call", "cyd", "nobody")
    assert run(folder, "topic", "subscribers", "on/call") == ["ada", "ben [x]"]
    assert run(folder, "topic", "of", "ada") == ["on/call", "other"]
    listed = [line.split() for line in run(folder, "topic", "list")]
    assert listed == [["2", "on/call"], ["1", "other"]]


def test_a_long_list_is_read_from_standard_input_and_printed_whole(folder: Path) -> None:
    people = [f"user-{number:04}" for number in range(2_001)]
    run(folder, "topic", "subscribe", "t", "-", reads="\n".join([*people, "", people[0]]))
    assert run(folder, "topic", "subscribers", "t") == people


def test_an_alert_is_published_to_topics_and_users(folder: Path) -> None:
    run(folder, "topic", "subscribe", "t", "ada")
    (alert_id,) = run(
        folder,
        "publish",
        "--title",
        "Now",
        "--to-topic",
        "t",
        "--to-topic",
        "u",
        "--to-user",
        "ben",
    )
    assert len(alert_id) == 36


def test_a_dry_run_counts_and_publishes_nothing(folder: Path) -> None:
    run(folder, "topic", "subscribe", "t", "ada", "ben")
    asked = ("publish", "--title", "Now", "--to-topic", "t", "--to-user", "eve", "--dry-run")
    told = run(folder, *asked, "--action", "ok=OK,primary", "--icon", "/bell.png")
    assert told == ["it would reach 3; nothing was published"]


@pytest.mark.parametrize(
    ("options", "place"),
    [
        (["--to-user", "ada", "--title", ""], "/title"),
        (["--to-user", "ada", "--title", "t", "--icon", ""], "/icon"),
        (["--title", "nobody is named"], "/to"),
        (["--to-all", "--to-user", "ada", "--title", "is it for all?"], "/to"),
        (["--to-all", "--to-topic", "oncall", "--title", "is it for all?"], "/to"),
    ],
)
def test_what_cannot_be_published_is_refused_and_the_place_is_named(
    options: list[str],
    place: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["tocsin", "--data-dir", str(folder), "publish", *options])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"tocsin: {place}: ")
