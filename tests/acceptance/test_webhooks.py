"""Webhooks of a real server to a real receiver: signed, in order, at least once, whatever is killed."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until
from tests.acceptance.server_process import ServerProcess
from tests.acceptance.webhook_receiver import (
    Message,
    Receiver,
    guide_code,
    guide_verify,
    receiving,
)

pytestmark = pytest.mark.acceptance

WEB = Path(__file__).parents[2] / "web"
QUICK = {
    "TOCSIN_OUTBOUND__ALLOW": '["127.0.0.1"]',
    "TOCSIN_WEBHOOKS__FIRST_RETRY_S": "0.1",
    "TOCSIN_WEBHOOKS__LONGEST_RETRY_S": "0.5",
    "TOCSIN_WEBHOOKS__BATCH_RECEIPTS": "5",
}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def quick_server(make_server: MakeServer) -> ServerProcess:
    """A server that may call loopback, and tries again soon."""
    return make_server(env=QUICK).start()


class Registered:
    """A webhook, made by the command; asked for its state by HTTP."""

    def __init__(self, server: ServerProcess, url: str, *options: str) -> None:
        done = server.try_cli("webhook", "add", url, *options)
        assert done.returncode == 0, done.stderr
        self.secret = done.stdout.strip()
        self.id = re.findall(r"^webhook (\S+)$", done.stderr, re.MULTILINE)[0]
        self._server = server
        self._admin = server.key("admin")

    def get(self, path: str = "") -> dict[str, Any]:
        answer = self._server.request(
            "GET", f"/v1/admin/webhooks/{self.id}{path}", headers=self._admin
        )
        assert answer.is_success, answer.text
        got: dict[str, Any] = answer.json()
        return got


class Ada:
    """A user who says what she did with her alerts."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.key = server.key("server")
        self.token = {"authorization": f"Bearer {server.client_token(self.key)['token']}"}

    def alert(self) -> str:
        """Get an alert; it is in the inbox when this returns."""
        alert_id: str = self.server.publish(self.key).json()["id"]

        def arrived() -> bool:
            path = f"/v1/inbox/items/{alert_id}"
            return self.server.request("GET", path, headers=self.token).status_code == 200

        until(arrived, "the alert is in the inbox")
        return alert_id

    def tell(self, alert_id: str, fact: str, device: str) -> None:
        """Tell of a fact; it is on disk when this returns."""
        answer = self.server.request(
            "POST",
            "/v1/inbox/receipts",
            json={"receipts": [{"alert_id": alert_id, "fact": fact}]},
            headers={**self.token, "tocsin-device": device},
        )
        assert answer.is_success, answer.text


class Hold:
    """Holds answers back until they are released."""

    def __init__(self) -> None:
        self.came, self.released = Event(), Event()

    def __call__(self, _message: Message) -> None:
        self.came.set()
        self.released.wait(30)


def devices(events: list[dict[str, Any]]) -> list[str]:
    return [event["data"]["device"] for event in events]


def test_receipts_arrive_signed_and_in_order(
    quick_server: ServerProcess, receiver: Receiver
) -> None:
    webhook = Registered(quick_server, receiver.url, "--fact", "read")
    quick_server.cli("webhook", "test", webhook.id)
    ada = Ada(quick_server)
    alert_id = ada.alert()
    told = [f"d{n}" for n in range(12)]
    for device in told:
        ada.tell(alert_id, "shown", device)
        ada.tell(alert_id, "read", device)
    until(lambda: len(receiver.events()) >= 13, "all have arrived")
    ping, *read = receiver.events()
    assert ping["type"] == "tocsin.webhook.ping"
    assert devices(read) == told
    assert {event["type"] for event in read} == {"tocsin.receipt.read"}
    assert {event["subject"] for event in read} == {alert_id}
    numbers = [int(event["sequence"]) for event in read]
    assert numbers == sorted(numbers)
    verify = guide_verify()
    for message in receiver.messages:
        assert verify(webhook.secret, message.headers, message.body)
        assert not verify(webhook.secret, message.headers, message.body + b" ")
        assert len(message.events) <= 5


