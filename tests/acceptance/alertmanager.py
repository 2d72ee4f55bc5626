"""A real Prometheus Alertmanager as a child process, told to publish to Tocsin."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.deadlines import until
from tests.acceptance.server_process import free_port

START_S = 60.0
STOP_S = 30.0


class Alertmanager:
    """One process with one route: alerts are grouped by name, without the patience it has in the field.

    ``receiver`` is the configuration of the one that gets everything.
    """

    def __init__(self, folder: Path, receiver: Mapping[str, Any], *, repeat: str = "1h") -> None:
        self._folder = folder
        self._port = free_port()
        folder.mkdir()
        config = {
            "route": {
                "receiver": "tocsin",
                "group_by": ["alertname"],
                "group_wait": "100ms",
                "group_interval": "500ms",
                "repeat_interval": repeat,
            },
            "receivers": [{"name": "tocsin", **receiver}],
        }
        (folder / "alertmanager.yml").write_text(json.dumps(config))  # JSON is YAML
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Alertmanager":
        """Start it and wait until it is ready."""
        path = os.environ.get("TOCSIN_TEST_ALERTMANAGER") or shutil.which("prometheus-alertmanager")
        assert path, "no Alertmanager; `make test` installs it, or set TOCSIN_TEST_ALERTMANAGER"
        command = [
            path,
            "--config.file=alertmanager.yml",
            "--storage.path=storage",
            f"--web.listen-address=127.0.0.1:{self._port}",
            "--cluster.listen-address=",
        ]
        with self._log_file.open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        until(self._is_ready, "Alertmanager is ready", START_S)
        return self

    def end(self) -> None:
        """End the process; print its log, which pytest shows if the test failed."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_S)
        print(self._log_file.read_text())

    def fire(self, *alerts: Mapping[str, Any]) -> None:
        """Send alerts as Prometheus does."""
        self._post(alerts)

    def resolve(self, *alerts: Mapping[str, Any]) -> None:
        """Say that alerts are over."""
        ends = datetime.now(UTC) - timedelta(milliseconds=1)
        self._post([{**alert, "endsAt": ends.isoformat()} for alert in alerts])

    def notifications(self, outcome: str = "") -> int:
        """Return how many notifications it sent, or with ``_failed`` how many failed."""
        name = f"alertmanager_notifications{outcome}_total{{"
        lines = self._get("/metrics").text.splitlines()
        return round(sum(float(line.split()[-1]) for line in lines if line.startswith(name)))

    @property
    def _log_file(self) -> Path:
        return self._folder / "alertmanager.log"

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log_file.read_text()
        try:
            return self._get("/-/ready").is_success
        except httpx.TransportError:
            return False

    def _get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self._port}{path}", timeout=30)

    def _post(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        answer = httpx.post(
            f"http://127.0.0.1:{self._port}/api/v2/alerts", json=list(alerts), timeout=30
        )
        assert answer.status_code == 200, answer.text


def alert(name: str, instance: str, **labels: str) -> dict[str, Any]:
    """Return an alert that begins now, as Prometheus would send it."""
    return {
        "labels": {"alertname": name, "instance": instance, "severity": "critical", **labels},
        "annotations": {"summary": f"{name} on {instance}"},
        "startsAt": datetime.now(UTC).isoformat(),
        "generatorURL": "http://prometheus.example.org/graph",
    }


def lasting(fired: Mapping[str, Any], *, seconds: float) -> dict[str, Any]:
    """Return an alert that is over after a while, unless it is sent again, as Prometheus would send it."""
    return {**fired, "endsAt": (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()}
