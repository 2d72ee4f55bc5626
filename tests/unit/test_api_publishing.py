"""Publishing: what is accepted, what is told apart as a repeat, and what is refused, with its place."""

import json
from typing import Any

import pytest

from tests.unit.api_server import Server, running
from tocsin.adapters.memory.store import MemoryStore
from tocsin.config import Limits
from tocsin.ports.store import AlertStatus

ALERT = {"to": {"users": ["ada"]}, "title": "Backup failed"}


async def test_an_accepted_alert_is_answered_with_its_id_and_place(server: Server) -> None:
    answer = await server.http.post("/v1/alerts", json=ALERT, headers=await server.key())
    assert answer.status_code == 202
    assert answer.json()["status"] == "accepted"
    assert answer.headers["location"] == f"/v1/alerts/{answer.json()['id']}"


async def test_an_alert_can_be_looked_up_before_it_is_processed_and_after(server: Server) -> None:
    key = await server.key()
    answer = await server.http.post("/v1/alerts", json=ALERT, headers=key)
    path = answer.headers["location"]
    assert (await server.http.get(path, headers=key)).json()["state"] == "accepted"
    await server.worker.step()
    status = (await server.http.get(path, headers=key)).json()
    assert status["state"] == "processed"
    assert status["counts"] == {"recipients": 1, "seen": 0, "read": 0}


@pytest.mark.parametrize("by", ["id", "idempotency-key"])
async def test_a_repeat_is_told_from_a_conflict(server: Server, by: str) -> None:
    headers = await server.key()
    body: dict[str, Any] = dict(ALERT)
    if by == "id":
        body["id"] = "backup-7"
    else:
        headers["idempotency-key"] = "backup-7"
    first = await server.http.post("/v1/alerts", json=body, headers=headers)
    server.clock.advance(60)
    repeat = await server.http.post("/v1/alerts", json=body, headers=headers)
    other = await server.http.post("/v1/alerts", json={**body, "title": "Else"}, headers=headers)
    assert repeat.json() == {"id": first.json()["id"], "status": "duplicate"}
    assert (other.status_code, other.json()["code"]) == (409, "id-conflict")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b' { "n" : [ 1, 2 ],\n"caf\xc3\xa9": null } ', 202),
        (b'{"n":[1,2],"caf\\u00e9":null}', 409),
        (b'{"n":[1,2],"caf\xc3\xa9":" "}', 409),
        (b'{"caf\xc3\xa9":null,"n":[1,2]}', 409),
    ],
    ids=["blanks", "an escape", "another text", "another order"],
)
async def test_a_repeat_may_have_its_blanks_elsewhere_and_nothing_else(
    server: Server, data: bytes, status: int
) -> None:
    key = await server.key()
    first, again = [
        await server.http.post(
            "/v1/alerts",
            content=b'{"id":"1","to":{"all":true},"title":"t","data":' + written + b"}",
            headers=key,
        )
        for written in (b'{"n":[1,2],"caf\xc3\xa9":null}', data)
    ]
    assert (first.status_code, again.status_code) == (202, status)


async def test_two_producers_may_use_the_same_id(server: Server) -> None:
    body = {**ALERT, "id": "1", "source": "s"}
    answers = [
        await server.http.post("/v1/alerts", json=body, headers=await server.key())
        for _ in range(2)
    ]
    assert [answer.json()["status"] for answer in answers] == ["accepted", "accepted"]


