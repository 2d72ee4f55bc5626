"""Lists of alerts over HTTP: whose they are, and page by page."""

from typing import Any

import httpx
import pytest

from tests.unit.api_server import Server
from tocsin.clock import US_PER_S, to_rfc3339


async def publish(server: Server, key: dict[str, str], title: str, **fields: object) -> str:
    body = {"to": {"users": ["ada"]}, "title": title, **fields}
    answer = await server.http.post("/v1/alerts", json=body, headers=key)
    await server.worker.step()
    server.clock.advance(60)
    return str(answer.json()["id"])


def titles(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row["alert"]["title"] for row in answer.json()["alerts"]]


async def test_a_producer_lists_its_own_alerts_newest_first(server: Server) -> None:
    mine, other = await server.key(), await server.key()
    for title, key in (("One", mine), ("Two", other), ("Three", mine)):
        await publish(server, key, title)
    assert titles(await server.http.get("/v1/alerts", headers=mine)) == ["Three", "One"]
    hub = await server.key("server")
    assert titles(await server.http.get("/v1/alerts", headers=hub)) == ["Three", "Two", "One"]
    elsewhere = await server.key("server", "other")
    assert titles(await server.http.get("/v1/alerts", headers=elsewhere)) == []


async def test_a_list_is_read_page_by_page(server: Server) -> None:
    key = await server.key()
    for number in range(3):
        await publish(server, key, str(number))
    first = await server.http.get("/v1/alerts?limit=2", headers=key)
    cursor = first.json()["page"]["next"]
    rest = await server.http.get("/v1/alerts", params={"cursor": cursor}, headers=key)
    assert titles(first) + titles(rest) == ["2", "1", "0"]
    assert rest.json()["page"] == {"next": None}


async def test_a_list_is_narrowed_by_source_category_and_time(server: Server) -> None:
    key = await server.key()
    await publish(server, key, "Old", category="a", source="x")
    newer = await publish(server, key, "New", category="b", source="y")
    accepted_at = (await server.http.get(f"/v1/alerts/{newer}", headers=key)).json()["accepted_at"]
    for query, found in (
        ({"source": "x"}, ["Old"]),
        ({"category": "b"}, ["New"]),
        ({"since": accepted_at}, ["New"]),
        ({"since": "2200-01-01T00:00:00+01:00"}, []),
    ):
        answer = await server.http.get("/v1/alerts", params=query, headers=key)
        assert titles(answer) == found, query


async def test_a_withdrawn_alert_stays_in_the_list(server: Server) -> None:
    key = await server.key()
    told = await publish(server, key, "Gone")
    await server.http.delete(f"/v1/alerts/{told}", headers=key)
    rows: list[dict[str, Any]] = (await server.http.get("/v1/alerts", headers=key)).json()["alerts"]
    assert [(row["id"], row["state"]) for row in rows] == [(told, "withdrawn")]
    assert rows[0]["withdrawn_at"]


async def test_what_waits_for_its_time_is_listed_and_can_be_taken_back(server: Server) -> None:
    key, other = await server.key(), await server.key()
    hub, elsewhere = await server.key("server"), await server.key("server", "other")
    tomorrow = to_rfc3339(server.clock.now_us() + 86_400 * US_PER_S)
    await publish(server, key, "Now")
    later = await publish(server, key, "Later", deliver_at=tomorrow, source="s")
    await publish(server, other, "Other", deliver_at=tomorrow)

    async def scheduled(key: dict[str, str], more: str = "") -> list[str]:
        return titles(await server.http.get(f"/v1/alerts?state=scheduled{more}", headers=key))

    assert await scheduled(key) == ["Later"]
    assert await scheduled(key, "&source=s") == ["Later"]
    assert await scheduled(key, "&source=t") == []
    assert await scheduled(hub) == ["Other", "Later"]
    assert await scheduled(elsewhere) == []
    [row] = (await server.http.get("/v1/alerts?state=scheduled", headers=key)).json()["alerts"]
    assert (row["id"], row["state"]) == (later, "scheduled")
    assert row["deliver_at"] == tomorrow
    assert "processed_at" not in row
    assert (await server.http.delete(f"/v1/alerts/{later}", headers=key)).status_code == 200
    assert await scheduled(key) == []
    assert titles(await server.http.get("/v1/alerts", headers=key)) == ["Later", "Now"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("state=accepted", "invalid-query"),
        ("limit=0", "invalid-query"),
        ("limit=201", "invalid-query"),
        ("cursor=x", "invalid-query"),
        ("since=yesterday", "invalid-time"),
        ("since=2027-01-01T00:00:00", "invalid-time"),
    ],
)
async def test_a_bad_listing_is_refused(server: Server, query: str, code: str) -> None:
    answer = await server.http.get(f"/v1/alerts?{query}", headers=await server.key())
    assert (answer.status_code, answer.json()["code"]) == (400, code)


async def test_a_client_token_lists_no_alerts(server: Server) -> None:
    answer = await server.http.get("/v1/alerts", headers=await server.token("ada"))
    assert (answer.status_code, answer.json()["code"]) == (403, "key-needed")
