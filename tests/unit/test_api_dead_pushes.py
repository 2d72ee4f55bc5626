"""Dead pushes over HTTP and on the command line: look, and try again."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.ports.devices import device
from tests.ports.world import AnyStore, envelope
from tests.unit.api_server import Server
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.cli.app import app
from tocsin.clock import SystemClock
from tocsin.model.push import Ending

FAR_US = 2**52


async def give_up(
    store: AnyStore, *, hub: str = "default", user: str = "ada", reason: str = "answered 400 [x]"
) -> str:
    """Alert a user, and give up the push to the one device; returns its id."""
    await store.devices.put_device(device(user, "phone", hub=hub), 20)
    await store.deliver([envelope(user, hub=hub)])
    [job] = await store.pushes.lease_pushes(FAR_US, FAR_US, 10)
    await store.pushes.end_push(job, Ending("rejected", reason, 1), (), {})
    return job.delivery_id


async def test_dead_pushes_are_listed_page_by_page(server: Server) -> None:
    admin = await server.key("admin")
    ids = [await give_up(server.store) for _ in range(3)]
    first = (await server.http.get("/v1/admin/dead-pushes?limit=2", headers=admin)).json()
    cursor = {"cursor": first["page"]["next"]}
    rest = (await server.http.get("/v1/admin/dead-pushes", params=cursor, headers=admin)).json()
    assert [row["id"] for row in first["dead"] + rest["dead"]] == sorted(ids, reverse=True)
    row = first["dead"][0]
    assert (row["hub"], row["user"], row["installation_id"]) == ("default", "ada", "phone")
    assert (row["end"], row["reason"], row["attempts"]) == ("rejected", "answered 400 [x]", 1)
    assert rest["page"] == {"next": None}


async def test_a_retry_leaves_a_deed_and_happens_once(server: Server) -> None:
    admin, push_id = await server.key("admin"), await give_up(server.store)
    path = f"/v1/admin/dead-pushes/{push_id}/retry"
    answer = await server.http.post(path, headers=admin)
    assert (answer.status_code, answer.json()) == (202, {"id": push_id, "status": "waiting"})
    again = await server.http.post(path, headers=admin)
    assert (again.status_code, again.json()["code"]) == (404, "dead-push-not-found")
    deeds = (await server.http.get("/v1/admin/audit?action=push.retry", headers=admin)).json()
    done = [(one["hub"], one["target"]) for one in deeds["deeds"] if one["outcome"] == "done"]
    assert done == [("default", push_id)]


async def test_a_list_and_a_retry_of_many_take_the_same_filter(server: Server) -> None:
    admin, store = await server.key("admin"), server.store
    mine = await give_up(store, reason="answered 403 PERMISSION_DENIED")
    other = await give_up(store)
    south = await give_up(store, hub="south", reason="answered 403 Permission_Denied")
    for query, ids in (
        ("", {mine, other, south}),
        ("?reason=permission_denied", {mine, south}),
        ("?reason=permission_denied&hub=south", {south}),
        ("?hub=nowhere", set()),
    ):
        answer = await server.http.get(f"/v1/admin/dead-pushes{query}", headers=admin)
        assert {row["id"] for row in answer.json()["dead"]} == ids
    path = "/v1/admin/dead-pushes/retry?reason=PERMISSION_DENIED"
    answer = await server.http.post(path, headers=admin)
    assert (answer.status_code, answer.json()) == (
        202,
        {"retried": 2, "gone": 0, "page": {"next": None}},
    )
    left = (await server.http.get("/v1/admin/dead-pushes", headers=admin)).json()
    assert [row["id"] for row in left["dead"]] == [other]
    for hub, push_id in (("default", mine), ("south", south)):
        path = f"/v1/admin/audit?action=push.retry&hub={hub}"
        deeds = (await server.http.get(path, headers=admin)).json()["deeds"]
        assert [(one["hub"], one["target"]) for one in deeds] == [(hub, push_id)]


async def test_a_retry_of_many_goes_page_by_page_and_leaves_what_has_no_device(
    server: Server,
) -> None:
    admin, store = await server.key("admin"), server.store
    gone = await give_up(store, user="bob")
    for _ in range(3):
        await give_up(store)
    await store.devices.remove_device("default", "bob", "phone")
    path = "/v1/admin/dead-pushes/retry?limit=2"
    first = (await server.http.post(path, headers=admin)).json()
    path += f"&cursor={first['page']['next']}"
    second = (await server.http.post(path, headers=admin)).json()
    assert [one["retried"] + one["gone"] for one in (first, second)] == [2, 2]
    assert first["gone"] + second["gone"] == 1
    assert second["page"] == {"next": None}
    left = (await server.http.get("/v1/admin/dead-pushes", headers=admin)).json()
    assert [row["id"] for row in left["dead"]] == [gone]


async def test_a_device_that_is_gone_is_told_and_others_are_let_see_nothing(
    server: Server,
) -> None:
    push_id = await give_up(server.store)
    await server.store.devices.remove_device("default", "ada", "phone")
    path = f"/v1/admin/dead-pushes/{push_id}/retry"
    refused = await server.http.post(path, headers=await server.key("admin"))
    assert (refused.status_code, refused.json()["code"]) == (409, "push-device-gone")
    key = await server.key("server")
    for answer in (
        await server.http.post(path, headers=key),
        await server.http.get("/v1/admin/dead-pushes", headers=key),
        await server.http.post("/v1/admin/dead-pushes/retry", headers=key),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong-role")


def test_the_command_line_lists_and_retries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def given_up() -> list[str]:
        store = await SqliteStore.open(tmp_path, SystemClock())
        ids = [await give_up(store), await give_up(store, reason="too large")]
        await store.close()
        return ids

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["--data-dir", str(tmp_path), "dead", *words])
        assert done.exit_code == 0, done.output
        return done.stdout

    monkeypatch.delenv("TOCSIN_URL", raising=False)
    # Else every later test would log to a stream that the runner has closed, and this one to standard output.
    monkeypatch.setattr("tocsin.cli.calls.configure_logging", lambda _: None)
    monkeypatch.setattr("tocsin.adapters.sqlite.store.warn_if_old", lambda: None)
    push_id, other = asyncio.run(given_up())
    assert other in run("pushes", "--reason", "TOO LARGE").splitlines()[1]
    run("retry-pushes", "--reason", "too large", "--hub", "nowhere")
    run("retry-pushes", "--reason", "too large", "--hub", "default")
    _, line = run("pushes").splitlines()
    assert line.split()[:4] == [push_id, "default", "ada", "phone"]
    assert "rejected: answered 400 [x]" in line
    run("retry-push", push_id)
    assert len(run("pushes").splitlines()) == 1
