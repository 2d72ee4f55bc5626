"""Pushes of a real server to the stand-ins of the push services, each a process of its own."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest

from tests.acceptance import patient_server
from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until
from tests.acceptance.server_process import TOCSIN, ServerProcess
from tests.push_services.running import process
from tests.wire.forbidden_endpoints import ADDRESSES, TRICKS

pytestmark = pytest.mark.acceptance


@dataclass
class Service:
    """A stand-in in another process."""

    origin: str

    def subscribe(self, behaviour: str = "ok") -> dict[str, Any]:
        """Make a browser's subscription."""
        query = {"behaviour": behaviour}
        [made] = httpx.post(f"{self.origin}/subscriptions", params=query, timeout=30).json()
        return dict(made)

    def report(self) -> dict[str, Any]:
        """Return what came; nothing of it broke a rule."""
        said: dict[str, Any] = httpx.get(f"{self.origin}/report", timeout=30).json()
        assert said["faults"] == []
        assert said["strayed"] == []
        return said

    def received(self) -> list[dict[str, Any]]:
        received: list[dict[str, Any]] = self.report()["received"]
        return received


@dataclass
class Stage:
    """A server that pushes, and who it pushes to."""

    server: ServerProcess
    browsers: Service
    firebase: Service
    key: dict[str, str]

    def register(self, device: str, user: str = "ada", **said: Any) -> httpx.Response:
        return self.server.request(
            "PUT", f"/v1/devices/{device}", params={"user": user}, json=said, headers=self.key
        )

    def browser(self, device: str, behaviour: str = "ok", user: str = "ada") -> None:
        channel = self.browsers.subscribe(behaviour)
        answer = self.register(device, user, platform="webpush", channel=channel)
        assert answer.status_code == 201, answer.text

    def app(self, device: str, handle: str, user: str = "ada") -> None:
        answer = self.register(device, user, platform="fcm", channel={"token": handle})
        assert answer.status_code == 201, answer.text

    def publish(self, **alert: Any) -> str:
        answer = self.server.publish(self.key, **alert)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def state(self, device: str, user: str = "ada") -> dict[str, Any]:
        said: dict[str, Any] = self.server.request(
            "GET", f"/v1/devices/{device}", params={"user": user}, headers=self.key
        ).json()
        return said


PATIENT = (patient_server.__file__,)


@pytest.fixture
def stage(request: pytest.FixtureRequest, make_server: MakeServer) -> Iterator[Stage]:
    with process("web-push") as web, process("fcm") as fcm:
        server = make_server(program=getattr(request, "param", TOCSIN), env=patient_server.SETTINGS)
        account = server.folder / "account.json"
        account.write_text(httpx.get(f"{fcm}/service-account", timeout=30).text)
        server.env |= {
            "TOCSIN_OUTBOUND__ALLOW": '["127.0.0.1"]',
            "TOCSIN_PUSH__HOSTS": json.dumps([web.removeprefix("http://")]),
            "TOCSIN_PUSH__SUBJECT": "mailto:ops@example.org",
            "TOCSIN_PUSH__APP_URL": "https://app.example/",
            "TOCSIN_PUSH__FCM_SERVICE_ACCOUNT": str(account),
            "TOCSIN_PUSH__FCM_URL": fcm,
        }
        server.start()
        yield Stage(server, Service(web), Service(fcm), server.key("server"))


def test_who_is_away_gets_one_push_on_each_device(stage: Stage) -> None:
    stage.browser("laptop")
    stage.app("phone", "ok:phone")
    alert = stage.publish(title="Invoice 7 was paid", url="/invoices/7", severity="error")
    until(stage.browsers.received, "a browser has it")
    until(stage.firebase.received, "an app has it")
    [web], [app] = stage.browsers.received(), stage.firebase.received()
    shown = web["message"]["notification"]
    assert web["message"]["id"] == app["message"]["data"]["id"] == alert
    assert (shown["title"], shown["navigate"], shown["app_badge"]) == (
        "Invoice 7 was paid",
        "https://app.example/invoices/7",
        "1",
    )
    assert (web["urgency"], app["message"]["android"]["priority"]) == ("high", "high")
    assert app["message"]["android"]["notification"]["tag"] == shown["tag"]
    until(lambda: stage.state("laptop")["last_success_at"], "the laptop's success is kept")


