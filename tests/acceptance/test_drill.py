"""The drill: it passes on a server that keeps the promise, whatever breaks, fails on one that does not, and leaves nothing."""

import asyncio
import itertools
import json
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until
from tests.acceptance.server_process import TOCSIN, ServerProcess
from tests.acceptance.tcp_proxy import proxy_to

pytestmark = pytest.mark.acceptance

DOUBLING = (str(Path(__file__).parent / "doubling_server.py"),)
SMALL = ("--rate", "30", "--clients", "4")
LONG_S = "10"
DONE_S = 250.0
_numbers = itertools.count()


class RunningDrill:
    """A drill with ``--json`` beside a server; the test breaks things when the drill says so.

    Its command for that says that it began, and ends when the test has done the breaking.  With ``kills`` it kills the server by
    itself before it says so: then publishing goes on for sure, however late the test hears of it.
    """

    def __init__(
        self, server: ServerProcess, *options: str, breaks: bool = True, kills: bool = False
    ) -> None:
        name = f"drill-{next(_numbers)}"
        self._output = server.folder / f"{name}.out"
        self._broken = server.folder / f"{name}.broken"
        self._mended = server.folder / f"{name}.mended"
        kill = f"kill -KILL {server.pid}; " if kills else ""
        wait = f"touch {self._broken}; until [ -e {self._mended} ]; do sleep 0.05; done"
        breaking = ("--break", kill + wait, "--break-at", "1") if breaks else ()
        arguments = ("drill", "--json", *SMALL, *breaking, *options)
        self.process = server.start_cli(*arguments, output=self._output)

    def begin_break(self) -> None:
        """Wait until the drill runs its command."""
        until(self._broken.exists, "the drill breaks something", DONE_S)

    def end_break(self) -> None:
        """Let the command end."""
        self._mended.touch()

    def ended(self) -> tuple[int, dict[str, Any], str]:
        """Return the exit code, the ledger, and all that was told."""
        try:
            code = self.process.wait(DONE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(self.told()) from None
        ledgers = [line for line in self.told().splitlines() if line.startswith("{")]
        return code, json.loads(ledgers[-1]) if ledgers else {}, self.told()

    def told(self) -> str:
        """Return what was told so far."""
        return self._output.read_text()


def alerts_on(server: ServerProcess, key: Mapping[str, str]) -> list[str]:
    """Return the ids of the newest alerts that the server has."""
    listed = server.request("GET", "/v1/alerts", params={"limit": "200"}, headers=key).json()
    return [alert["id"] for alert in listed["alerts"]]


def is_clean(server: ServerProcess, key: Mapping[str, str]) -> bool:
    """Whether there is no alert and no user on the server."""
    everybody = {"to": {"all": True}, "title": "t"}
    counted = server.request("POST", "/v1/alerts?dry_run=true", headers=key, json=everybody)
    return not alerts_on(server, key) and counted.json()["recipients"] == 0


@pytest.fixture(scope="module")
def shared_key(shared_server: ServerProcess) -> dict[str, str]:
    """A server key of the server that outlives the tests."""
    return shared_server.key("server")


def secret_of(key: Mapping[str, str]) -> str:
    """Return the key itself."""
    return key["authorization"].removeprefix("Bearer ")


def test_a_drill_passes_and_is_taken_back(
    shared_server: ServerProcess, shared_key: dict[str, str]
) -> None:
    done = shared_server.try_cli("drill", "--duration", "3", "--drop-every", "0.5", *SMALL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "90 alerts" in done.stdout
    assert "4 clients of 2 people" in done.stdout
    assert "PASSED" in done.stdout
    assert "publishing" in done.stderr
    assert "are erased" in done.stderr
    assert is_clean(shared_server, shared_key)


def test_a_drill_passes_while_the_server_is_killed_and_restarted(server: ServerProcess) -> None:
    drill = RunningDrill(server, "--duration", "5", kills=True)
    drill.begin_break()
    server.restart()
    drill.end_break()
    code, ledger, told = drill.ended()
    assert code == 0, told
    assert ledger["verdict"] == "passed"
    assert ledger["alerts"]["acked"] == ledger["alerts"]["published"] == 150
    assert ledger["alerts"]["unknown"] > 0
    assert [done["exit_code"] for done in ledger["breaks"]] == [0]
    assert is_clean(server, server.key("server"))


def test_alerts_that_somebody_takes_away_are_lost(
    shared_server: ServerProcess, shared_key: dict[str, str]
) -> None:
    drill = RunningDrill(shared_server, "--duration", "2", "--settle", "15")
    drill.begin_break()
    taken = until(lambda: alerts_on(shared_server, shared_key), "alerts are there")[:3]
    for alert_id in taken:
        shared_server.request(
            "DELETE", f"/v1/alerts/{alert_id}", headers=shared_key
        ).raise_for_status()
    drill.end_break()
    code, ledger, told = drill.ended()
    assert code == 3, told
    assert ledger["verdict"] == "broken"
    assert ledger["breaches"]["lost"] >= len(taken)
    assert "does not have it" in ledger["findings"][0]


@pytest.mark.parametrize(("program", "code"), [(TOCSIN, 0), (DOUBLING, 3)])
async def test_lost_answers_double_alerts_only_where_the_server_forgets(
    make_server: MakeServer, program: tuple[str, ...], code: int
) -> None:
    server = make_server(program=program).start()
    key = server.key("server")
    async with proxy_to(server.port) as proxy:
        there = ("--endpoint", f"http://127.0.0.1:{proxy.port}", "--key", secret_of(key))
        # For as long as the test may take to mute the answers, and more.
        drill = RunningDrill(server, "--duration", LONG_S, *there)
        await asyncio.to_thread(drill.begin_break)
        proxy.mute()
        before = await asyncio.to_thread(alerts_on, server, key)
        await asyncio.to_thread(
            until,
            lambda: len(alerts_on(server, key)) > len(before) + 5,
            "alerts come through whose answers do not",
        )
        proxy.cut()
        proxy.unmute()
        drill.end_break()
        ended, ledger, told = await asyncio.to_thread(drill.ended)
    assert ended == code, told
    assert ledger["alerts"]["unknown"] > 0
    assert (ledger["breaches"]["doubled"] > 0) == (code != 0)
    assert ledger["breaches"]["lost"] == 0


async def test_clients_of_a_node_that_falls_silent_have_holes(
    shared_server: ServerProcess, shared_key: dict[str, str]
) -> None:
    secret = secret_of(shared_key)
    async with proxy_to(shared_server.port) as proxy:
        nodes = [f"--endpoint=http://127.0.0.1:{port}" for port in (shared_server.port, proxy.port)]
        patience = ("--settle", "15", "--timeout", "5", "--drop-every", "0")
        drill = RunningDrill(
            shared_server, "--duration", LONG_S, "--key", secret, *patience, *nodes
        )
        await asyncio.to_thread(drill.begin_break)
        proxy.mute()
        drill.end_break()
        code, ledger, told = await asyncio.to_thread(drill.ended)
    assert code == 3, told
    assert ledger["breaches"]["hole"] > 0
    assert ledger["breaches"]["lost"] == ledger["breaches"]["doubled"] == 0
    assert ledger["nodes"] == 2
    assert is_clean(shared_server, shared_key)


def test_a_server_that_stays_away_proves_nothing_and_what_is_left_is_named(
    server: ServerProcess,
) -> None:
    drill = RunningDrill(server, "--duration", "5", "--settle", "2", "--timeout", "1", kills=True)
    drill.begin_break()
    server.kill()
    drill.end_break()
    code, ledger, told = drill.ended()
    assert code == 4, told
    assert ledger["alerts"]["unsettled"] > 0
    assert set(ledger["breaches"].values()) == {0}
    assert len(ledger["uncleaned"]) == 2
    for user in ledger["uncleaned"]:
        assert f"NOT ERASED {user}" in told


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_drill_that_is_cut_short_cleans_up(
    shared_server: ServerProcess, shared_key: dict[str, str], number: int
) -> None:
    drill = RunningDrill(shared_server, "--duration", "60", breaks=False)
    until(lambda: alerts_on(shared_server, shared_key), "alerts are published")
    drill.process.send_signal(number)
    code, ledger, told = drill.ended()
    assert code == 130, told
    assert ledger == {}
    assert "cut short" in told
    assert "are erased" in told
    assert is_clean(shared_server, shared_key)


def test_a_break_that_fails_proves_nothing(shared_server: ServerProcess) -> None:
    drill = RunningDrill(shared_server, "--duration", "1", "--break", "exit 7", breaks=False)
    code, ledger, told = drill.ended()
    assert code == 4, told
    assert ledger["doubts"] == ["the command of --break exited with 7"]


def test_a_drill_needs_a_running_server_and_a_key_that_may(
    make_server: MakeServer, shared_server: ServerProcess
) -> None:
    nowhere = make_server().try_cli("drill")
    assert nowhere.returncode == 1
    assert "no server runs" in nowhere.stderr
    key = secret_of(shared_server.key("producer"))
    there = {"TOCSIN_URL": shared_server.url, "TOCSIN_KEY": key}
    refused = shared_server.try_cli("drill", env=there)
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1].startswith("tocsin: ")
    assert "NOT ERASED" not in refused.stderr


@pytest.mark.parametrize("option", ["--endpoint", "--gateway"])
def test_another_machine_is_drilled_only_when_that_is_meant(
    make_server: MakeServer, option: str
) -> None:
    done = make_server().try_cli("drill", option, "http://203.0.113.9:8080")
    assert done.returncode == 1
    assert "--yes" in done.stderr
