"""What became of an alert, from the socket to the command that tells it."""

import json
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until
from tests.acceptance.server_process import ServerProcess

pytestmark = pytest.mark.acceptance

RELIABLE = Subprotocol("json.reliable.webpubsub.azure.v1")
ACTIONS = [{"id": "ack", "label": "Acknowledge"}]


def publish(server: ServerProcess, key: dict[str, str], **alert: Any) -> str:
    answer = server.publish(key, **{"to": {"users": ["ada"]}, "actions": ACTIONS, **alert})
    assert answer.status_code == 202
    return str(answer.json()["id"])


def facts(server: ServerProcess, key: dict[str, str], alert_id: str) -> dict[str, Any]:
    answer = httpx.get(f"{server.url}/v1/alerts/{alert_id}", headers=key, timeout=30)
    receipts: dict[str, Any] = answer.json().get("receipts", {})
    return receipts


def hear_and_acknowledge(socket: ClientConnection, alert_id: str) -> None:
    """Read until a frame brings the alert, and acknowledge it."""
    while True:
        message = json.loads(socket.recv(timeout=30))
        items = message.get("data", {}).get("items", ())
        if any(item["alert_id"] == alert_id for item in items):
            said = {"type": "sequenceAck", "sequenceId": message["sequenceId"]}
            socket.send(json.dumps(said))
            return


def test_the_command_tells_the_whole_story_of_a_copy(shared_server: ServerProcess) -> None:
    key = shared_server.key("server")
    url = shared_server.cli("client-token", "ada").strip()
    with connect(f"{url}&device=phone", subprotocols=[RELIABLE]) as socket:
        socket.recv(timeout=30)
        alert_id = publish(shared_server, key)
        hear_and_acknowledge(socket, alert_id)
        pressed = {"alert_id": alert_id, "fact": "acted", "action": "ack"}
        event = {"type": "event", "event": "tocsin.receipts", "dataType": "json"}
        socket.send(json.dumps({**event, "data": {"receipts": [pressed]}}))
        until(lambda: facts(shared_server, key, alert_id).get("acted") == 1, "the press is counted")
    summary = facts(shared_server, key, alert_id)
    assert (summary["written"], summary["received"], summary["actions"]) == (1, 1, {"ack": 1})
    told = shared_server.cli("why", alert_id, "ada")
    lines = told.splitlines()
    assert [line.split()[1] for line in lines[1:-1]] == [
        "accepted",
        "stored",
        "written",
        "received",
        "acted",
    ]
    assert lines[-1].startswith("pressed 'ack' on device phone at ")


def test_the_command_says_why_an_alert_did_not_arrive(shared_server: ServerProcess) -> None:
    key = shared_server.key("server")
    alert_id = publish(shared_server, key)
    until(lambda: facts(shared_server, key, alert_id) != {}, "it is processed")
    assert "not delivered: ben is not in its audience" in shared_server.cli("why", alert_id, "ben")
    unknown = shared_server.try_cli("why", "no-such-alert", "ada")
    assert unknown.returncode == 1
    assert unknown.stderr.startswith("tocsin: there is no alert 'no-such-alert'")


def test_receipts_survive_a_kill_once_they_are_answered(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    key = server.key("server")
    alert_id = publish(server, key)
    until(lambda: facts(server, key, alert_id) != {}, "it is processed")
    told = {"receipts": [{"alert_id": alert_id, "fact": "acted", "action": "ack"}]}
    answer = httpx.post(
        f"{server.url}/v1/inbox/receipts?user=ada", json=told, headers=key, timeout=30
    )
    assert answer.status_code == 204
    server.kill()
    server.start()
    assert facts(server, key, alert_id)["actions"] == {"ack": 1}


def test_receipts_survive_a_kill_once_the_socket_acknowledged_them(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    key = server.key("server")
    url = server.cli("client-token", "ada").strip()
    with connect(url, subprotocols=[RELIABLE]) as socket:
        alert_id = publish(server, key)
        until(lambda: facts(server, key, alert_id) != {}, "it is processed")
        pressed = {"alert_id": alert_id, "fact": "acted", "action": "ack"}
        event = {"type": "event", "event": "tocsin.receipts", "dataType": "json", "ackId": 1}
        socket.send(json.dumps({**event, "data": {"receipts": [pressed]}}))
        while (message := json.loads(socket.recv(timeout=30)))["type"] != "ack":
            pass
        assert message == {"type": "ack", "ackId": 1, "success": True}
        server.kill()
    server.start()
    assert facts(server, key, alert_id)["actions"] == {"ack": 1}