def test_the_typescript_of_the_guide_verifies_what_arrives(
    quick_server: ServerProcess, receiver: Receiver, node: Path, tmp_path: Path
) -> None:
    webhook = Registered(quick_server, receiver.url)
    quick_server.cli("webhook", "test", webhook.id)
    rotated = quick_server.cli("webhook", "rotate", webhook.id)
    quick_server.cli("webhook", "test", webhook.id)
    (tmp_path / "verify.ts").write_text(guide_code("ts"))
    (tmp_path / "package.json").write_text('{"type": "module"}')
    command: list[str | Path] = [node, WEB / "node_modules/typescript/bin/tsc", "--strict"]
    command += ["--target", "es2022", "--module", "nodenext", "--outDir", tmp_path]
    command += ["--types", "node", "--typeRoots", WEB / "node_modules/@types"]
    subprocess.run([*command, tmp_path / "verify.ts"], check=True)
    first, second = receiver.messages
    cases = [
        (webhook.secret, first, True),
        (webhook.secret, second, True),
        (rotated, second, True),
        (rotated, first, False),
    ]
    for key, message, good in cases:
        given = json.dumps([key, message.headers, message.body.decode()])
        script = (
            'import { verify } from "./verify.js"; '
            f"const [secret, headers, body] = {given}; "
            "console.log(verify(secret, headers, Buffer.from(body)), "
            'verify(secret, headers, Buffer.from(body + " ")));'
        )
        done = subprocess.run(
            [node, "--input-type=module", "-e", script],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == [str(good).lower(), "false"]


def test_a_message_is_repeated_the_same_until_it_is_taken_also_over_a_restart(
    quick_server: ServerProcess, receiver: Receiver
) -> None:
    webhook = Registered(quick_server, receiver.url)
    receiver.answers.extend([500, 503, 302])
    ada = Ada(quick_server)
    ada.tell(ada.alert(), "read", "d1")
    until(lambda: receiver.messages, "the first try")
    quick_server.stop()
    quick_server.start()
    until(receiver.events, "it was taken")
    assert len({message.id for message in receiver.messages}) == 1
    assert len({message.body for message in receiver.messages}) == 1
    assert all(guide_verify()(webhook.secret, m.headers, m.body) for m in receiver.messages)
    until(lambda: webhook.get()["attempts"] == 0, "it is settled")


def test_what_is_never_taken_is_a_dead_batch_and_delays_nothing_else(
    make_server: MakeServer, receiver: Receiver
) -> None:
    server = make_server(env={**QUICK, "TOCSIN_WEBHOOKS__ATTEMPTS": "2"}).start()
    bad = Registered(server, receiver.url)
    with receiving() as other:
        Registered(server, other.url)
        receiver.answers.extend([500, 500])
        ada = Ada(server)
        alert_id = ada.alert()
        ada.tell(alert_id, "read", "d1")
        until(other.events, "the other webhook is told")
        until(lambda: len(receiver.messages) == 2, "both tries")
        ada.tell(alert_id, "read", "d2")
        until(receiver.events, "the next message arrives")
    assert devices(receiver.events()) == ["d2"]
    [dead] = bad.get("/dead")["dead"]
    assert (dead["attempts"], dead["reason"]) == (2, "answered 500")
    assert dead["id"] in server.cli("webhook", "dead", "list", bad.id)
    shown = json.loads(server.cli("webhook", "dead", "show", bad.id, dead["id"]))
    assert devices(shown["events"]) == ["d1"]
    receiver.answers.append(500)
    refused = server.try_cli("webhook", "dead", "retry", bad.id, dead["id"])
    assert (refused.returncode, "answered 500" in refused.stderr) == (1, True)
    server.cli("webhook", "dead", "retry", bad.id, dead["id"])
    assert devices(receiver.events()) == ["d2", "d1"]
    assert receiver.messages[-1].id == receiver.messages[0].id
    assert dead["id"] not in server.cli("webhook", "dead", "list", bad.id)


def test_a_receiver_that_says_gone_is_disabled_until_somebody_enables_it(
    quick_server: ServerProcess, receiver: Receiver
) -> None:
    webhook = Registered(quick_server, receiver.url)
    receiver.answers.append(410)
    ada = Ada(quick_server)
    ada.tell(ada.alert(), "read", "d1")
    until(lambda: not webhook.get()["enabled"], "it is disabled")
    assert "disabled: answered 410" in quick_server.cli("webhook", "list")
    shown = json.loads(quick_server.cli("webhook", "show", webhook.id))
    assert (shown["enabled"], shown["disabled_reason"]) == (False, "answered 410")
    quick_server.cli("webhook", "enable", webhook.id)
    until(receiver.events, "it goes on")
    assert devices(receiver.events()) == ["d1"]
    quick_server.cli("webhook", "remove", webhook.id)
    assert webhook.id not in quick_server.cli("webhook", "list")


def test_every_receipt_arrives_over_kills_and_a_repeat_has_the_same_id(
    quick_server: ServerProcess, receiver: Receiver
) -> None:
    Registered(quick_server, receiver.url)
    ada = Ada(quick_server)
    alert_ids = [ada.alert() for _ in range(5)]
    told = []
    for round_ in range(4):
        hold = Hold()
        for n in range(20):
            if n == 10:
                receiver.before_answer = hold
            told.append(f"d{round_}-{n}")
            ada.tell(alert_ids[n % 5], "read", told[-1])
        assert hold.came.wait(30)
        quick_server.kill()  # after the receiver has it, before it could say so
        receiver.before_answer = lambda _message: None
        hold.released.set()
        quick_server.start()
    until(lambda: set(devices(receiver.events())) >= set(told), "all have arrived")
    said: dict[str, dict[str, Any]] = {}
    for event in receiver.events():
        assert said.setdefault(event["id"], event) == event
    assert devices(list(said.values())) == told
    assert len(receiver.events()) > len(told)  # the kills did hit
    by_id: dict[str, bytes] = {}
    for message in receiver.messages:
        assert by_id.setdefault(message.id, message.body) == message.body


def test_a_private_address_is_refused_at_registration_and_at_every_send(
    make_server: MakeServer, receiver: Receiver
) -> None:
    server = make_server(env=QUICK).start()
    webhook = Registered(server, receiver.url)
    ada = Ada(server)
    alert_id = ada.alert()
    server.stop()
    del server.env["TOCSIN_OUTBOUND__ALLOW"]
    server.start()
    for url in (receiver.url, "https://localhost/", "https://169.254.169.254/latest/"):
        refused = server.try_cli("webhook", "add", url)
        assert refused.returncode == 1
        assert "outbound.allow" in refused.stderr
    ada.tell(alert_id, "read", "d1")

    def failing() -> bool:
        return (webhook.get()["failure"] or "").startswith("not called: ")

    until(failing, "the send is refused")
    assert "loopback" in webhook.get()["failure"]
    assert receiver.messages == []
