"""Alerts that change after they were published: replaced by a newer one of the same key, or withdrawn."""

from typing import Any

import pytest

from tests.unit.api_server import Server


def alert(title: str, **fields: object) -> dict[str, object]:
    return {"to": {"users": ["ada"]}, "title": title, "collapse_key": "build-7", **fields}


async def publish(server: Server, key: dict[str, str], body: dict[str, object]) -> str:
    """Publish and process one alert, and return its id."""
    answer = await server.http.post("/v1/alerts", json=body, headers=key)
    assert answer.status_code == 202, answer.text
    await server.worker.step()
    return str(answer.json()["id"])


async def items(server: Server) -> list[dict[str, Any]]:
    page = await server.http.get("/v1/inbox", headers=await server.token("ada"))
    found: list[dict[str, Any]] = page.json()["items"]
    return found


async def test_an_alert_takes_the_place_of_the_unread_one_of_its_key(server: Server) -> None:
    key = await server.key()
    first = await publish(server, key, alert("60 %"))
    frames = server.frames()
    second = await publish(server, key, alert("Done"))
    [item] = await items(server)
    assert (item["id"], item["alert_id"], item["alert"]["title"]) == (first, second, "Done")
    [frame] = frames
    assert [(i["id"], i["alert_id"]) for i in frame["items"]] == [(first, second)]
    assert frame["counts"] == {"unseen": 1, "unread": 1}


async def test_a_batch_may_carry_collapse_keys(server: Server) -> None:
    body = {"alerts": [alert("60 %"), alert("Done"), alert("Other", collapse_key="build-8")]}
    answer = await server.http.post("/v1/alerts/batch", json=body, headers=await server.key())
    assert [result["status"] for result in answer.json()["results"]] == ["accepted"] * 3
    await server.worker.step()
    assert [item["alert"]["title"] for item in await items(server)] == ["Other", "Done"]


async def test_collapse_keys_belong_to_the_producer_that_uses_them(server: Server) -> None:
    await publish(server, await server.key(), alert("Mine"))
    await publish(server, await server.key(), alert("Yours"))
    assert [item["alert"]["title"] for item in await items(server)] == ["Yours", "Mine"]


async def test_another_collapse_key_is_other_content(server: Server) -> None:
    key = await server.key()
    await publish(server, key, alert("60 %", id="1"))
    body = alert("60 %", id="1", collapse_key="build-8")
    other = await server.http.post("/v1/alerts", json=body, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "id-conflict")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"collapse_key": ""}, "invalid-id"),
        ({"collapse_key": "a\u0000"}, "invalid-id"),
        ({"collapse_key": "x" * 257}, "invalid-id"),
        ({"collapse_key": 7}, "invalid-field"),
        ({"to": {"all": True}}, "invalid-field"),
    ],
)
async def test_a_bad_collapse_key_is_refused_with_its_place(
    server: Server, fields: dict[str, object], code: str
) -> None:
    body = alert("60 %", **fields)
    answer = await server.http.post("/v1/alerts", json=body, headers=await server.key())
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["pointer"]) == (400, code, "/collapse_key")


async def test_a_withdrawn_alert_leaves_the_inbox_where_it_is_unread(server: Server) -> None:
    key = await server.key()
    read, unread = [await publish(server, key, {**alert(t), "collapse_key": t}) for t in "ab"]
    patch = {"alert_id": read, "read": True}
    await server.http.patch(
        f"/v1/inbox/items/{read}", json=patch, headers=await server.token("ada")
    )
    frames = server.frames()
    for one in (read, unread, unread):
        answer = await server.http.delete(f"/v1/alerts/{one}", headers=key)
        assert (answer.status_code, answer.json()["state"]) == (200, "withdrawn")
        assert answer.json()["withdrawn_at"]
    assert [item["id"] for item in await items(server)] == [read]
    assert [frame["removed"] for frame in frames] == [[unread]]


async def test_a_withdrawn_broadcast_leaves_every_inbox(server: Server) -> None:
    key = await server.key()
    await server.token("ada")
    told = await publish(server, key, {"to": {"all": True}, "title": "All"})
    frames = server.frames()
    await server.http.delete(f"/v1/alerts/{told}", headers=key)
    assert [(frame["kind"], frame["withdraw"]) for frame in frames] == [("broadcast", 1)]
    page = await server.http.get("/v1/inbox", headers=await server.token("ada"))
    assert page.json()["broadcasts"] == []


async def test_an_alert_withdrawn_before_it_was_processed_is_never_delivered(
    server: Server,
) -> None:
    key = await server.key()
    answer = await server.http.post("/v1/alerts", json=alert("Early"), headers=key)
    gone = await server.http.delete(answer.headers["location"], headers=key)
    assert gone.json()["state"] == "withdrawn"
    assert gone.json()["counts"] == {"recipients": 0, "seen": 0, "read": 0}
    await server.worker.step()
    assert await items(server) == []
    again = await server.http.get(answer.headers["location"], headers=key)
    assert again.json() == gone.json()


async def test_only_its_producer_and_the_keys_of_its_hub_withdraw_an_alert(server: Server) -> None:
    told = await publish(server, await server.key(), alert("Mine"))
    for header in (await server.key(), await server.key("server", "other")):
        answer = await server.http.delete(f"/v1/alerts/{told}", headers=header)
        assert (answer.status_code, answer.json()["code"]) == (404, "alert-not-found")
    client = await server.http.delete(f"/v1/alerts/{told}", headers=await server.token("ada"))
    assert (client.status_code, client.json()["code"]) == (403, "key-needed")
    assert len(await items(server)) == 1
    mine = await server.http.delete(f"/v1/alerts/{told}", headers=await server.key("server"))
    assert mine.status_code == 200
    assert await items(server) == []
