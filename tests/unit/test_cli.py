"""The command line where it needs no server: what help tells, and settings that cannot be what they say."""

from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from tocsin.api.listener import bind_unix
from tocsin.cli.actions import read_action
from tocsin.cli.app import app
from tocsin.cli.bench import spread
from tocsin.cli.link import Link, open_link
from tocsin.client.refusal import RefusedError
from tocsin.config import Settings
from tocsin.errors import ConfigError


@pytest.mark.parametrize(
    ("command", "defaults"),
    [
        (["--help"], ["tocsin-data"]),
        (["serve", "--help"], ["127.0.0.1", "8080"]),
        (["key", "list", "--help"], ["all"]),
        (["publish", "--help"], ["default"]),
    ],
)
def test_help_tells_the_defaults(command: list[str], defaults: list[str]) -> None:
    told = CliRunner().invoke(app, command).output
    for default in defaults:
        assert f"[default: ({default})]" in told


@pytest.mark.parametrize("data", ["{", '{"a": NaN}', '{"a": 1e999}'])
def test_data_that_is_no_json_is_refused(data: str) -> None:
    done = CliRunner().invoke(app, ["publish", "--title", "t", "--data", data])
    assert done.exit_code == 2
    assert "--data is not JSON" in done.output


def test_an_expiry_beyond_all_calendars_is_refused() -> None:
    asked = ["publish", "--title", "t", "--to-user", "ada", "--expires-in-s", "99999999999999"]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 2
    assert "99999999999999" in done.output


@pytest.mark.parametrize(
    ("name", "value"), [("TOCSIN_URL", "http://[::1"), ("TOCSIN_KEY", "tsk_\u00e9")]
)
async def test_an_address_or_key_that_is_none_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("TOCSIN_URL", "http://127.0.0.1:9")
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name):
        async with open_link(Settings()):
            pass


async def test_an_answer_of_something_else_is_no_traceback() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>"))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
        with pytest.raises(RefusedError, match="right address"):
            await Link(http, None).call("GET", "/v1/admin/keys")


def test_a_folder_too_deep_for_a_socket_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="shorter path"):
        bind_unix(tmp_path / ("x" * 100) / "tocsin.sock")


def test_times_of_a_load_are_told_by_percentiles_however_few_there_are() -> None:
    assert (
        spread([number / 1000 for number in range(101)]) == "p50 50.0 ms  p95 95.0 ms  p99 99.0 ms"
    )
    assert spread([0.002]) == "p50 2.0 ms  p95 2.0 ms  p99 2.0 ms"
    assert spread([]) == "p50 0.0 ms  p95 0.0 ms  p99 0.0 ms"


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("ack=Got it", {"id": "ack", "label": "Got it"}),
        ("no=No,danger", {"id": "no", "label": "No", "style": "danger"}),
        ("log=Log,/7", {"id": "log", "label": "Log", "url": "/7"}),
        (
            "a=A=B,https://x/?q=1,2,primary",
            {"id": "a", "label": "A=B", "url": "https://x/?q=1,2", "style": "primary"},
        ),
    ],
)
def test_an_action_is_written_in_one_word(text: str, action: dict[str, str]) -> None:
    assert read_action(text) == action


@pytest.mark.parametrize("text", ["", "ack", "=Label", "ack=", "ack=,primary"])
def test_an_action_without_id_or_label_is_refused(text: str) -> None:
    done = CliRunner().invoke(app, ["publish", "--title", "t", "--action", text])
    assert done.exit_code == 2
    assert "--action is" in done.output
