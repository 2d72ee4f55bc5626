"""Webhooks over HTTP: made, shown, changed, tested, and what they did not take."""

from typing import Any

import httpx
import pytest

from tests.unit.api_server import Server
from tocsin.model.receipt import Told
from tocsin.ports.outbound import Answer

URL = "https://receiver.example/hook"
UNKNOWN = "/v1/admin/webhooks/018f0000-0000-7000-8000-000000000000"


async def made(server: Server, hub: str = "default", **fields: Any) -> dict[str, Any]:
    """Register a webhook; the answer has its secret."""
    answer = await server.http.post(
        "/v1/admin/webhooks", json={"url": URL, **fields}, headers=await server.key("admin", hub)
    )
    assert answer.status_code == 201, answer.text
    webhook: dict[str, Any] = answer.json()
    return webhook


async def ask(server: Server, method: str, path: str, **more: Any) -> httpx.Response:
    return await server.http.request(method, path, headers=await server.key("admin"), **more)


async def read_receipt(server: Server) -> None:
    """Have Ada read an alert."""
    published = (await server.publish()).json()["id"]
    now_us = server.clock.now_us()
    await server.store.receipts.note([Told("default", published, "ada", "read", now_us)])


async def given_up(server: Server) -> tuple[str, str]:
    """Let a webhook give up one batch; return the paths of the webhook and of the batch."""
    path = f"/v1/admin/webhooks/{(await made(server))['id']}"
    await read_receipt(server)
    server.outbound.outcomes = [Answer(500)] * 20
    for _ in range(20):
        await server.sender.work("default", path.rpartition("/")[2])
        server.clock.advance(4000)
    [dead] = (await ask(server, "GET", f"{path}/dead")).json()["dead"]
    return path, f"{path}/dead/{dead['id']}"


