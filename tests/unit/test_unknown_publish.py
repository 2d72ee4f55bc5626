"""A publish whose outcome nobody knows: what its producer is told leads to one alert, never two and never none."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.unit.api_server import Server
from tocsin.errors import UnknownOutcomeError
from tocsin.model.alert import Envelope
from tocsin.ports.queue import Published

ALERT = {"to": {"users": ["ada"]}, "title": "Backup failed"}
BAD = {"title": "no audience"}


@asynccontextmanager
async def answers_lost(server: Server, *, item_by_item: bool) -> AsyncIterator[None]:
    """Store what is published, and lose the answer: that of the whole, or that of each item."""
    queue = server.store.queue

    async def publish(envelopes: Sequence[Envelope]) -> Sequence[Published]:
        await type(queue).publish(queue, envelopes)
        if not item_by_item:
            raise UnknownOutcomeError("the disk failed at the commit")
        return [Published("unknown", envelope.id) for envelope in envelopes]

    queue.publish = publish  # type: ignore[method-assign]  # the answers of a real queue are lost
    try:
        yield
    finally:
        del queue.publish


@pytest.fixture(params=[True, False], ids=["item by item", "as a whole"])
def item_by_item(request: pytest.FixtureRequest) -> bool:
    is_each: bool = request.param
    return is_each


async def post(
    server: Server, path: str, body: object, headers: dict[str, str], *, item_by_item: bool
) -> httpx.Response:
    async with answers_lost(server, item_by_item=item_by_item):
        return await server.http.post(path, json=body, headers=headers)


async def test_an_alert_with_an_id_is_told_to_be_repeated_with_it(
    server: Server, item_by_item: bool
) -> None:
    key, body = await server.key(), {**ALERT, "id": "backup-7"}
    lost = await post(server, "/v1/alerts", body, key, item_by_item=item_by_item)
    problem = lost.json()
    assert (lost.status_code, problem["code"]) == (503, "unknown-outcome")
    assert int(lost.headers["retry-after"]) > 0
    assert problem["retryable"]
    assert problem["repeat_with"] == {"id": "backup-7"}
    assert "'backup-7'" in problem["detail"]
    repeat = await server.http.post("/v1/alerts", json=body, headers=key)
    assert repeat.json()["status"] == "duplicate"


async def test_an_alert_with_an_idempotency_key_is_told_to_be_repeated_under_it(
    server: Server, item_by_item: bool
) -> None:
    headers = {**await server.key(), "idempotency-key": "nightly"}
    lost = await post(server, "/v1/alerts", ALERT, headers, item_by_item=item_by_item)
    assert lost.json()["repeat_with"] == {"idempotency_key": "nightly"}
    assert "Idempotency-Key 'nightly'" in lost.json()["detail"]
    repeat = await server.http.post("/v1/alerts", json=ALERT, headers=headers)
    assert repeat.json()["status"] == "duplicate"


async def test_an_alert_without_a_key_is_told_where_to_look(
    server: Server, item_by_item: bool
) -> None:
    key = await server.key()
    lost = await post(server, "/v1/alerts", ALERT, key, item_by_item=item_by_item)
    problem = lost.json()
    assert (lost.status_code, problem["code"]) == (503, "unknown-outcome")
    assert "repeat_with" not in problem
    assert "retryable" not in problem, "a repeat may be a second alert"
    assert "retry-after" not in lost.headers
    assert "neither an id nor an Idempotency-Key" in problem["detail"]
    found = await server.http.get(f"/v1/alerts/{problem['alert_id']}", headers=key)
    assert (found.status_code, found.json()["state"]) == (200, "accepted")


async def test_an_unknown_item_of_a_batch_is_not_called_refused(server: Server) -> None:
    key = await server.key()
    alerts = [{**ALERT, "id": "1"}, BAD, ALERT]
    lost = await post(server, "/v1/alerts/batch", {"alerts": alerts}, key, item_by_item=True)
    assert lost.status_code == 202
    await check_results(server, key, lost.json()["results"])


async def test_a_batch_that_is_unknown_as_a_whole_has_a_result_for_each_alert(
    server: Server,
) -> None:
    key = await server.key()
    alerts = [{**ALERT, "id": "1"}, BAD, ALERT]
    lost = await post(server, "/v1/alerts/batch", {"alerts": alerts}, key, item_by_item=False)
    problem = lost.json()
    assert (lost.status_code, problem["code"]) == (503, "unknown-outcome")
    assert "retryable" not in problem
    assert "1 of its alerts" in problem["detail"]
    await check_results(server, key, problem["results"])


async def check_results(server: Server, key: dict[str, str], results: list[Any]) -> None:
    """Check the results of an alert with an id, a bad one, and one without a key."""
    with_id, bad, keyless = results
    assert [result["status"] for result in results] == ["unknown", "refused", "unknown"]
    assert with_id["error"]["repeat_with"] == {"id": "1"}
    assert with_id["error"]["retryable"]
    assert bad["error"]["code"] == "invalid-field"
    assert "retryable" not in keyless["error"]
    path = f"/v1/alerts/{keyless['error']['alert_id']}"
    assert (await server.http.get(path, headers=key)).status_code == 200


async def test_an_unknown_batch_under_an_idempotency_key_is_repeated_whole_or_in_part(
    server: Server, item_by_item: bool
) -> None:
    headers = {**await server.key(), "idempotency-key": "nightly"}
    batch = {"alerts": [ALERT, ALERT]}
    lost = await post(server, "/v1/alerts/batch", batch, headers, item_by_item=item_by_item)
    results = lost.json()["results"]
    assert item_by_item or lost.json()["retryable"]
    assert [r["error"]["repeat_with"]["idempotency_key"] for r in results] == [
        "nightly#0",
        "nightly#1",
    ]
    whole = await server.http.post("/v1/alerts/batch", json=batch, headers=headers)
    assert [r["status"] for r in whole.json()["results"]] == ["duplicate"] * 2
    alone = await server.http.post(
        "/v1/alerts", json=ALERT, headers={**headers, "idempotency-key": "nightly#1"}
    )
    assert alone.json() == whole.json()["results"][1]


async def test_an_event_is_told_to_be_repeated_with_its_id(server: Server) -> None:
    event = {"specversion": "1.0", "id": "7", "source": "/billing", "type": "t", "data": ALERT}
    headers = {**await server.key(), "content-type": "application/cloudevents+json"}
    lost = await post(server, "/v1/events", event, headers, item_by_item=False)
    assert lost.json()["repeat_with"] == {"id": "7"}
    repeat = await server.http.post("/v1/events", json=event, headers=headers)
    assert repeat.json()["status"] == "duplicate"
