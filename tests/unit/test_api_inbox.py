"""The inbox over HTTP: reading in both ways, and acting."""

from typing import Any

import pytest

from tests.unit.api_server import Server


async def _inbox(server: Server, headers: dict[str, str]) -> dict[str, Any]:
    answer = await server.http.get("/v1/inbox", headers=headers)
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def _text(position: dict[str, Any]) -> str:
    return f"{position['epoch']}:{position['rev']}:{position['brev']}"


async def test_changes_since_a_position_hold_what_came_after_it(server: Server) -> None:
    ada = await server.token("ada")
    await server.publish(title="One")
    before = await _inbox(server, ada)
    await server.publish(title="Two")
    await server.publish(title="All", to={"all": True})
    since = _text(before["position"])
    changes = (await server.http.get(f"/v1/inbox/changes?since={since}", headers=ada)).json()
    assert [item["alert"]["title"] for item in changes["items"]] == ["Two"]
    assert [item["alert"]["title"] for item in changes["broadcasts"]] == ["All"]
    assert changes["counts"] == {"unseen": 2, "unread": 2}


async def test_a_position_from_another_epoch_is_told_to_reload(server: Server) -> None:
    ada = await server.token("ada")
    answer = await server.http.get("/v1/inbox/changes?since=other:0:0", headers=ada)
    assert answer.json()["reload"] is True


async def test_reading_deleting_and_restoring_an_item(server: Server) -> None:
    ada = await server.token("ada")
    await server.publish()
    [item] = (await _inbox(server, ada))["items"]
    path, named = f"/v1/inbox/items/{item['id']}", f"?alert_id={item['alert_id']}"
    read = await server.http.patch(
        path, json={"alert_id": item["alert_id"], "read": True}, headers=ada
    )
    assert read.json()["change"]["counts"] == {"unseen": 0, "unread": 0}
    gone = await server.http.delete(path + named, headers=ada)
    assert gone.json()["change"]["removed"] == [item["id"]]
    assert (await server.http.get(path, headers=ada)).status_code == 404
    back = await server.http.post(f"{path}/restore{named}", headers=ada)
    assert back.json()["change"]["items"][0]["id"] == item["id"]
    assert (await server.http.get(path, headers=ada)).json()["read"] is True


async def test_a_repeat_under_the_same_key_does_nothing_more(server: Server) -> None:
    ada = {**await server.token("ada"), "idempotency-key": "op-1"}
    await server.publish()
    [item] = (await _inbox(server, ada))["items"]
    body = {"alert_id": item["alert_id"], "read": True}
    first = await server.http.patch(f"/v1/inbox/items/{item['id']}", json=body, headers=ada)
    again = await server.http.patch(f"/v1/inbox/items/{item['id']}", json=body, headers=ada)
    assert first.content == again.content


async def test_an_item_that_says_something_else_is_refused(server: Server) -> None:
    ada = await server.token("ada")
    await server.publish()
    [item] = (await _inbox(server, ada))["items"]
    changed = await server.http.patch(
        f"/v1/inbox/items/{item['id']}", json={"alert_id": "other", "read": True}, headers=ada
    )
    missing = await server.http.delete("/v1/inbox/items/none?alert_id=x", headers=ada)
    assert (changed.status_code, changed.json()["code"]) == (409, "item-changed")
    assert (missing.status_code, missing.json()["code"]) == (404, "item-not-found")


async def test_marking_everything_up_to_here(server: Server) -> None:
    ada = await server.token("ada")
    await server.publish()
    page = await _inbox(server, ada)
    up_to = {
        "epoch": page["position"]["epoch"],
        "sort": page["items"][0]["sort"],
        "brev": page["position"]["brev"],
    }
    await server.publish(title="Later")
    marked = await server.http.post(
        "/v1/inbox/mark", json={"action": "read", "up_to": up_to}, headers=ada
    )
    assert marked.json()["change"]["counts"] == {"unseen": 1, "unread": 1}


@pytest.mark.parametrize("place", [{"sort": -(10**30)}, {"brev": -1}])
async def test_a_mark_below_everything_is_refused(server: Server, place: dict[str, int]) -> None:
    ada = await server.token("ada")
    epoch = (await _inbox(server, ada))["position"]["epoch"]
    body = {"action": "read", "up_to": {"epoch": epoch, "sort": 1, "brev": 1, **place}}
    answer = await server.http.post("/v1/inbox/mark", json=body, headers=ada)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-field")


@pytest.mark.parametrize("until", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"])
async def test_a_snooze_to_a_time_that_cannot_be_written_is_refused_and_harms_nothing(
    server: Server, until: str
) -> None:
    ada = await server.token("ada")
    await server.publish()
    [item] = (await _inbox(server, ada))["items"]
    answer = await server.http.patch(
        f"/v1/inbox/items/{item['id']}",
        json={"alert_id": item["alert_id"], "snoozed_until": until},
        headers=ada,
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-time")
    assert (await _inbox(server, ada))["items"] == [item]


@pytest.mark.parametrize("query", ["status=new", "severity=bad", "severity="])
async def test_a_view_that_does_not_exist_is_refused(server: Server, query: str) -> None:
    ada = await server.token("ada")
    answer = await server.http.get(f"/v1/inbox/items?{query}", headers=ada)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-query")


async def test_merged_items_page_through_own_and_broadcasts(server: Server) -> None:
    ada = await server.token("ada")
    await server.http.get("/v1/inbox", headers=ada)
    for number in range(5):
        server.clock.advance(1)
        to: dict[str, Any] = {"all": True} if number % 2 else {"users": ["ada"]}
        await server.publish(title=str(number), to=to)
    titles: list[str] = []
    page: dict[str, Any] = {}
    cursor = ""
    for _ in range(3):
        answer = await server.http.get(f"/v1/inbox/items?limit=2{cursor}", headers=ada)
        page = answer.json()
        titles += [item["alert"]["title"] for item in page["items"]]
        cursor = f"&cursor={page['page']['next']}"
    assert titles == ["4", "3", "2", "1", "0"]
    assert page["page"]["next"] is None
    assert page["totals"] == {"unseen": 5, "unread": 5}


async def test_many_patches_are_one_change(server: Server) -> None:
    ada = await server.token("ada")
    await server.publish()
    await server.publish()
    items = (await _inbox(server, ada))["items"]
    patches = [{"id": i["id"], "alert_id": i["alert_id"], "deleted": True} for i in items]
    answer = await server.http.patch("/v1/inbox/items", json={"patches": patches}, headers=ada)
    assert sorted(answer.json()["change"]["removed"]) == sorted(i["id"] for i in items)


@pytest.mark.parametrize(
    "query",
    [
        "?limit=0",
        "?limit=201",
        "?limit=x",
        "?before=1e3",
        "?position=a",
        "?limit=99999999999999999999",
    ],
)
async def test_bad_queries_are_refused(server: Server, query: str) -> None:
    answer = await server.http.get(f"/v1/inbox{query}", headers=await server.token("ada"))
    assert answer.status_code == 400


async def test_ids_may_hold_any_character_percent_encoded(server: Server) -> None:
    ada = await server.token("ada")
    answer = await server.http.get("/v1/inbox/items/a%2Fb%20%C3%A9", headers=ada)
    assert "a/b é" in answer.json()["detail"]
    assert (await server.http.get("/v1/inbox/items/%ff", headers=ada)).status_code == 400