def test_what_was_read_elsewhere_is_taken_back_from_apps_and_no_browser_is_told(
    stage: Stage,
) -> None:
    stage.browser("laptop")
    stage.app("phone", "ok:phone")
    alert = stage.publish()
    until(stage.browsers.received, "a browser has it")
    until(stage.firebase.received, "an app has it")
    until(lambda: stage.state("phone")["last_success_at"], "that is known")
    up_to = stage.server.request(
        "GET", "/v1/inbox", params={"user": "ada"}, headers=stage.key
    ).json()
    [item] = up_to["items"]
    patch = {"patches": [{"id": item["id"], "alert_id": alert, "read": True}]}
    answer = stage.server.request(
        "PATCH", "/v1/inbox/items", params={"user": "ada"}, json=patch, headers=stage.key
    )
    assert answer.status_code == 200, answer.text
    until(lambda: len(stage.firebase.received()) == 2, "an app is told")
    _, told = stage.firebase.received()
    assert (told["message"]["data"]["type"], told["message"]["data"]["id"]) == ("withdraw", alert)
    assert "notification" not in told["message"]
    assert len(stage.browsers.received()) == 1


def test_a_device_that_is_gone_is_told_so_and_the_others_have_it(stage: Stage) -> None:
    stage.browser("old", "410")
    stage.app("older", "unregistered:1")
    stage.browser("new")
    stage.publish()
    for device in ("old", "older"):
        until(partial(is_gone, stage, device), f"{device} is gone")
    until(lambda: stage.state("new")["last_success_at"], "the other one has it")
    stage.publish(title="Again")
    until(lambda: stage.browsers.report()["requests"].get("ok") == 2, "it gets the next one")
    assert stage.browsers.report()["requests"]["410"] == 1
    assert stage.firebase.report()["requests"]["unregistered"] == 1


def is_gone(stage: Stage, device: str) -> bool:
    return bool(stage.state(device)["state"] == "gone")


@pytest.mark.parametrize("stage", [PATIENT], ids=["patient"], indirect=True)
def test_what_hangs_or_misbehaves_delays_nobody(stage: Stage) -> None:
    for number, behaviour in enumerate(("hang", "huge", "cut", "redirect", "403", "slow", "500")):
        stage.browser(f"bad-{number}", behaviour, user="mallory")
    stage.app("bad", "hang:1", user="mallory")
    stage.browser("laptop")
    stage.publish(to={"users": ["mallory"]})
    stage.publish()
    # Far longer than that the calls that hang are waited for.
    until(lambda: stage.browsers.report()["requests"].get("ok") == 1, "Ada has hers")


def test_a_push_that_was_given_up_is_listed_and_sent_again_by_the_command(stage: Stage) -> None:
    stage.app("phone", "bad-request:1")
    stage.publish()
    until(lambda: "rejected" in stage.server.cli("dead", "pushes"), "it is listed")
    _, line = stage.server.cli("dead", "pushes").splitlines()
    stage.server.cli("dead", "retry-push", line.split()[0])
    until(lambda: stage.firebase.report()["requests"]["bad-request"] == 2, "it is tried again")


