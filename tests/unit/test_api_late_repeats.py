"""What comes after its ``expires_at``: a repeat of what was accepted in time is told as one, all else is refused."""

from typing import Any

import httpx
import pytest

from tests.unit.api_server import Server
from tests.unit.test_unknown_publish import answers_lost
from tocsin.clock import US_PER_S, to_rfc3339

STRUCTURED = {"content-type": "application/cloudevents+json"}


def alert(server: Server, **more: Any) -> dict[str, Any]:
    """Return one that expires in two seconds."""
    end = to_rfc3339(server.clock.now_us() + 2 * US_PER_S)
    return {"to": {"users": ["ada"]}, "title": "Sale", "expires_at": end, **more}


async def post(server: Server, body: object, key: dict[str, str], path: str = "") -> httpx.Response:
    return await server.http.post(f"/v1/alerts{path}", json=body, headers=key)


async def accepted(server: Server) -> int:
    return (await server.store.queue.depth()).waiting


def is_refused(answer: httpx.Response, pointer: str | None = "/expires_at") -> bool:
    problem = answer.json()
    return (answer.status_code, problem["code"], problem.get("pointer")) == (
        400,
        "invalid-time",
        pointer,
    )


@pytest.mark.parametrize("by", ["id", "idempotency-key"])
@pytest.mark.parametrize("delivered", [False, True], ids=["it waits", "it was delivered"])
async def test_a_late_repeat_is_a_repeat_and_other_content_a_conflict(
    server: Server, by: str, *, delivered: bool
) -> None:
    key, body = await server.key(), alert(server)
    if by == "id":
        body["id"] = "e9"
    else:
        key["idempotency-key"] = "e9"
    first = await post(server, body, key)
    if delivered:
        await server.worker.step()
    server.clock.advance(3)
    again = await post(server, body, key)
    assert (again.status_code, again.headers["location"]) == (202, first.headers["location"])
    assert again.json() == {"id": first.json()["id"], "status": "duplicate"}
    other = await post(server, {**body, "title": "Else"}, key)
    assert (other.status_code, other.json()["code"]) == (409, "id-conflict")
    assert await accepted(server) == (0 if delivered else 1)


async def test_a_new_alert_that_has_expired_is_refused_and_its_id_stays_free(
    server: Server,
) -> None:
    key, body = await server.key(), alert(server, id="e9")
    server.clock.advance(3)
    refused = await post(server, body, key)
    assert is_refused(refused)
    assert "has passed" in refused.json()["detail"]
    assert is_refused(await post(server, {**body, "id": None}, key))
    assert await accepted(server) == 0
    assert (await post(server, alert(server, id="e9"), key)).json()["status"] == "accepted"


async def test_in_a_batch_each_late_alert_is_told_for_itself(server: Server) -> None:
    key, known, unknown = await server.key(), alert(server, id="1"), alert(server, id="2")
    first = await post(server, known, key)
    server.clock.advance(3)
    alerts = [unknown, known, {**known, "title": "Else"}, alert(server, id="3"), {**known, "id": None}]  # fmt: skip
    answer = await post(server, {"alerts": alerts}, key, "/batch")
    results = answer.json()["results"]
    assert [result["status"] for result in results] == ["refused", "duplicate", "refused", "accepted", "refused"]  # fmt: skip
    assert results[1]["id"] == first.json()["id"]
    told = [(r["error"]["code"], r["error"].get("pointer")) for r in results if "error" in r]
    assert told == [
        ("invalid-time", "/alerts/0/expires_at"),
        ("id-conflict", None),
        ("invalid-time", "/alerts/4/expires_at"),
    ]
    assert await accepted(server) == 2


async def test_a_late_event_is_told_by_its_own_place(server: Server) -> None:
    key, end = await server.key(), alert(server)["expires_at"]
    event = {"specversion": "1.0", "source": "/s", "type": "t", "subject": "ada", "id": "1"}
    by_attribute = {**event, "expirytime": end, "data": {"title": "t"}}
    by_data = {**event, "data": {"title": "t", "expires_at": end}}

    async def send(body: dict[str, Any]) -> httpx.Response:
        return await server.http.post("/v1/events", json=body, headers=key | STRUCTURED)

    first = await send(by_attribute)
    server.clock.advance(3)
    assert (await send(by_attribute)).json() == {"id": first.json()["id"], "status": "duplicate"}
    assert is_refused(await send({**by_attribute, "id": "2"}), "/expirytime")
    assert is_refused(await send({**by_data, "id": "2"}), "/data/expires_at")
    headers = {f"ce-{name}": value for name, value in event.items()} | {"ce-expirytime": end}
    binary = await server.http.post(
        "/v1/events", json={"title": "t"}, headers=key | headers | {"ce-id": "2"}
    )
    assert is_refused(binary, None)


async def test_trying_a_late_alert_refuses_it_for_nothing_is_looked_up(server: Server) -> None:
    key, body = await server.key(), alert(server, id="e9")
    await post(server, body, key)
    server.clock.advance(3)
    assert is_refused(await post(server, body, key, "?dry_run=true"))


@pytest.mark.parametrize("item_by_item", [True, False])
async def test_while_nobody_knows_a_late_alert_is_not_called_refused(
    server: Server, *, item_by_item: bool
) -> None:
    key, body = await server.key(), alert(server, id="e9")
    await post(server, body, key)
    server.clock.advance(3)
    async with answers_lost(server, item_by_item=item_by_item):
        alone = await post(server, body, key)
        batch = await post(server, {"alerts": [body]}, key, "/batch")
    assert (alone.status_code, alone.json()["repeat_with"]) == (503, {"id": "e9"})
    assert [r["status"] for r in batch.json()["results"]] == ["unknown"]
    assert (await post(server, body, key)).json()["status"] == "duplicate"
