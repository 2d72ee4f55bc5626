"""Devices report receipts over HTTP, and producers see them summed up."""

from typing import Any

import pytest

from tests.unit.api_server import Server

ACTIONS = [{"id": "ack", "label": "Acknowledge"}, {"id": "mute", "label": "Mute"}]


async def report(server: Server, headers: dict[str, str], *receipts: dict[str, Any]) -> int:
    answer = await server.http.post(
        "/v1/inbox/receipts", json={"receipts": receipts}, headers=headers
    )
    return answer.status_code


async def summed_up(server: Server, alert_id: str) -> dict[str, Any]:
    answer = await server.http.get(f"/v1/alerts/{alert_id}", headers=await server.key("server"))
    receipts: dict[str, Any] = answer.json()["receipts"]
    return receipts


async def test_reports_are_summed_up_by_people_and_by_action(server: Server) -> None:
    published = await server.publish(to={"users": ["ada", "bob"]}, actions=ACTIONS)
    alert_id = published.json()["id"]
    ada, bob = await server.token("ada"), await server.token("bob")
    shown = {"alert_id": alert_id, "fact": "shown"}
    acted = {"alert_id": alert_id, "fact": "acted", "action": "ack"}
    for device in ("phone", "laptop"):
        headers = {**ada, "tocsin-device": device}
        assert await report(server, headers, shown, acted) == 204
        assert await report(server, headers, shown) == 204
    assert await report(server, bob, shown) == 204
    assert await summed_up(server, alert_id) == {
        "stored": 2,
        "written": 0,
        "received": 0,
        "shown": 2,
        "seen": 0,
        "read": 0,
        "acted": 1,
        "actions": {"ack": 1},
    }


async def test_a_server_key_may_report_for_a_user(server: Server) -> None:
    alert_id = (await server.publish()).json()["id"]
    answer = await server.http.post(
        "/v1/inbox/receipts?user=ada",
        json={"receipts": [{"alert_id": alert_id, "fact": "received"}]},
        headers=await server.key("server"),
    )
    assert answer.status_code == 204
    assert (await summed_up(server, alert_id))["received"] == 1


async def test_what_is_not_this_persons_is_answered_alike_and_kept_nowhere(server: Server) -> None:
    alert_id = (await server.publish(actions=ACTIONS)).json()["id"]
    bob = await server.token("bob")
    for foreign in (alert_id, "unknown"):
        assert await report(server, bob, {"alert_id": foreign, "fact": "shown"}) == 204
    ada = await server.token("ada")
    acted = {"alert_id": alert_id, "fact": "acted", "action": "not-offered"}
    assert await report(server, ada, acted) == 204
    summary = await summed_up(server, alert_id)
    assert (summary["shown"], summary["acted"], summary["actions"]) == (0, 0, {})


@pytest.mark.parametrize(
    ("receipt", "pointer"),
    [
        ({"alert_id": "a", "fact": "written"}, "/receipts/0/fact"),
        ({"alert_id": "a", "fact": "stored"}, "/receipts/0/fact"),
        ({"alert_id": "a", "fact": "acted"}, "/receipts/0/action"),
        ({"alert_id": "a", "fact": "shown", "action": "x"}, "/receipts/0/action"),
        ({"alert_id": "", "fact": "shown"}, "/receipts/0/alert_id"),
        ({"alert_id": "a", "fact": "shown", "more": 1}, "/receipts/0"),
        ({"alert_id": "a", "fact": "shown", "at": "2026-11-22T10:00:00"}, "/receipts/0/at"),
    ],
)
async def test_a_bad_receipt_is_refused_with_its_place(
    server: Server, receipt: dict[str, Any], pointer: str
) -> None:
    ada = await server.token("ada")
    answer = await server.http.post("/v1/inbox/receipts", json={"receipts": [receipt]}, headers=ada)
    assert answer.status_code == 400
    assert answer.json()["pointer"] == pointer


async def test_a_report_is_bounded_and_needs_an_inbox(server: Server) -> None:
    ada = await server.token("ada")
    one = {"alert_id": "a", "fact": "shown"}
    assert await report(server, ada, *[one] * 201) == 400
    assert await report(server, ada) == 400
    assert await report(server, {**ada, "tocsin-device": "d" * 257}, one) == 400
    assert await report(server, await server.key("producer"), one) == 403
    assert await report(server, {}, one) == 401


async def test_reading_on_a_device_becomes_its_receipt(server: Server) -> None:
    alert_id = (await server.publish()).json()["id"]
    headers = {**await server.token("ada"), "tocsin-device": "phone"}
    patch = {"alert_id": alert_id, "read": True}
    await server.http.patch(f"/v1/inbox/items/{alert_id}", json=patch, headers=headers)
    await server.recorder.flush()
    [receipt] = await server.store.receipts.receipts_of("default", alert_id, "ada")
    assert (receipt.fact, receipt.device) == ("read", "phone")


async def test_an_offline_report_keeps_its_time(server: Server) -> None:
    alert_id = (await server.publish()).json()["id"]
    ada = await server.token("ada")
    fact = {"alert_id": alert_id, "fact": "shown", "at": "1999-01-01T00:00:00Z"}
    assert await report(server, ada, fact) == 204
    [receipt] = await server.store.receipts.receipts_of("default", alert_id, "ada")
    status = await server.store.alert("default", alert_id)
    assert status is not None
    assert receipt.at_us == status.accepted_us


async def test_the_trace_of_a_copy_is_for_server_keys_and_alike_for_foreign_and_unknown(
    server: Server,
) -> None:
    alert_id = (await server.publish()).json()["id"]
    key = await server.key("server")
    path = f"/v1/alerts/{alert_id}/trace"
    story = (await server.http.get(f"{path}?user=ada", headers=key)).json()
    assert [event["fact"] for event in story["events"]] == ["accepted", "stored"]
    assert story["conclusion"] == (
        "in the inbox, and no live connection has had it, nor is any device registered to push it to"
    )
    bob = (await server.http.get(f"{path}?user=bob", headers=key)).json()
    assert bob["conclusion"].startswith("not delivered: bob is not in its audience")
    assert (await server.http.get(path, headers=key)).json()["code"] == "user-missing"
    for headers in (await server.key("producer"), await server.token("ada")):
        assert (await server.http.get(f"{path}?user=ada", headers=headers)).status_code == 403
    elsewhere = await server.key("server", "elsewhere")
    foreign = await server.http.get(f"{path}?user=ada", headers=elsewhere)
    unknown = await server.http.get("/v1/alerts/unknown/trace?user=ada", headers=elsewhere)
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.text.replace(alert_id, "unknown") == unknown.text
