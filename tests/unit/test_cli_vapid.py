"""``tocsin vapid`` lists, makes and retires keys."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tocsin.cli.app import app


def test_a_key_is_made_beside_the_first_and_the_older_one_is_retired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, ["--data-dir", str(tmp_path), "vapid", *words])
        assert done.exit_code == code, done.output
        return done.output

    def listed() -> list[list[str]]:
        return [line.split()[:2] for line in run("list").splitlines()[1:]]

    monkeypatch.delenv("TOCSIN_URL", raising=False)
    # Else every later test would log to a stream that the runner has closed, and this one to standard output.
    monkeypatch.setattr("tocsin.cli.calls.configure_logging", lambda _: None)
    monkeypatch.setattr("tocsin.adapters.sqlite.store.warn_if_old", lambda: None)
    [[old, state]] = listed()
    assert state == "current"
    new = run("rotate").strip()
    assert listed() == [[old, "valid"], [new, "current"]]
    run("rotate", code=1)
    run("retire", new, "--yes", code=1)
    assert "0 devices" in run("retire", old, "--yes")
    assert listed() == [[old, "retired"], [new, "current"]]
