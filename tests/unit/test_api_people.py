"""Export, erasure and the audit log over HTTP."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.ports.world import envelope
from tests.unit.api_server import Server
from tests.wire.served_node import serving
from tocsin.cli.app import app
from tocsin.config import Settings
from tocsin.model.receipt import Told
from tocsin.node.life import Node
from tocsin.ports.erasure import ErasureRequest


async def exported(server: Server, user: str, hub: str = "default") -> list[dict[str, Any]]:
    key = await server.key("server", hub)
    answer = await server.http.get(f"/v1/users/{user}/export", headers=key)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_an_export_has_a_first_and_a_last_line_and_readable_times(server: Server) -> None:
    await server.publish(title="Yours")
    first, *rows, last = await exported(server, "ada")
    assert (first["kind"], first["user"], first["hub"]) == ("export", "ada", "default")
    assert last == {"kind": "end", "rows": len(rows)}
    [item] = [row for row in rows if row["kind"] == "item"]
    assert item["alert"]["title"] == "Yours"
    assert first["at"].endswith("Z")
    assert [row["kind"] for row in await exported(server, "ada", "other")] == ["export", "end"]


async def test_receipts_stand_beside_the_alert_they_are_about(server: Server) -> None:
    alert_id = (await server.publish()).json()["id"]
    now_us = server.clock.now_us()
    await server.store.receipts.note([Told("default", alert_id, "ada", "shown", now_us, "d")])
    [item] = [row for row in await exported(server, "ada") if row["kind"] == "item"]
    [said] = item["receipts"]
    assert (said["fact"], said["device"]) == ("shown", "d")
    assert said["at"].endswith("Z")


async def test_a_long_export_is_read_page_by_page(server: Server) -> None:
    for number in range(230):
        await server.publish(title=f"{number}")
    rows = await exported(server, "ada")
    assert [row["kind"] for row in rows].count("item") == 230


async def test_an_erased_person_is_refused_forgotten_and_may_come_back_as_another(
    server: Server,
) -> None:
    token, key = await server.token("ada"), await server.key("server")
    published = (await server.publish(title="Only yours")).json()["id"]
    before = (await server.http.get("/v1/inbox", headers=token)).json()["position"]
    answer = await server.http.delete("/v1/users/ada", headers=key)
    record = answer.json()
    assert (answer.status_code, record["counts"]["item"]) == (200, 1)
    assert '"ada"' not in answer.text  # in quotes: pseudonyms are hex, which could spell it
    assert record["finished_at"]
    assert (await server.http.get("/v1/inbox", headers=token)).json()["code"] == "token-revoked"
    assert (await server.http.get(f"/v1/alerts/{published}", headers=key)).status_code == 404
    assert [row["kind"] for row in await exported(server, "ada")] == ["export", "end"]
    server.clock.advance(1)
    await server.publish(title="For the next Ada")
    since = "{epoch}:{rev}:{brev}".format(**before)
    headers = await server.token("ada")
    changes = await server.http.get(f"/v1/inbox/changes?since={since}", headers=headers)
    assert changes.json()["reload"]
    listed = (await server.http.get("/v1/inbox", headers=headers)).json()["items"]
    assert [item["alert"]["title"] for item in listed] == ["For the next Ada"]


async def test_records_are_listed_for_administrators(server: Server) -> None:
    for user in ("ada", "ben", "cleo"):
        await server.http.delete(f"/v1/users/{user}", headers=await server.key("server"))
        server.clock.advance(1)
    admin = await server.key("admin")
    first = (await server.http.get("/v1/admin/erasures?limit=2", headers=admin)).json()
    cursor = {"cursor": first["page"]["next"]}
    rest = (await server.http.get("/v1/admin/erasures", params=cursor, headers=admin)).json()
    assert len(first["erasures"]) == 2
    assert len({record["pseudonym"] for record in first["erasures"] + rest["erasures"]}) == 3
    refused = await server.http.get("/v1/admin/erasures", headers=await server.key("server"))
    assert refused.status_code == 403


async def deeds(server: Server, query: str = "") -> list[dict[str, str]]:
    admin = await server.key("admin")
    answer = await server.http.get(f"/v1/admin/audit{query}", headers=admin)
    return answer.json()["deeds"]  # type: ignore[no-any-return]


async def test_actions_leave_a_deed_with_actor_target_and_outcome(server: Server) -> None:
    admin = await server.key("admin")
    body = {"role": "producer", "name": "billing"}
    made = (await server.http.post("/v1/admin/keys", json=body, headers=admin)).json()
    await server.http.delete(f"/v1/admin/keys/{made['id']}", headers=admin)
    await server.http.delete("/v1/admin/keys/nothing", headers=admin)
    await server.http.get("/v1/admin/connection-string", headers=admin)
    await server.http.post("/v1/admin/keys", json=body, headers=await server.key("server"))
    noted = [(deed["action"], deed["target"], deed["outcome"]) for deed in await deeds(server)]
    assert noted == [
        ("key.create", "", "wrong-role"),
        ("connection-string.show", "", "done"),
        ("key.revoke", "nothing", "key-not-found"),
        ("key.revoke", made["id"], "done"),
        ("key.create", made["id"], "done"),
    ]
    assert {deed["actor_name"] for deed in await deeds(server)} == {"admin-name", "server-name"}
    assert made["key"] not in json.dumps(await deeds(server))


async def test_a_deed_stands_in_the_log_of_the_hub_where_it_was_done(server: Server) -> None:
    admin = await server.key("admin")
    body = {"role": "producer", "hub": "other"}
    made = (await server.http.post("/v1/admin/keys", json=body, headers=admin)).json()
    await server.http.delete(f"/v1/admin/keys/{made['id']}", headers=admin)
    letter = envelope("ada", hub="other")
    await server.store.queue.publish([letter])
    [leased] = await server.store.queue.lease(limit=1, lease_s=30)
    await server.store.queue.bury(leased.receipt, reason="poison")
    await server.http.delete(f"/v1/admin/dead/{letter.id}", headers=admin)
    assert await deeds(server) == []
    noted = [deed["action"] for deed in await deeds(server, "?hub=other")]
    assert noted == ["dead.drop", "key.revoke", "key.create"]


async def test_without_a_good_key_there_is_no_deed(server: Server) -> None:
    for headers in ({}, {"authorization": "Bearer tsk_admin_x_y"}, await server.token("ada")):
        assert (await server.http.get("/v1/users/ada/export", headers=headers)).is_error
    assert await deeds(server) == []


async def test_the_log_finds_a_person_without_naming_one(server: Server) -> None:
    key = await server.key("server")
    await server.http.get("/v1/users/grace/export", headers=key)
    await server.http.delete("/v1/users/grace", headers=key)
    await server.http.get("/v1/users/ben/export", headers=key)
    found = await deeds(server, "?user=grace")
    assert [deed["action"] for deed in found] == [
        "user.erase",
        "user.revoke-tokens",
        "user.export",
    ]
    assert "grace" not in json.dumps(found)  # pseudonyms are hex, which could spell "ada"
    page = await deeds(server, "?limit=1&action=user.export")
    assert len(page) == 1


async def test_an_erasure_that_a_crash_cut_is_finished_after_the_next_start(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await served.publish("One")
        await served.titles(1)
        request = ErasureRequest("e1", "default", "ada", "p", "key")
        await served.node.store.erasures.begin_erasure(request)
    async with Node.opened(Settings(data_dir=tmp_path)) as node:
        records = node.store.erasures
        while (await records.erasures(None, limit=1))[0].finished_us is None:
            pass
        [record] = await records.erasures(None, limit=1)
        assert (record.counts["item"], record.counts["alerts"]) == (1, 1)


def test_the_command_line_exports_erases_revokes_and_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*words: str, code: int = 0, typed: str | None = None) -> str:
        done = CliRunner().invoke(app, ["--data-dir", str(tmp_path), *words], input=typed)
        assert done.exit_code == code, done.output
        return done.stdout

    monkeypatch.delenv("TOCSIN_URL", raising=False)
    monkeypatch.setattr("tocsin.cli.calls.configure_logging", lambda _: None)
    monkeypatch.setattr("tocsin.adapters.sqlite.store.warn_if_old", lambda: None)
    run("client-token", "ada")
    assert [json.loads(line)["kind"] for line in run("user", "export", "ada").splitlines()] == [
        "export",
        "inbox",
        "end",
    ]
    run("user", "erase", "ada", code=1, typed="n\n")
    assert len(run("user", "export", "ada").splitlines()) == 3
    run("user", "revoke", "ada", "--yes")
    run("user", "erase", "ada", "--yes")
    assert len(run("user", "export", "ada").splitlines()) == 2
    assert len(run("audit", "--hub", "other").splitlines()) == 1
    run("key", "create", "--role", "producer", "--name", "mine")
    assert "mine" in run("key", "list")
    assert len(run("key", "list", "--hub", "other").splitlines()) == 1
    lines = run("audit", "--hub", "default", "--user", "ada").splitlines()
    actions = [line.split()[4] for line in lines[1:]]
    assert actions == [
        "user.export",
        "user.erase",
        "user.revoke-tokens",
        "user.revoke-tokens",
        "user.export",
        "user.export",
    ]
