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


async def give_up(store: AnyStore) -> str:
    """Alert Ada, and give up the push to her device; returns its id."""
    await store.devices.put_device(device("ada", "phone", hub="default"), 20)
    await store.deliver([envelope("ada", hub="default")])
    [job] = await store.pushes.lease_pushes(FAR_US, FAR_US, 10)
    await store.pushes.end_push(job, Ending("rejected", "answered 400 [x]", 1), (), {})
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
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong-role")


def test_the_command_line_lists_and_retries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def given_up() -> str:
        store = await SqliteStore.open(tmp_path, SystemClock())
        push_id = await give_up(store)
        await store.close()
        return push_id

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["--data-dir", str(tmp_path), "dead", *words])
        assert done.exit_code == 0, done.output
        return done.stdout

    monkeypatch.delenv("TOCSIN_URL", raising=False)
    # Else every later test would log to a stream that the runner has closed, and this one to standard output.
    monkeypatch.setattr("tocsin.cli.calls.configure_logging", lambda _: None)
    monkeypatch.setattr("tocsin.adapters.sqlite.store.warn_if_old", lambda: None)
    push_id = asyncio.run(given_up())
    _, line = run("pushes").splitlines()
    assert line.split()[:4] == [push_id, "default", "ada", "phone"]
    assert "rejected: answered 400 [x]" in line
    run("retry-push", push_id)
    assert len(run("pushes").splitlines()) == 1
