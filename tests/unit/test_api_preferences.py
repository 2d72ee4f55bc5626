"""Preferences over HTTP: a person's own, a hub's, and that nobody overwrites what was not seen."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.unit.api_server import Server, running

MINE, HUB = "/v1/preferences", "/v1/admin/preferences"
OFF = {"channels": {"push": {"enabled": False}}}
NIGHT = {"quiet_hours": {"windows": [{"from": "22:00", "to": "07:00"}], "zone": "Europe/Berlin"}}


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with running() as server:
        yield server


async def put(
    server: Server, body: Any, headers: dict[str, str] | None = None, path: str = MINE
) -> httpx.Response:
    who = await (server.token("ada") if path == MINE else server.key("admin"))
    return await server.http.put(path, json=body, headers=who | (headers or {}))


async def test_a_person_reads_back_what_was_said(server: Server) -> None:
    ada = await server.token("ada")
    first = await server.http.get(MINE, headers=ada)
    assert first.json() == {"preferences": {}, "hub": {}}
    done = await put(server, NIGHT)
    assert (done.status_code, done.json()) == (200, {"preferences": NIGHT, "hub": {}})
    again = await server.http.get(MINE, headers=ada)
    assert again.json() == done.json()
    assert again.headers["etag"] == done.headers["etag"] != first.headers["etag"]
    ben = await server.http.get(MINE, headers=await server.token("ben"))
    assert (ben.json(), ben.headers["etag"]) == (first.json(), first.headers["etag"])


async def test_other_devices_are_told_of_a_change_and_of_nothing_else(server: Server) -> None:
    frames = server.frames()
    told = {"tocsin": 1, "kind": "preferences"}
    await put(server, NIGHT)
    assert frames == [told]
    await put(server, OFF, {"if-match": '"stale"'})
    assert frames == [told]
    await put(server, OFF, path=HUB)
    assert frames == [told] * 2


async def test_a_backend_acts_for_its_users_and_names_them(server: Server) -> None:
    key = await server.key("server")
    done = await server.http.put(f"{MINE}?user=ada", json=OFF, headers=key)
    assert done.status_code == 200
    mine = await server.http.get(MINE, headers=await server.token("ada"))
    assert mine.json()["preferences"] == OFF
    unnamed = await server.http.get(MINE, headers=key)
    assert (unnamed.status_code, unnamed.json()["code"]) == (400, "user-missing")
    producer = await server.http.get(f"{MINE}?user=ada", headers=await server.key("producer"))
    assert (producer.status_code, producer.json()["code"]) == (403, "wrong-role")


async def test_what_the_hub_says_is_shown_to_its_people(server: Server) -> None:
    wanted = {**OFF, "critical_exempt": True}
    done = await put(server, wanted, path=HUB)
    assert (done.status_code, done.json()) == (200, {"preferences": wanted})
    mine = await server.http.get(MINE, headers=await server.token("ada"))
    assert mine.json() == {"preferences": {}, "hub": wanted}
    south = {**await server.key("admin"), "tocsin-hub": "south"}
    assert (await server.http.get(HUB, headers=south)).json() == {"preferences": {}}


@pytest.mark.parametrize("path", [MINE, HUB])
async def test_nobody_overwrites_what_was_not_seen(server: Server, path: str) -> None:
    seen = (await put(server, OFF, path=path)).headers["etag"]
    assert (await put(server, NIGHT, path=path)).status_code == 200  # the last one wins
    refused = await put(server, OFF, {"if-match": seen}, path)
    assert (refused.status_code, refused.json()["code"]) == (412, "preferences-changed")
    now = (await put(server, NIGHT, {"if-match": "*"}, path)).headers["etag"]
    assert (await put(server, OFF, {"if-match": now}, path)).status_code == 200


async def test_only_administrators_decide_for_a_hub_and_leave_a_deed(server: Server) -> None:
    for role in ("producer", "server"):
        for method in ("GET", "PUT"):
            answer = await server.http.request(
                method, HUB, json=OFF, headers=await server.key(role)
            )
            assert (answer.status_code, answer.json()["code"]) == (403, "wrong-role")
    assert (await put(server, OFF, path=HUB)).status_code == 200
    log = await server.http.get("/v1/admin/audit", headers=await server.key("admin"))
    outcomes = [
        deed["outcome"] for deed in log.json()["deeds"] if deed["action"] == "preferences.change"
    ]
    assert outcomes == ["done", "wrong-role", "wrong-role"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"quiet_hours": {"zone": "Mars/Olympus"}}, "/quiet_hours"),
        ({"quiet_hours": {"windows": [{"from": "22:00", "to": "7"}]}}, "/quiet_hours/windows/0/to"),
        ({"channels": {"pigeon": {}}}, "/channels"),
        ({"mutes": [{}, {"until": "2026-11-23T00:00:00"}]}, "/mutes/1"),
        ({"critical_exempt": True}, ""),
    ],
)
async def test_a_wrong_preference_is_refused_by_its_place(
    server: Server, body: Any, pointer: str
) -> None:
    await put(server, NIGHT)
    problem = (await put(server, body)).json()
    assert (problem["status"], problem["code"]) == (400, "invalid-field")
    assert problem["pointer"] == pointer
    mine = await server.http.get(MINE, headers=await server.token("ada"))
    assert mine.json()["preferences"] == NIGHT


async def test_preferences_have_a_size(server: Server) -> None:
    answer = await put(server, {"mutes": [{"category": "c" * 60_000}, {"category": "d" * 9_000}]})
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