async def test_without_an_id_equal_alerts_are_two(server: Server) -> None:
    key = await server.key()
    ids = {
        (await server.http.post("/v1/alerts", json=ALERT, headers=key)).json()["id"]
        for _ in range(2)
    }
    assert len(ids) == 2


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        (b"{", 400, "invalid-json", None),
        (b'{"title":"\xff"}', 400, "invalid-json", None),
        (b"[]", 400, "invalid-field", ""),
        (b'{"to":{"users":["ada"]}}', 400, "invalid-field", ""),
        (b'{"to":{"users":["ada"]},"title":""}', 400, "invalid-field", "/title"),
        (b'{"to":{"users":["ada"]},"title":5}', 400, "invalid-field", "/title"),
        (b'{"to":{"users":["ada",7]},"title":"t"}', 400, "invalid-field", "/to/users/1"),
        (b'{"to":{"users":[]},"title":"t"}', 400, "invalid-audience", "/to"),
        (b'{"to":{"users":["a"],"all":true},"title":"t"}', 400, "invalid-audience", "/to"),
        (b'{"to":{"users":["a\\u0000"]},"title":"t"}', 400, "invalid-id", "/to/users/0"),
        (b'{"to":{"all":true},"title":"t","titel":"t"}', 400, "invalid-field", ""),
        (b'{"to":{"all":true},"title":"t","severity":"bad"}', 400, "invalid-field", "/severity"),
        (
            b'{"to":{"all":true},"title":"t","expires_at":"2001-01-01T00:00:00Z"}',
            400,
            "invalid-time",
            "/expires_at",
        ),
        (
            b'{"to":{"all":true},"title":"t","expires_at":"2027-02-01T00:00:00"}',
            400,
            "invalid-time",
            "/expires_at",
        ),
        (
            b'{"to":{"all":true},"title":"t","expires_at":"9999-12-31T23:59:59-23:59"}',
            400,
            "invalid-time",
            "/expires_at",
        ),
        (b'{"to":{"all":true},"title":"t","data":{"a":[0,1e999]}}', 400, "invalid-field", "/data/.../1"),
        (b'{"to":{"all":true},"title":"t","data":[' + b"9" * 5000 + b"]}", 400, "invalid-field", "/data/0"),
        (b'{"to":{"all":true},"title":"t","data":' + b"[" * 40 + b"]" * 40 + b"}", 413, "too-deep", "/data"),
        (b'{"to":{"all":true},"title":"t","data":' + b"[" * 9000 + b"]" * 9000 + b"}", 413, "too-deep", "/data"),
        (b'{"to":{"all":true},"title":"t","actions":[{"id":"","label":"A"}]}', 400, "invalid-id", "/actions/0/id"),
        (b'{"to":{"all":true},"title":"t","actions":[{"id":"a","label":"A"},{"id":"a","label":"B"}]}', 400, "invalid-id", "/actions/1/id"),
        (b'{"to":{"all":true},"title":"t","actions":[{"id":"a","label":""}]}', 400, "invalid-field", "/actions/0/label"),
        (b'{"to":{"all":true},"title":"t","actions":[{"id":"a","label":"' + b"x" * 129 + b'"}]}', 400, "invalid-field", "/actions/0/label"),
        (b'{"to":{"all":true},"title":"t","actions":[{"id":"a","label":"A","url":"' + b"x" * 2049 + b'"}]}', 400, "invalid-field", "/actions/0/url"),
        (b'{"to":{"all":true},"title":"t","body":"' + b"x" * 70_000 + b'"}', 413, "body-too-large", None),
    ],
)  # fmt: skip
async def test_bad_input_is_refused_with_its_place(
    server: Server, body: bytes, status: int, code: str, pointer: str | None
) -> None:
    answer = await server.http.post("/v1/alerts", content=body, headers=await server.key())
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem.get("pointer")) == (status, code, pointer)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["detail"]
    assert (await server.store.queue.depth()).waiting == 0


async def test_an_audience_over_the_limit_is_refused() -> None:
    async with running(Limits(audience_users=2)) as server:
        body = {"to": {"users": ["a", "b", "c"]}, "title": "t"}
        answer = await server.http.post("/v1/alerts", json=body, headers=await server.key())
        assert (answer.status_code, answer.json()["code"]) == (413, "audience-too-large")
        assert "limits.audience_users" in answer.json()["detail"]


@pytest.mark.parametrize("form", ["json", "ndjson"])
async def test_a_batch_takes_the_good_and_refuses_the_bad_in_order(
    server: Server, form: str
) -> None:
    headers = await server.key()
    alerts: list[object] = [{**ALERT, "id": "1"}, {"title": "no audience"}, {**ALERT, "id": "1"}]
    if form == "json":
        content, prefix = json.dumps({"alerts": alerts}), "/alerts/1"
    else:
        content, prefix = "\n".join(map(json.dumps, alerts)) + "\n", "/1"
        headers["content-type"] = "application/x-ndjson"
    answer = await server.http.post("/v1/alerts/batch", content=content, headers=headers)
    first, second, third = answer.json()["results"]
    assert answer.status_code == 202
    assert first["status"] == "accepted"
    assert second["status"] == "refused"
    assert second["error"]["pointer"].startswith(prefix)
    assert third == {"id": first["id"], "status": "duplicate"}


