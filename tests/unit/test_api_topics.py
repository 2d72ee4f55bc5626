"""Topics over HTTP: backends subscribe, people choose, and alerts reach both."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.unit.api_server import Server, running
from tocsin.config import Limits

LINES = {"content-type": "application/x-ndjson"}


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with running(Limits(subscribers_per_request=4, topics_per_user=2)) as server:
        yield server


async def subscribers(server: Server, topic: str, **query: Any) -> Any:
    path = f"/v1/topics/{quote(topic, safe='')}/subscribers"
    answer = await server.http.get(path, params=query, headers=await server.key("server"))
    assert answer.status_code == 200
    return answer.json()


async def test_backends_subscribe_and_list_both_ways(server: Server) -> None:
    key = await server.key("server")
    for topic in ("a/b", "ü"):
        for user in ("O'Hara", "ann/bob", "cyd"):
            path = f"/v1/topics/{quote(topic, safe='')}/subscribers/{quote(user, safe='')}"
            assert (await server.http.put(path, headers=key)).status_code == 204
            assert (await server.http.put(path, headers=key)).status_code == 204
    gone = await server.http.delete("/v1/topics/a%2Fb/subscribers/cyd", headers=key)
    again = await server.http.delete("/v1/topics/a%2Fb/subscribers/cyd", headers=key)
    assert (gone.status_code, again.status_code) == (204, 204)
    first = await subscribers(server, "ü", limit=2)
    rest = await subscribers(server, "ü", limit=2, cursor=first["page"]["next"])
    assert [r["user"] for r in first["subscribers"] + rest["subscribers"]] == [
        "O'Hara",
        "ann/bob",
        "cyd",
    ]
    assert rest["page"] == {"next": None}
    theirs = (await server.http.get("/v1/users/ann%2Fbob/topics", headers=key)).json()
    assert [row["topic"] for row in theirs["topics"]] == ["a/b", "ü"]
    topics = (await server.http.get("/v1/topics?limit=1", headers=key)).json()
    assert topics == {"topics": [{"topic": "a/b", "subscribers": 2}], "page": {"next": "a/b"}}


@pytest.mark.parametrize(
    ("body", "headers"),
    [('["ada", "ben", "ada"]', {}), ('"ada"\n\n"ben"\r\n"ada"', LINES)],
)
async def test_a_list_is_subscribed_at_once(
    server: Server, body: str, headers: dict[str, str]
) -> None:
    key = await server.key("server")
    await server.http.put("/v1/topics/t/subscribers/ben", headers=key)
    answer = await server.http.post("/v1/topics/t/subscribers", content=body, headers=key | headers)
    assert (answer.status_code, answer.json()) == (200, {"subscribed": 1, "already": 1})
    assert [row["user"] for row in (await subscribers(server, "t"))["subscribers"]] == [
        "ada",
        "ben",
    ]


@pytest.mark.parametrize(
    ("body", "headers"),
    [('["ada", "", 7, "b\\u0000"]', {}), ('"ada"\n""\n7\n"b\\u0000"', LINES)],
)
async def test_each_fault_of_a_list_is_named_and_nothing_is_done(
    server: Server, body: str, headers: dict[str, str]
) -> None:
    key = await server.key("server")
    answer = await server.http.post("/v1/topics/t/subscribers", content=body, headers=key | headers)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (400, "invalid-items")
    assert [(fault["pointer"], fault["code"]) for fault in problem["faults"]] == [
        ("/1", "invalid-id"),
        ("/2", "invalid-field"),
        ("/3", "invalid-id"),
    ]
    assert (await subscribers(server, "t"))["subscribers"] == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ('["a", "b", "c", "d", "e"]', 413, "list-too-large"),
        ('{"users": ["a"]}', 400, "invalid-field"),
        ('["a"', 400, "invalid-json"),
        (b'["\xff"]', 400, "invalid-items"),
        ('["' + "a" * 7000 + '"]', 413, "body-too-large"),
    ],
)
async def test_what_is_no_list_is_refused(
    server: Server, body: str | bytes, status: int, code: str
) -> None:
    answer = await server.http.post(
        "/v1/topics/t/subscribers", content=body, headers=await server.key("server")
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_an_empty_list_is_nothing(server: Server) -> None:
    key = await server.key("server")
    answer = await server.http.post("/v1/topics/t/subscribers", content="[]", headers=key)
    assert answer.json() == {"subscribed": 0, "already": 0}
    assert (await server.http.get("/v1/topics", headers=key)).json()["topics"] == []


async def test_people_choose_among_what_the_hub_opens(server: Server) -> None:
    ada, key = await server.token("ada"), await server.key("server")
    for topic in ("news", "build-7"):
        path = f"/v1/inbox/topics/{topic}"
        assert (await server.http.put(path, headers=ada)).status_code == 204
    await server.http.put("/v1/topics/closed/subscribers/ada", headers=key)
    mine = (await server.http.get("/v1/inbox/topics?limit=1", headers=ada)).json()
    assert [row["topic"] for row in mine["topics"]] == ["build-7"]
    assert (mine["page"], mine["open"]) == ({"next": "build-7"}, ["news", "build-*"])
    mine = (await server.http.get("/v1/inbox/topics?cursor=build-7", headers=ada)).json()
    assert [row["topic"] for row in mine["topics"]] == ["news"]
    assert mine["page"] == {"next": None}
    assert (await server.http.delete("/v1/inbox/topics/news", headers=ada)).status_code == 204
    assert (await subscribers(server, "news"))["subscribers"] == []


async def test_closed_and_unknown_topics_look_alike_to_people(server: Server) -> None:
    ada, key = await server.token("ada"), await server.key("server")
    await server.http.put("/v1/topics/closed/subscribers/ada", headers=key)
    for method in ("PUT", "DELETE"):
        answers = [
            await server.http.request(method, f"/v1/inbox/topics/{topic}", headers=ada)
            for topic in ("closed", "nobody", "News", "newsletter")
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert {answer.json()["code"] for answer in answers} == {"topic-not-found"}
        assert answers[0].text.replace("closed", "nobody") == answers[1].text
    assert [row["user"] for row in (await subscribers(server, "closed"))["subscribers"]] == ["ada"]


async def test_who_has_too_many_topics_must_leave_one_first(server: Server) -> None:
    ada = await server.token("ada")
    for topic in ("build-1", "build-2", "build-2"):
        answer = await server.http.put(f"/v1/inbox/topics/{topic}", headers=ada)
        assert answer.status_code == 204
    refused = await server.http.put("/v1/inbox/topics/news", headers=ada)
    assert (refused.status_code, refused.json()["code"]) == (409, "too-many-subscriptions")
    assert (await subscribers(server, "news"))["subscribers"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/topics"),
        ("GET", "/v1/topics/t/subscribers"),
        ("POST", "/v1/topics/t/subscribers"),
        ("PUT", "/v1/topics/t/subscribers/ada"),
        ("DELETE", "/v1/topics/t/subscribers/ada"),
        ("GET", "/v1/users/ada/topics"),
    ],
)
async def test_topics_need_a_server_key(server: Server, method: str, path: str) -> None:
    answer = await server.http.request(method, path, headers=await server.key("producer"))
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong-role")
    answer = await server.http.request(method, path, headers=await server.token("ada"))
    assert (answer.status_code, answer.json()["code"]) == (403, "key-needed")


async def test_an_alert_to_topics_and_users_reaches_each_once(server: Server) -> None:
    await server.store.topics.subscribe("default", "t", ["ada", "ben"])
    frames = server.frames()
    answer = await server.publish(to={"topics": ["t"], "users": ["ada", "cyd"]})
    assert answer.status_code == 202
    for user in ("ada", "ben", "cyd"):
        inbox = await server.http.get("/v1/inbox", headers=await server.token(user))
        assert [item["id"] for item in inbox.json()["items"]] == [answer.json()["id"]]
    assert len(frames) == 3


@pytest.mark.parametrize(
    ("to", "code", "pointer"),
    [
        ({"topics": []}, "invalid-audience", "/to"),
        ({"topics": ["t"], "all": True}, "invalid-audience", "/to"),
        ({"topics": ["t", ""]}, "invalid-id", "/to/topics/1"),
        ({"topics": [f"t{n}" for n in range(21)]}, "audience-too-large", "/to/topics"),
        ({"topics": "t"}, "invalid-field", "/to/topics"),
    ],
)
async def test_a_wrong_audience_is_refused_by_its_place(
    server: Server, to: Any, code: str, pointer: str
) -> None:
    problem = (await server.publish(to=to)).json()
    assert (problem["code"], problem["pointer"]) == (code, pointer)


async def test_a_dry_run_counts_people_and_publishes_nothing(server: Server) -> None:
    await server.store.topics.subscribe("default", "t", ["ada", "ben"])
    key = await server.key()
    for to, size in (
        ({"users": ["ada", "cyd", "cyd"], "topics": ["t", "u"]}, 3),
        ({"topics": ["nobody"]}, 0),
        ({"all": True}, 2),
    ):
        answer = await server.http.post(
            "/v1/alerts?dry_run=true", json={"to": to, "title": "x"}, headers=key
        )
        assert (answer.status_code, answer.json()) == (200, {"dry_run": True, "recipients": size})
    assert (await server.store.queue.depth()).waiting == 0


async def test_a_dry_run_refuses_what_a_publish_would(server: Server) -> None:
    key = await server.key()
    for query, body, code in (
        ("true", {"to": {"users": []}, "title": "x"}, "invalid-audience"),
        ("yes", {"to": {"users": ["ada"]}, "title": "x"}, "invalid-query"),
    ):
        answer = await server.http.post(f"/v1/alerts?dry_run={query}", json=body, headers=key)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    published = await server.http.post(
        "/v1/alerts?dry_run=false", json={"to": {"users": ["ada"]}, "title": "x"}, headers=key
    )
    assert published.status_code == 202


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/alerts/batch", '{"alerts": [{"to": {"users": ["ada"]}, "title": "x"}]}'),
        ("/v1/events", '{"specversion": "1.0"}'),
        ("/shims/ntfy/backups", "x"),
        ("/shims/gotify/message", '{"message": "x"}'),
        ("/shims/grafana", '{"alerts": []}'),
    ],
)
async def test_a_route_that_cannot_be_tried_refuses_rather_than_publishes(
    server: Server, path: str, body: str
) -> None:
    key = await server.key()
    answer = await server.http.post(f"{path}?dry_run=true&to_users=ada", content=body, headers=key)
    assert answer.status_code == 400
    assert "dry_run=true is not known here" in answer.text
    assert (await server.store.queue.depth()).waiting == 0
