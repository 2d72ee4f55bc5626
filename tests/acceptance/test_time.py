"""What time does to alerts, over restarts and kills: delivery at a set time, expiry, and snooze.

But for one the clock of the server is turned to their times, so that it does not matter how long things take before them.
"""

from datetime import UTC, datetime, timedelta

import pytest

from tests.acceptance import late_server
from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until
from tests.acceptance.server_process import ServerProcess

pytestmark = pytest.mark.acceptance

ALERTS, USERS, BATCH = 5_000, 25, 1_000
HOUR_S = 3_600
LATE_S = 30.0  # how far behind its time a delivery may be, on a machine that does other things too


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


@pytest.fixture
def server(make_server: MakeServer) -> ServerProcess:
    """A running server whose clock can be turned."""
    return make_server(program=(late_server.__file__,)).start()


def turn_the_clock(server: ServerProcess) -> None:
    """Put the clock of the server, whether or not it runs, an hour ahead."""
    (server.folder / late_server.AHEAD).write_text(str(HOUR_S))


def test_a_kill_in_the_middle_of_a_scheduled_second_loses_and_doubles_nothing(
    server: ServerProcess,
) -> None:
    key, due = server.key("server"), soon(HOUR_S)
    wanted = {
        f"u{user}": {str(number) for number in range(user, ALERTS, USERS)} for user in range(USERS)
    }
    alerts = [
        {"to": {"users": [user]}, "title": title, "deliver_at": due.isoformat()}
        for user, titles in wanted.items()
        for title in titles
    ]
    for start in range(0, ALERTS, BATCH):
        batch = {"alerts": alerts[start : start + BATCH]}
        answer = server.request("POST", "/v1/alerts/batch", json=batch, headers=key)
        assert {row["status"] for row in answer.json()["results"]} == {"accepted"}
    server.restart()
    assert not any(server.titles(key, user) for user in wanted), "it is not time yet"
    turn_the_clock(server)
    until(lambda: any(server.titles(key, user) for user in ("u0", "u12", "u24")), "some arrive")
    server.restart()

    def all_arrived() -> bool:
        return all(len(server.titles(key, user)) >= len(wanted[user]) for user in wanted)

    until(all_arrived, "all arrive")
    for user, titles in wanted.items():
        arrived = server.titles(key, user)
        assert (len(arrived), set(arrived)) == (len(titles), titles)


def test_a_scheduled_alert_comes_at_its_time_unless_it_is_withdrawn(server: ServerProcess) -> None:
    key, due = server.key("server"), soon(10)
    later, never = (
        server.publish(key, deliver_at=due.isoformat(), title=title).headers["location"]
        for title in ("Later", "Never")
    )
    assert server.request("DELETE", never, headers=key).status_code == 200
    until(lambda: server.titles(key) == ["Later"], "only the one arrives")
    status = server.request("GET", later, headers=key).json()
    deliver_at, processed_at = (
        datetime.fromisoformat(status[name]) for name in ("deliver_at", "processed_at")
    )
    assert timedelta() <= processed_at - deliver_at < timedelta(seconds=LATE_S)


def test_the_command_sets_a_time_and_takes_the_alert_back_before_it(server: ServerProcess) -> None:
    key, due = server.key("server"), soon(3600).replace(microsecond=0)
    publish = ("publish", "--to-user", "ada", "--deliver-at", due.isoformat(), "--title", "Later")
    location = f"/v1/alerts/{server.cli(*publish)}"
    status = server.request("GET", location, headers=key).json()
    assert status["state"] == "scheduled"
    assert datetime.fromisoformat(status["deliver_at"]) == due
    server.cli("withdraw", location.rpartition("/")[2])
    assert server.request("GET", location, headers=key).json()["state"] == "withdrawn"


def test_what_expires_while_the_server_is_down_is_gone_after_the_start(
    server: ServerProcess,
) -> None:
    key, end = server.key("server"), soon(HOUR_S)
    server.publish(key, title="Stays")
    server.publish(key, title="Short", expires_at=end.isoformat())
    never = server.publish(
        key, deliver_at=soon(HOUR_S / 2).isoformat(), expires_at=end.isoformat(), title="Never"
    )
    until(lambda: len(server.titles(key)) == 2, "both arrive")
    server.kill()
    turn_the_clock(server)
    server.start()
    until(lambda: server.titles(key) == ["Stays"], "only the one is left")

    def state() -> str:
        path = never.headers["location"]
        return str(server.request("GET", path, headers=key).json()["state"])

    until(lambda: state() == "expired", "the one that never appeared says why")


def test_what_was_snoozed_wakes_after_a_kill(server: ServerProcess) -> None:
    key, wakes = server.key("server"), soon(HOUR_S)
    server.publish(key, title="Snoozed")
    until(lambda: server.titles(key), "it arrives")
    page = server.request("GET", "/v1/inbox?user=ada", headers=key).json()
    item = page["items"][0]
    answer = server.request(
        "PATCH",
        f"/v1/inbox/items/{item['id']}?user=ada",
        json={"alert_id": item["alert_id"], "snoozed_until": wakes.isoformat(), "read": True},
        headers=key,
    )
    assert answer.status_code == 200, answer.text
    server.restart()
    assert server.titles(key) == [], "it is not time yet"
    turn_the_clock(server)
    until(lambda: server.titles(key) == ["Snoozed"], "it wakes")
    woken = server.request("GET", "/v1/inbox?user=ada", headers=key).json()
    assert woken["counts"] == {"unseen": 1, "unread": 1}
    assert woken["items"][0]["sort"] > item["sort"]
