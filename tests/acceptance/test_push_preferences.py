"""What people prefer holds on the wire: a real server, a push service that decrypts what it gets, and the command's story."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.acceptance import late_server
from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until
from tests.acceptance.server_process import ServerProcess
from tests.push_services.running import process

pytestmark = pytest.mark.acceptance

LATE_S = 3 * 3_600


@pytest.fixture(scope="module")
def push_service() -> Iterator[str]:
    with process("web-push") as origin:
        yield origin


@pytest.fixture
def phone(make_server: MakeServer, push_service: str) -> "Phone":
    host = push_service.removeprefix("http://")
    env = {
        "TOCSIN_OUTBOUND__ALLOW": '["127.0.0.1"]',
        "TOCSIN_PUSH__HOSTS": json.dumps([host]),
        "TOCSIN_PUSH__SUBJECT": "mailto:ops@example.org",
    }
    server = make_server(env=env, program=(late_server.__file__,)).start()
    return Phone(server, push_service)


class Phone:
    """Ada's device, and what came to it."""

    def __init__(self, server: ServerProcess, push_service: str) -> None:
        self.server, self._origin = server, push_service
        self._before = len(self._report()["received"])
        self.key = server.key("server")
        [subscription] = httpx.post(f"{push_service}/subscriptions", timeout=30).json()
        self._name = subscription["endpoint"].rpartition("/")[2]
        body = {"platform": "webpush", "channel": subscription, "time_zone": "UTC"}
        done = self._ask("PUT", "/v1/devices/phone", body)
        assert done.status_code == 201, done.text

    def prefer(self, said: Any) -> None:
        done = self._ask("PUT", "/v1/preferences", said)
        assert done.status_code == 200, done.text

    def alert(self, title: str, **fields: Any) -> str:
        answer = self.server.publish(self.key, title=title, **fields)
        alert_id: str = answer.json()["id"]
        return alert_id

    def titles(self) -> list[str]:
        """Return what was shown, in the order in which it came."""
        report = self._report()
        assert report["faults"] == []
        mine = [one for one in report["received"][self._before :] if one["id"] == self._name]
        return [one["message"]["notification"]["title"] for one in mine]

    def wait_for(self, titles: Sequence[str]) -> None:
        until(lambda: sorted(self.titles()) == sorted(titles), f"{titles} are shown")

    def wait_until_held(self, *alert_ids: str) -> None:
        for alert_id in alert_ids:
            self.wait_until_told(alert_id, "push_held")

    def wait_until_told(self, alert_id: str, words: str) -> None:
        until(lambda: words in self.story(alert_id), f"the story tells {words!r}")

    def story(self, alert_id: str) -> str:
        return self._ask("GET", f"/v1/alerts/{alert_id}/trace").text

    def read(self, alert_id: str) -> None:
        body = {"alert_id": alert_id, "read": True}
        done = self._ask("PATCH", f"/v1/inbox/items/{alert_id}", body)
        assert done.status_code == 200, done.text

    def turn_the_clock(self) -> None:
        (self.server.folder / late_server.AHEAD).write_text(str(LATE_S))

    def _ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.server.request(
            method, path, params={"user": "ada"}, json=body, headers=self.key
        )

    def _report(self) -> Any:
        return httpx.get(f"{self._origin}/report", timeout=30).json()


def quiet_now() -> dict[str, Any]:
    """Return quiet hours that began an hour ago and end in two."""
    now = datetime.now(UTC)
    begins, ends = (f"{now + timedelta(hours=hours):%H:%M}" for hours in (-1, 2))
    return {"quiet_hours": {"zone": "UTC", "windows": [{"from": begins, "to": ends}]}}


def test_what_a_person_does_not_want_stays_in_the_inbox_and_the_story_says_why(
    phone: Phone,
) -> None:
    phone.prefer(
        {
            "channels": {"push": {"min_severity": "warning"}},
            "categories": {"news": {"push": {"enabled": False}}},
            "mutes": [{"category": "build"}],
        }
    )
    unwanted = {
        phone.alert("Small", severity="info"): "below-severity",
        phone.alert("News", severity="error", category="news"): "switched-off",
        phone.alert("Build", severity="error", category="build"): "muted",
    }
    phone.alert("Wanted", severity="error")
    phone.wait_for(["Wanted"])
    for alert_id, reason in unwanted.items():
        phone.wait_until_told(alert_id, "push_cancelled")
        conclusion = phone.server.cli("why", alert_id, "ada").splitlines()[-1]
        assert f"it was not pushed to device phone ({reason}: " in conclusion
    assert phone.titles() == ["Wanted"]
    assert set(phone.server.titles(phone.key)) == {"Small", "News", "Build", "Wanted"}


def test_quiet_hours_hold_across_a_kill_and_what_was_read_meanwhile_is_not_sent(
    phone: Phone,
) -> None:
    phone.prefer(quiet_now())
    read, kept = phone.alert("Read at night"), phone.alert("For the morning")
    phone.wait_until_held(read, kept)
    assert "quiet hours in UTC until" in phone.story(kept)
    phone.server.restart()
    phone.read(read)
    assert phone.titles() == []
    phone.turn_the_clock()
    phone.wait_for(["For the morning"])
    phone.wait_until_told(read, "push_cancelled")
    phone.wait_until_told(kept, "taken by the push service")
    assert phone.titles() == ["For the morning"]


def test_a_night_full_of_alerts_is_one_summary_in_the_morning(phone: Phone) -> None:
    phone.prefer(quiet_now())
    alerts = [phone.alert(f"Alert {number}") for number in range(6)]
    phone.wait_until_held(*alerts)
    phone.turn_the_clock()
    phone.wait_for(["6 new alerts"])
    for alert_id in alerts:
        phone.wait_until_told(alert_id, "summary of 6 alerts")
    assert phone.titles() == ["6 new alerts"]


def test_the_hub_lets_critical_alerts_pass_quiet_hours(phone: Phone) -> None:
    file = phone.server.folder / "preferences.json"
    file.write_text('{"critical_exempt": true}')
    shown = phone.server.cli("preferences", "set", str(file))
    assert json.loads(shown) == {"critical_exempt": True}
    assert phone.server.cli("preferences", "show") == shown
    phone.prefer(quiet_now())
    held = phone.alert("Later", severity="error")
    phone.alert("Fire", severity="critical")
    phone.wait_for(["Fire"])
    phone.wait_until_held(held)
    assert phone.titles() == ["Fire"]
