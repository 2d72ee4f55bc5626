"""Retention over kills: what is old goes, by itself, in whichever life of the server its time comes; what stands is kept."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until
from tests.acceptance.server_process import ServerProcess

pytestmark = pytest.mark.acceptance

LATER = (str(Path(__file__).parent / "later_server.py"),)
SHORT = {
    "TOCSIN_RETENTION__READ_ITEMS_DAYS": "1",
    "TOCSIN_RETENTION__TOMBSTONES_DAYS": "1",
    "TOCSIN_RETENTION__PRODUCER_KEYS_DAYS": "1",
    "TOCSIN_RETENTION__BROADCAST_DAYS": "3",
    "TOCSIN_RETENTION__AUDIT_DAYS": "3",
}
Key = dict[str, str]


def live_again(server: ServerProcess, days_later: int) -> None:
    """Kill the server; the next one begins so many days after the first."""
    server.kill()
    server.env["TEST_DAYS_LATER"] = str(days_later)
    server.start()


def inbox(server: ServerProcess, key: Key) -> dict[str, Any]:
    answer = server.request("GET", "/v1/inbox?user=ada&limit=200", headers=key)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def changes(server: ServerProcess, key: Key, position: str) -> dict[str, Any]:
    path = f"/v1/inbox/changes?user=ada&since={position}"
    found: dict[str, Any] = server.request("GET", path, headers=key).json()
    return found


def position(answer: dict[str, Any]) -> str:
    at = answer["position"]
    return f"{at['epoch']}:{at['rev']}:{at['brev']}"


def rows(server: ServerProcess, table: str) -> int:
    """Count the rows of a table, whether or not the server runs."""
    file = f"file:{server.data_dir / 'tocsin.db'}?mode=ro"
    with contextlib.closing(sqlite3.connect(file, uri=True)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_what_is_old_is_purged_after_a_kill_and_what_is_not_stays(make_server: MakeServer) -> None:
    server = make_server(program=LATER, env=SHORT).start()
    key = server.key("server")
    for title in ("Read", "Deleted", "Unread"):
        assert server.publish(key, title=title, id=title).status_code == 202
    assert server.publish(key, to={"all": True}, title="To all").status_code == 202
    until(lambda: len(server.titles(key)) == 4, "all arrive")
    fresh = position(inbox(server, key))
    for item in inbox(server, key)["items"]:
        path, named = f"/v1/inbox/items/{item['id']}?user=ada", {"alert_id": item["alert_id"]}
        if item["alert"]["title"] == "Read":
            body = {**named, "read": True}
            assert server.request("PATCH", path, json=body, headers=key).status_code == 200
        elif item["alert"]["title"] == "Deleted":
            path += f"&alert_id={item['alert_id']}"
            assert server.request("DELETE", path, headers=key).status_code == 200
    acted = position(inbox(server, key))
    assert changes(server, key, fresh)["removed"] != []
    assert server.publish(key, title="Read", id="Read").headers.get("location") is not None
    assert (rows(server, "items"), rows(server, "alert_keys"), rows(server, "audit")) == (3, 3, 1)

    live_again(server, days_later=2)
    # The read one is deleted now, a change like any other; the tombstone of the deleted one is gone, and its revision known.
    until(lambda: server.titles(key) == ["Unread", "To all"], "the read one is retired")
    until(lambda: rows(server, "items") == 2, "the old tombstone is purged")
    until(lambda: rows(server, "alert_keys") == 0, "the producer's ids are forgotten")
    assert rows(server, "audit") == 1, "it is younger than three days"
    assert changes(server, key, fresh).get("reload") is True, "what it missed is purged"
    told = changes(server, key, acted)
    assert (len(told["removed"]), told["items"]) == (1, [])
    retired = position(told)

    live_again(server, days_later=4)
    until(lambda: server.titles(key) == ["Unread"], "the broadcast has expired")
    until(lambda: rows(server, "items") == 1, "the tombstone of retention is purged too")
    until(lambda: rows(server, "audit") == 0, "the deed of the key is old")
    assert changes(server, key, acted).get("reload") is True
    assert changes(server, key, retired).get("removed") == []
    again = server.publish(key, title="Read anew", id="Read")
    assert again.status_code == 202, "the id may be used again"
    until(lambda: server.titles(key) == ["Read anew", "Unread"], "it is another alert")
    assert inbox(server, key)["counts"] == {"unseen": 2, "unread": 2}


def test_what_was_triggered_a_month_and_two_kills_ago_is_resolved(make_server: MakeServer) -> None:
    server = make_server(program=LATER).start()
    key = server.key("producer")
    event = {
        "routing_key": key["authorization"].removeprefix("Bearer "),
        "dedup_key": "disk-7",
        "payload": {"summary": "Disk is full", "source": "vault", "severity": "critical"},
    }

    def send(action: str) -> None:
        path = "/shims/pagerduty/v2/enqueue?to_users=ada"
        answer = server.request("POST", path, json={**event, "event_action": action})
        assert answer.status_code == 202, answer.text

    backend = server.key("server")
    send("trigger")
    server.publish(key, title="Other", id="other")
    until(lambda: len(server.titles(backend)) == 2, "both arrive")
    for days in (15, 30):
        live_again(server, days_later=days)
        until(lambda: rows(server, "alert_keys") == 1, "all other ids are forgotten")
        send("trigger")
        assert rows(server, "alert_keys") == 1, "it is known already"
    send("resolve")
    until(lambda: server.titles(backend) == ["Other"], "what was triggered is withdrawn")
