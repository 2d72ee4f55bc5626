"""A real Alertmanager publishes by its webhook, and by its own PagerDuty client, to a real server."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.acceptance.alertmanager import Alertmanager, alert, lasting
from tests.acceptance.deadlines import until
from tests.acceptance.server_process import ServerProcess

pytestmark = pytest.mark.acceptance

Start = Callable[..., Alertmanager]
Shows = Callable[..., None]


@pytest.fixture
def start(server: ServerProcess) -> Iterator[Start]:
    """Start an Alertmanager with a receiver of one kind and a producer key of its own."""
    with contextlib.ExitStack() as ended:

        def start_one(kind: str, path: str, *, repeat: str = "1h") -> Alertmanager:
            key = server.cli("key", "create", "--role", "producer", "--name", "alertmanager")
            settings: dict[str, Any] = {"url": f"{server.url}/shims/{path}"}
            if kind == "pagerduty":
                settings["routing_key"] = key
            else:
                settings["http_config"] = {"authorization": {"credentials": key}}
            receiver = {f"{kind}_configs": [settings]}
            made = Alertmanager(server.folder / "alertmanager", receiver, repeat=repeat)
            ended.callback(made.end)
            return made.start()

        yield start_one


@pytest.fixture
def shows(server: ServerProcess) -> Shows:
    """Waits until a user has alerts of these titles, in whatever order, and no others."""
    reader = server.key("server")

    def wait(user: str, *titles: str) -> None:
        until(lambda: sorted(server.titles(reader, user)) == sorted(titles), f"{user} has {titles}")

    return wait


def test_alerts_that_fire_come_in_and_leave_when_they_are_resolved(
    shows: Shows, start: Start
) -> None:
    manager = start("webhook", "alertmanager?to_users=ada")
    first, second, other = (
        alert("DiskFull", "db-1"),
        alert("DiskFull", "db-2"),
        alert("Down", "web-1", tocsin_users="ben"),
    )
    manager.fire(first, second, other)
    shows("ada", "DiskFull on db-1", "DiskFull on db-2")
    shows("ben", "Down on web-1")
    manager.resolve(first)
    shows("ada", "DiskFull on db-2")
    manager.resolve(second, other)
    shows("ada")
    shows("ben")
    manager.fire(alert("DiskFull", "db-1"))
    shows("ada", "DiskFull on db-1")
    assert manager.notifications("_failed") == 0


def test_a_group_is_one_alert_that_counts_what_fires(shows: Shows, start: Start) -> None:
    manager = start("webhook", "alertmanager?to_users=ada&per=group&resolved=update")
    alerts = [alert("DiskFull", f"db-{number}") for number in range(3)]
    manager.fire(*alerts)
    shows("ada", "DiskFull: 3 firing")
    manager.resolve(alerts[0])
    shows("ada", "DiskFull: 2 firing")
    manager.resolve(*alerts[1:])
    shows("ada", "Resolved: DiskFull")


def test_what_alertmanager_repeats_is_one_alert(
    server: ServerProcess, shows: Shows, start: Start
) -> None:
    manager = start("webhook", "alertmanager?to_users=ada", repeat="500ms")
    manager.fire(alert("DiskFull", "db-1"))
    until(lambda: manager.notifications() >= 4, "Alertmanager repeats itself")
    shows("ada", "DiskFull on db-1")
    reader = server.key("server")
    published = server.request("GET", "/v1/alerts", headers=reader).json()["alerts"]
    assert len(published) == 1
    assert published[0]["alert"]["source"] == "alertmanager"


def test_an_alert_that_fires_while_tocsin_is_down_comes_in_once_it_is_back(
    server: ServerProcess, shows: Shows, start: Start
) -> None:
    manager = start("webhook", "alertmanager?to_users=ada")
    server.kill()
    manager.fire(alert("DiskFull", "db-1"))
    until(lambda: manager.notifications("_failed") > 0, "Alertmanager does not get through")
    server.start()
    shows("ada", "DiskFull on db-1")


def test_what_alertmanager_lost_sight_of_is_shown_again_when_it_fires_on(
    shows: Shows, start: Start
) -> None:
    """Without news of Prometheus an alert is resolved when its time is up; with the next one it fires as it began."""
    manager = start("webhook", "alertmanager?to_users=ada")
    full = alert("DiskFull", "db-1")
    manager.fire(full)
    shows("ada", "DiskFull on db-1")
    manager.fire(lasting(full, seconds=1))
    shows("ada")
    manager.fire(lasting(full, seconds=3600))
    shows("ada", "DiskFull on db-1")
    manager.resolve(full)
    shows("ada")
    assert manager.notifications("_failed") == 0


def test_its_pagerduty_client_triggers_and_resolves(shows: Shows, start: Start) -> None:
    manager = start("pagerduty", "pagerduty/v2/enqueue?to_users=ada")
    full = alert("DiskFull", "db-1")
    manager.fire(full)
    shows("ada", "[FIRING:1] DiskFull (db-1 critical)")
    manager.resolve(full)
    shows("ada")
    assert manager.notifications("_failed") == 0
