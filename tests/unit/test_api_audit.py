"""Every route is on one side of the line: it leaves a deed, or it is named here as one that does not."""

from typing import Any

from tests.unit.api_server import Server
from tests.unit.test_api_dead_letters import bury
from tests.unit.test_api_people import deeds
from tests.unit.test_api_webhooks import given_up

# What a person does, or a backend in a person's place; what producers say; what lasts no longer than a connection.
TRAFFIC = (
    "/v1/alerts",
    "/v1/alerts/batch",
    "/v1/events",
    "/v1/client-tokens",
    "/v1/devices/",
    "/v1/inbox/",
    "/v1/preferences",
    "/shims/",
    "/api/hubs/",
)
NOTES = {("POST", "/v1/admin/backups")}  # is the note itself, and only by the Unix socket
SHOWS_SECRETS = {("GET", "/v1/users/{user}/export"), ("GET", "/v1/admin/connection-string")}


async def test_whatever_changes_rights_or_data_of_others_goes_through_the_log(
    server: Server,
) -> None:
    for method, path in server.app.routes():
        changes = method not in ("GET", "HEAD") and not any(
            path == one or (one.endswith("/") and path.startswith(one)) for one in TRAFFIC
        )
        url = path.replace("{", "").replace("}", "")
        before = len(await deeds(server))
        await server.http.request(method, url, headers=await server.key("producer"))
        expected = (changes or (method, path) in SHOWS_SECRETS) and (method, path) not in NOTES
        assert len(await deeds(server)) == before + expected, f"{method} {path}: api/routes.py"


async def ask(server: Server, method: str, path: str, body: Any = None) -> Any:
    """Do something as an administrator, and return what was answered."""
    headers = await server.key("admin")
    answer = await server.http.request(method, path, json=body, headers=headers)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


async def newest(server: Server) -> tuple[str, str, dict[str, Any]]:
    deed: dict[str, Any] = (await deeds(server, "?limit=1"))[0]
    assert (deed["actor_name"], deed["outcome"], deed["hub"]) == ("admin-name", "done", "default")
    return deed["action"], deed["target"], deed["detail"]


async def test_subscriptions_by_a_backend_are_deeds_and_a_repeat_is_none(server: Server) -> None:
    many = "/v1/topics/ops/subscribers"
    await ask(server, "POST", many, ["ada", "ben"])
    assert await newest(server) == ("topic.subscribe", "ops", {"count": 2})
    await ask(server, "POST", many, ["ada", "ben"])
    assert len(await deeds(server)) == 1
    await ask(server, "PUT", f"{many}/cid")
    action, target, detail = await newest(server)
    assert (action, detail) == ("topic.subscribe", {"topic": "ops", "count": 1})
    assert "cid" not in target
    [found] = await deeds(server, "?user=cid")
    assert found["target"] == target
    await ask(server, "DELETE", f"{many}/cid")
    assert await newest(server) == ("topic.unsubscribe", target, detail)


async def test_what_people_and_producers_do_is_no_deed(server: Server) -> None:
    told = (await server.publish()).json()["id"]
    own = await server.token("ada")
    await server.http.put("/v1/inbox/topics/news", headers=own)
    item = (await server.http.get("/v1/inbox/items", headers=own)).json()["items"][0]["id"]
    await server.http.delete(f"/v1/inbox/items/{item}?alert_id={told}", headers=own)
    assert await deeds(server) == []


async def test_a_withdrawal_is_one_deed_however_often_it_is_asked_for(server: Server) -> None:
    told = (await server.publish()).json()["id"]
    for _ in range(2):
        await ask(server, "DELETE", f"/v1/alerts/{told}")
    assert await newest(server) == ("alert.withdraw", told, {})
    assert len(await deeds(server)) == 1


async def test_dead_letters_and_dead_batches_leave_deeds(server: Server) -> None:
    retried, dropped = await bury(server.store), await bury(server.store)
    await ask(server, "POST", f"/v1/admin/dead/{retried.id}/retry")
    assert await newest(server) == ("dead.retry", retried.id, {})
    await ask(server, "DELETE", f"/v1/admin/dead/{dropped.id}")
    assert await newest(server) == ("dead.drop", dropped.id, {})
    webhook, batch = await given_up(server)
    named = {"batch": batch.rpartition("/")[2]}
    await ask(server, "POST", f"{batch}/retry")
    assert await newest(server) == ("webhook.retry", webhook.rpartition("/")[2], named)


async def test_only_the_owner_of_the_data_folder_notes_backups(server: Server) -> None:
    note = {"archive": "x", "outcome": "done", "with_key": True}
    admin = await server.key("admin")
    answer = await server.http.post("/v1/admin/backups", json=note, headers=admin)
    assert (answer.status_code, answer.json()["code"]) == (403, "local-only")
    assert await deeds(server) == []