async def test_what_is_accepted_of_a_batch_keeps_its_order_and_single_alerts_have_none(
    server: Server,
) -> None:
    headers = await server.key()
    for _ in range(2):
        alerts = [ALERT, {"title": "no audience"}, ALERT]
        await server.http.post("/v1/alerts/batch", json={"alerts": alerts}, headers=headers)
    await server.http.post("/v1/alerts", json=ALERT, headers=headers)
    rows = await server.store.queue.lease(limit=9, lease_s=30)
    first, second, third, fourth, single = (row.envelope.batch for row in rows)
    assert single is None
    assert None is not first == second != third == fourth


async def test_a_batch_under_an_idempotency_key_can_be_repeated(server: Server) -> None:
    headers = {**await server.key(), "idempotency-key": "nightly"}
    body = {"alerts": [ALERT, ALERT]}
    first = await server.http.post("/v1/alerts/batch", json=body, headers=headers)
    again = await server.http.post("/v1/alerts/batch", json=body, headers=headers)
    assert [r["status"] for r in first.json()["results"]] == ["accepted"] * 2
    assert [r["status"] for r in again.json()["results"]] == ["duplicate"] * 2
    assert len({r["id"] for r in first.json()["results"]}) == 2


@pytest.mark.parametrize("key", ["", "k" * 257])
async def test_a_batch_under_a_key_that_is_none_is_refused_whole(server: Server, key: str) -> None:
    headers = {**await server.key(), "idempotency-key": key}
    answer = await server.http.post("/v1/alerts/batch", json={"alerts": [ALERT]}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-id")
    assert f"Idempotency-Key has {len(key)} characters" in answer.json()["detail"]
    assert (await server.store.queue.depth()).waiting == 0


async def test_a_batch_with_too_many_alerts_is_refused_whole() -> None:
    async with running(Limits(batch_alerts=1)) as server:
        answer = await server.http.post(
            "/v1/alerts/batch", json={"alerts": [ALERT, ALERT]}, headers=await server.key()
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "batch-too-large")


async def test_a_full_queue_says_when_to_come_back() -> None:
    async with running() as server:
        server.store.queue._limits = server.store.queue._limits.__class__(queue_rows=1)
        key = await server.key()
        await server.http.post("/v1/alerts", json=ALERT, headers=key)
        answer = await server.http.post("/v1/alerts", json=ALERT, headers=key)
        assert (answer.status_code, answer.json()["code"]) == (503, "queue-full")
        assert int(answer.headers["retry-after"]) > 0


async def test_line_breaks_in_data_do_not_reach_the_frame(server: Server) -> None:
    body = b'{"to":{"users":["ada"]},"title":"t","data":{\n"a":\r\n"x\\ny"}}'
    await server.http.post("/v1/alerts", content=body, headers=await server.key())
    await server.worker.step()
    answer = await server.http.get("/v1/inbox", headers=await server.token("ada"))
    assert b"\n" not in answer.content
    assert answer.json()["items"][0]["alert"]["data"] == {"a": "x\ny"}


@pytest.mark.parametrize("path", ["/v1/alerts", "/v1/alerts/batch", "/v1/events"])
@pytest.mark.parametrize("encoding", ["gzip", "br", "Identity, gzip"])
async def test_a_compressed_body_is_refused_with_the_remedy(
    server: Server, path: str, encoding: str
) -> None:
    headers = {**await server.key(), "content-encoding": encoding}
    answer = await server.http.post(path, json=ALERT, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-encoding")
    assert "send it uncompressed" in answer.json()["detail"]


async def test_a_body_that_says_it_is_not_compressed_is_read(server: Server) -> None:
    headers = {**await server.key(), "content-encoding": "Identity"}
    assert (await server.http.post("/v1/alerts", json=ALERT, headers=headers)).status_code == 202


async def test_an_alert_that_comes_to_the_store_while_it_is_looked_for_is_found(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind JetStream, where it is nowhere else any more when the queue is asked after the store."""
    key = await server.key("server")
    answer = await server.publish()
    look, looks = MemoryStore.alert, 0

    async def come_late(store: MemoryStore, hub: str, alert_id: str) -> AlertStatus | None:
        nonlocal looks
        looks += 1
        return await look(store, hub, alert_id) if looks > 1 else None

    monkeypatch.setattr(MemoryStore, "alert", come_late)
    found = await server.http.get(answer.headers["location"], headers=key)
    assert (found.status_code, looks) == (200, 2)
