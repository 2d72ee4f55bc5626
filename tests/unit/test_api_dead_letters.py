"""Dead letters over HTTP and on the command line: look, retry, drop."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.ports.world import AnyStore, envelope
from tests.unit.api_server import Server
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.cli.app import app
from tocsin.clock import SystemClock
from tocsin.model.alert import Envelope


async def bury(store: AnyStore) -> Envelope:
    """Accept an alert for Ada and give it up."""
    told = envelope("ada", hub="default", accepted_us=1)
    await store.queue.publish([told])
    [leased] = await store.queue.lease(limit=1, lease_s=30)
    await store.queue.bury(leased.receipt, reason="KeyError: [x]")
    return told


async def test_a_dead_letter_is_listed_and_shown_with_its_payload(server: Server) -> None:
    admin, told = await server.key("admin"), await bury(server.store)
    listed = (await server.http.get("/v1/admin/dead", headers=admin)).json()
    [row] = listed["dead"]
    assert (row["id"], row["hub"], row["reason"]) == (told.id, "default", "KeyError: [x]")
    assert (row["attempts"], listed["page"]) == (1, {"next": None})
    shown = (await server.http.get(f"/v1/admin/dead/{told.id}", headers=admin)).json()
    content = json.loads(bytes(told.content))
    assert shown == {**row, "to": {"users": ["ada"]}, "alert": content}


async def test_dead_letters_are_listed_page_by_page(server: Server) -> None:
    admin = await server.key("admin")
    ids = [(await bury(server.store)).id for _ in range(3)]
    first = (await server.http.get("/v1/admin/dead?limit=2", headers=admin)).json()
    cursor = {"cursor": first["page"]["next"]}
    rest = (await server.http.get("/v1/admin/dead", params=cursor, headers=admin)).json()
    assert [row["id"] for row in first["dead"] + rest["dead"]] == ids[::-1]
    assert rest["page"] == {"next": None}


async def test_a_retried_alert_reaches_its_inbox(server: Server) -> None:
    admin, told = await server.key("admin"), await bury(server.store)
    answer = await server.http.post(f"/v1/admin/dead/{told.id}/retry", headers=admin)
    assert (answer.status_code, answer.json()) == (202, {"id": told.id, "status": "accepted"})
    await server.worker.step()
    page = await server.http.get("/v1/inbox", headers=await server.token("ada"))
    assert [item["id"] for item in page.json()["items"]] == [told.id]


async def test_a_dropped_alert_is_not_known_any_more(server: Server) -> None:
    admin, told = await server.key("admin"), await bury(server.store)
    answer = await server.http.delete(f"/v1/admin/dead/{told.id}", headers=admin)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await server.http.get(f"/v1/alerts/{told.id}", headers=admin)).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/{id}"), ("POST", "/{id}/retry"), ("DELETE", "/{id}")],
)
async def test_only_administrators_reach_dead_letters_and_unknown_ones_say_so(
    server: Server, method: str, path: str
) -> None:
    told = await bury(server.store)
    address = f"/v1/admin/dead{path}"
    refused = await server.http.request(
        method, address.format(id=told.id), headers=await server.key("server")
    )
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong-role")
    unknown = await server.http.request(
        method, address.format(id="other"), headers=await server.key("admin")
    )
    assert (unknown.status_code, unknown.json()["code"]) == (404, "dead-letter-not-found")
    listed = await server.http.get("/v1/admin/dead", headers=await server.key("server"))
    assert listed.status_code == 403
    assert await server.store.queue.dead_letter(told.id) is not None


def test_the_command_line_lists_shows_retries_and_drops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def two_buried() -> tuple[str, str]:
        store = await SqliteStore.open(tmp_path, SystemClock())
        ids = (await bury(store)).id, (await bury(store)).id
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
    one, two = asyncio.run(two_buried())
    lines = run("list").splitlines()
    assert [line.split()[0] for line in lines] == ["id", two, one]
    assert "KeyError: [x]" in lines[1]
    assert json.loads(run("show", one))["to"] == {"users": ["ada"]}
    run("retry", one)
    run("drop", two)
    assert len(run("list").splitlines()) == 1
