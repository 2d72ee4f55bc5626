"""The doctor, beside a running server and without one."""

import json
import sqlite3

import pytest

from tests.acceptance.conftest import MakeServer
from tests.acceptance.server_process import ServerProcess

pytestmark = pytest.mark.acceptance


def test_a_healthy_server_is_found_healthy_while_it_runs_and_after(server: ServerProcess) -> None:
    server.publish(server.key("producer"))
    found = json.loads(server.cli("doctor", "--json"))
    verdicts = {finding["check"]: finding["verdict"] for finding in found}
    healthy = ("integrity", "counts", "modes", "disk", "server", "writing", "durability", "clock")
    assert {verdicts[check] for check in healthy} == {"ok"}
    checks = [finding["check"] for finding in found]
    assert checks.count("sqlite") == 1  # store and server say the same of it
    server.kill()
    printed = server.cli("doctor")
    assert "ok   integrity: " in printed
    assert f"ok   server: none runs on {server.data_dir}" in printed
    assert "durability" not in printed


def test_a_fault_is_named_with_its_remedy_and_exit_code_1(server: ServerProcess) -> None:
    key = server.key("server")
    server.publish(key)
    server.request("GET", "/v1/inbox", params={"user": "ada"}, headers=key)
    server.stop()
    with sqlite3.connect(server.data_dir / "tocsin.db") as connection:
        connection.execute("UPDATE heads SET unread = 7")
    connection.close()
    done = server.try_cli("doctor")
    assert done.returncode == 1
    assert "fail counts: 'ada' is said to have" in done.stdout
    assert " -> " in done.stdout


def test_settings_that_cannot_work_are_a_finding(make_server: MakeServer) -> None:
    done = make_server(env={"TOCSIN_PORT": "99999"}).try_cli("doctor")
    assert done.returncode == 1
    assert "fail settings: port" in done.stdout
    assert done.stderr == ""


def test_a_server_elsewhere_is_asked_and_no_folder_looked_at(
    server: ServerProcess, make_server: MakeServer
) -> None:
    key = server.key("admin")["authorization"].removeprefix("Bearer ")
    there = {"TOCSIN_URL": server.url, "TOCSIN_KEY": key}
    found = json.loads(make_server().cli("doctor", "--json", env=there))
    checks = [finding["check"] for finding in found]
    of_server = ["writing", "queue", "sqlite", "durability", "clock"]
    assert checks == ["settings", "server", *of_server]
