"""The smoke load: it measures a running server, and leaves nothing in an inbox."""

import re

import pytest

from tests.acceptance.conftest import MakeServer
from tests.acceptance.server_process import ServerProcess

pytestmark = pytest.mark.acceptance

TIMES = r"p50 \d+\.\d ms  p95 \d+\.\d ms  p99 \d+\.\d ms"


def test_the_load_is_measured_and_taken_back(server: ServerProcess) -> None:
    done = server.try_cli("bench", "--alerts", "60", "--rate", "100", "--clients", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "writing 60 alerts" in done.stderr
    assert re.search(r"^published 60 in \d", done.stdout)
    assert re.search(rf"^on disk   {TIMES}", done.stdout, re.MULTILINE)
    assert re.search(rf"^arrived   {TIMES}", done.stdout, re.MULTILINE)
    assert "MISSING" not in done.stdout
    key = server.key("server")
    assert server.request("GET", "/v1/alerts", headers=key).json()["alerts"] == []
    everybody = {"to": {"all": True}, "title": "t"}
    counted = server.request("POST", "/v1/alerts?dry_run=true", headers=key, json=everybody)
    assert counted.json()["recipients"] == 0


def test_a_load_needs_a_running_server(make_server: MakeServer) -> None:
    done = make_server().try_cli("bench")
    assert done.returncode == 1
    assert "no server runs" in done.stderr


def test_another_machine_is_loaded_only_when_that_is_meant(make_server: MakeServer) -> None:
    there = {"TOCSIN_URL": "http://203.0.113.9:8080", "TOCSIN_KEY": "tsk_admin_a_b"}
    done = make_server().try_cli("bench", env=there)
    assert done.returncode == 1
    assert "--yes" in done.stderr