async def test_a_webhook_shows_its_secret_once(server: Server) -> None:
    webhook = await made(server, facts=["read", "acted"])
    assert webhook.pop("secret").startswith("whsec_")
    assert webhook == {
        "id": webhook["id"],
        "hub": "default",
        "url": URL,
        "facts": ["read", "acted"],
        "key_id": None,
        "created_at": "2027-01-15T08:00:00.000Z",
        "enabled": True,
        "disabled_at": None,
        "disabled_reason": None,
        "attempts": 0,
        "failure": None,
        "next_try_at": None,
    }
    assert (await ask(server, "GET", f"/v1/admin/webhooks/{webhook['id']}")).json() == webhook
    listed = (await ask(server, "GET", "/v1/admin/webhooks")).json()
    assert listed == {"webhooks": [webhook]}


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"url": "https://10.0.0.1/"}, "webhook-url-refused", "/url"),
        ({"url": URL, "facts": ["liked"]}, "invalid-field", "/facts/0"),
        ({"url": URL, "facts": ["read"] * 21}, "invalid-field", "/facts"),
        ({"url": URL, "key_id": "none"}, "webhook-key-unknown", "/key_id"),
        ({"url": URL, "secret": "mine"}, "invalid-field", ""),
        ({}, "invalid-field", ""),
    ],
)
async def test_a_webhook_that_cannot_work_is_refused(
    server: Server, body: dict[str, Any], code: str, pointer: str
) -> None:
    answer = await ask(server, "POST", "/v1/admin/webhooks", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["pointer"] == pointer


async def test_a_hub_has_a_bounded_number_of_webhooks(server: Server) -> None:
    for _ in range(20):
        await made(server)
    answer = await ask(server, "POST", "/v1/admin/webhooks", json={"url": URL})
    assert (answer.status_code, answer.json()["code"]) == (409, "too-many-webhooks")
    await made(server, hub="other")


async def test_the_key_a_webhook_asks_for_must_be_one_of_its_hub(server: Server) -> None:
    _, theirs = await server.keyring.create("other", "producer", "theirs")
    _, ours = await server.keyring.create("default", "producer", "ours")
    refused = await ask(
        server, "POST", "/v1/admin/webhooks", json={"url": URL, "key_id": theirs.id}
    )
    assert refused.json()["code"] == "webhook-key-unknown"
    assert (await made(server, key_id=ours.id))["key_id"] == ours.id


async def test_a_change_touches_only_what_it_names(server: Server) -> None:
    webhook = await made(server, facts=["read"])
    path = f"/v1/admin/webhooks/{webhook['id']}"
    changed = (await ask(server, "PATCH", path, json={"url": f"{URL}2"})).json()
    assert (changed["url"], changed["facts"], changed["enabled"]) == (f"{URL}2", ["read"], True)
    refused = await ask(server, "PATCH", path, json={"url": "https://10.0.0.1/"})
    assert refused.json()["code"] == "webhook-url-refused"
    off = (await ask(server, "PATCH", path, json={"enabled": False, "facts": []})).json()
    assert (off["enabled"], off["disabled_reason"]) == (False, "disabled by an administrator")
    assert (off["url"], off["facts"]) == (f"{URL}2", [])
    on = (await ask(server, "PATCH", path, json={"enabled": True})).json()
    assert (on["enabled"], on["disabled_at"], on["disabled_reason"]) == (True, None, None)


async def test_a_webhook_says_how_its_delivery_goes(server: Server) -> None:
    path = f"/v1/admin/webhooks/{(await made(server))['id']}"
    await read_receipt(server)
    server.outbound.outcomes = [Answer(500)]
    await server.sender.work("default", path.rpartition("/")[2])
    shown = (await ask(server, "GET", path)).json()
    assert (shown["attempts"], shown["failure"]) == (1, "answered 500")
    assert shown["next_try_at"] > shown["created_at"]


async def test_a_new_secret_replaces_the_former_after_a_day(server: Server) -> None:
    webhook = await made(server)
    answer = await ask(server, "POST", f"/v1/admin/webhooks/{webhook['id']}/secret")
    assert answer.json()["secret"] != webhook["secret"]
    assert answer.json()["former_valid_until"] == "2027-01-16T08:00:00.000Z"


async def test_a_test_tells_what_came_of_it(server: Server) -> None:
    path = f"/v1/admin/webhooks/{(await made(server))['id']}/test"
    server.outbound.outcomes = [Answer(204), Answer(503)]
    assert (await ask(server, "POST", path)).json() == {"delivered": True, "reason": None}
    failed = await ask(server, "POST", path)
    assert failed.status_code == 200
    assert failed.json() == {"delivered": False, "reason": "answered 503"}


async def test_what_was_given_up_is_listed_shown_retried_and_dropped(server: Server) -> None:
    webhook, batch = await given_up(server)
    shown = (await ask(server, "GET", batch)).json()
    assert (shown["attempts"], shown["receipts"], shown["reason"]) == (20, 1, "answered 500")
    assert shown["events"][0]["type"] == "tocsin.receipt.read"
    server.outbound.outcomes = [Answer(500)]
    again = await ask(server, "POST", f"{batch}/retry")
    assert again.json() == {"delivered": False, "reason": "answered 500"}
    assert (await ask(server, "POST", f"{batch}/retry")).json()["delivered"] is True
    assert (await ask(server, "GET", f"{webhook}/dead")).json()["dead"] == []
    for method, path in (("GET", batch), ("POST", f"{batch}/retry"), ("DELETE", batch)):
        gone = await ask(server, method, path)
        assert (gone.status_code, gone.json()["code"]) == (404, "dead-batch-not-found")


async def test_a_dropped_batch_is_gone(server: Server) -> None:
    webhook, batch = await given_up(server)
    assert (await ask(server, "DELETE", batch)).status_code == 204
    assert (await ask(server, "GET", f"{webhook}/dead")).json()["dead"] == []


async def test_the_audit_log_names_the_webhook_that_was_made(server: Server) -> None:
    webhook = await made(server)
    [deed] = (await ask(server, "GET", "/v1/admin/audit?action=webhook.create")).json()["deeds"]
    assert (deed["target"], deed["outcome"]) == (webhook["id"], "done")


async def test_another_hubs_webhook_and_none_look_alike(server: Server) -> None:
    theirs = f"/v1/admin/webhooks/{(await made(server, hub='other'))['id']}"
    for method, rest in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/secret"),
        ("POST", "/test"),
        ("GET", "/dead"),
        ("GET", "/dead/x"),
    ):
        answers = [
            await ask(server, method, path + rest, **({"json": {}} if method == "PATCH" else {}))
            for path in (theirs, UNKNOWN)
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert {answer.json()["code"] for answer in answers} == {"webhook-not-found"}
    assert server.outbound.calls == []


@pytest.mark.parametrize("role", ["producer", "server"])
async def test_webhooks_are_for_administrators(server: Server, role: Any) -> None:
    answer = await server.http.get("/v1/admin/webhooks", headers=await server.key(role))
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong-role")