def test_an_erased_person_is_pushed_nothing_more_and_nothing_is_left(stage: Stage) -> None:
    stage.browser("laptop", "500")
    stage.app("phone", "internal:1")
    stage.browser("laptop", user="ben")
    stage.publish(to={"users": ["ada", "ben"]})
    until(lambda: stage.browsers.report()["requests"].get("500"), "a browser is tried")
    until(lambda: stage.firebase.report()["requests"].get("internal"), "an app is tried")
    answer = stage.server.request("DELETE", "/v1/users/ada", headers=stage.key)
    assert answer.status_code == 200, answer.text
    assert answer.json()["counts"]["device"] == 2
    assert answer.json()["counts"]["push"] == 2
    listed = stage.server.request("GET", "/v1/devices?user=ada", headers=stage.key)
    assert listed.json() == {"devices": []}
    stage.publish(title="To a new Ada, who has no device", to={"users": ["ada", "ben"]})
    until(lambda: stage.browsers.report()["requests"].get("ok") == 2, "Ben has his")
    stage.server.stop()
    with sqlite3.connect(stage.server.data_dir / "tocsin.db") as file:
        kept = file.execute(
            "SELECT count(*), count(pushes.push_no) FROM devices "
            "JOIN heads USING (user_no) LEFT JOIN pushes USING (user_no) WHERE user <> 'ben'"
        )
        assert kept.fetchone() == (0, 0)
        assert file.execute("SELECT DISTINCT device FROM pushes").fetchall() == [("laptop",)]
    file.close()


def test_credentials_that_a_service_refuses_alarm_at_once_and_pause_it_after_five_people(
    stage: Stage,
) -> None:
    stage.browser("laptop", "403", user="eve")
    stage.publish(to={"users": ["eve"]})
    until(lambda: "refuses our credentials" in doctor(stage), "the doctor warns")
    metrics = stage.server.request("GET", "/metrics").text
    assert "tocsin_push_refusing_hosts 1.0" in metrics
    assert "tocsin_push_paused_hosts 0.0" in metrics
    people = [f"user-{number}" for number in range(4)]
    for user in people:
        stage.browser("laptop", "403", user=user)
    stage.publish(to={"users": people})
    until(lambda: "nothing is sent to" in doctor(stage), "the service is paused")
    assert "push.paused" in stage.server.log()
    assert "tocsin_push_paused_hosts 1.0" in stage.server.request("GET", "/metrics").text


def test_firebase_is_paused_by_the_first_answer_that_no_app_has_a_part_in(stage: Stage) -> None:
    stage.app("phone", "denied:1")
    stage.publish()
    until(lambda: "nothing is sent to" in doctor(stage), "the doctor says so")
    stage.app("phone", "ok:1", user="ben")
    stage.browser("laptop", user="ben")
    stage.publish(to={"users": ["ada", "ben"]})
    until(stage.browsers.received, "browsers are pushed")
    assert len(stage.firebase.received()) == 1


def doctor(stage: Stage) -> str:
    return stage.server.try_cli("doctor").stdout


def test_a_server_that_is_killed_repeats_and_loses_nothing(stage: Stage) -> None:
    stage.browser("laptop", "slow")
    config = stage.server.request("GET", "/v1/push/config").json()
    wanted = set()
    for number in range(6):
        wanted.add(stage.publish(title=f"Alert {number}"))
        if number % 2:
            stage.server.restart()
    until(lambda: tried(stage).keys() >= wanted, "each was tried")
    assert tried(stage).keys() == wanted
    assert stage.server.request("GET", "/v1/push/config").json() == config, "the key stays"
    [tags] = [{one["message"]["notification"]["tag"] for one in stage.browsers.received()}]
    assert len(tags) == len(wanted)


def tried(stage: Stage) -> Counter[str]:
    return Counter(one["message"]["id"] for one in stage.browsers.received())


def test_an_endpoint_that_is_no_push_service_is_not_registered(stage: Stage) -> None:
    for text in (*ADDRESSES, *TRICKS):
        endpoint = text.replace("PORT", str(stage.server.port))
        channel = stage.browsers.subscribe() | {"endpoint": endpoint}
        answer = stage.register("laptop", platform="webpush", channel=channel)
        assert answer.status_code == 400, text


def test_a_key_file_that_is_none_is_told_by_the_command_and_at_the_start(
    make_server: MakeServer,
) -> None:
    server = make_server()
    path = server.folder / "account.json"
    path.write_text("{}")
    server.env["TOCSIN_PUSH__FCM_SERVICE_ACCOUNT"] = str(path)
    for command in (("check-config",), ("serve", "--port", "0")):
        done = server.try_cli(*command)
        assert done.returncode != 0
        assert "push.fcm_service_account" in done.stderr.replace("\n", "")
