"""ntfy and Gotify publish to Tocsin as they are."""

import base64
from email.header import Header
from typing import Any

import pytest

from tests.unit.shim_sender import Sender, sending


async def only(sender: Sender) -> dict[str, Any]:
    """Return the one alert that Ada has."""
    [alert] = await sender.inbox()
    return alert


async def test_ntfy_publishes_a_text_with_headers() -> None:
    headers = {
        "Title": "Unauthorized access detected",
        "Priority": "urgent",
        "Tags": "warning,skull",
        "Click": "https://home.example.org/",
        "Icon": "https://home.example.org/icon.png",
        "Actions": "view, Open portal, https://home.example.org/portal, clear=true; http, Turn down, https://api.example.org/",
    }
    async with sending() as sender:
        taken = await sender.post(
            "ntfy/alerts?to_users=ada",
            content="Remote access to phils-laptop detected. Act right away.",
            headers=sender.bearer | headers,
        )
        assert taken.status_code == 200, taken.text
        told = taken.json()
        assert (told["event"], told["topic"], told["priority"]) == ("message", "alerts", 5)
        assert told["message"] == "Remote access to phils-laptop detected. Act right away."
        assert told["time"] == sender.server.clock.now_us() // 1_000_000
        alert = await only(sender)
        assert alert["title"] == "Unauthorized access detected"
        assert alert["body"] == told["message"]
        assert (alert["severity"], alert["category"]) == ("critical", "alerts")
        assert alert["url"] == "https://home.example.org/"
        assert alert["icon"] == "https://home.example.org/icon.png"
        assert alert["actions"] == [
            {"id": "view-1", "label": "Open portal", "url": "https://home.example.org/portal"}
        ]
        assert alert["data"] == {"tags": ["warning", "skull"], "priority": 5}


async def test_a_topic_of_ntfy_is_a_topic_of_the_hub() -> None:
    async with sending() as sender:
        await sender.server.store.topics.subscribe("default", "backups", ["ada"])
        taken = await sender.post("ntfy/backups", content="The backup failed")
        assert taken.status_code == 200, taken.text
        assert (await sender.titles(), await sender.titles("ben")) == (["The backup failed"], [])


async def test_ntfy_publishes_json_that_names_its_topic() -> None:
    message = {
        "topic": "mytopic",
        "message": "Disk space is low at 5.1 GB",
        "title": "Low disk space alert",
        "tags": ["warning", "cd"],
        "priority": 4,
        "attach": "https://filesrv.example.org/space.jpg",
        "filename": "diskspace.jpg",
        "actions": [
            {"action": "view", "label": "Admin panel", "url": "https://filesrv.example.org/admin"}
        ],
    }
    async with sending() as sender:
        taken = await sender.post("ntfy/?to_users=ada", json=message)
        assert (taken.status_code, taken.json()["topic"]) == (200, "mytopic")
        alert = await only(sender)
        assert (alert["title"], alert["severity"]) == ("Low disk space alert", "warning")
        assert alert["url"] == "https://filesrv.example.org/space.jpg"
        assert [action["label"] for action in alert["actions"]] == ["Admin panel"]


async def test_ntfy_publishes_with_query_parameters_and_with_put() -> None:
    async with sending() as sender:
        taken = await sender.server.http.put(
            "/shims/ntfy/backups",
            params={
                "to_users": "ada",
                "message": "Backup of the NAS failed\\nTry again",
                "p": "high",
            },
            headers=sender.bearer,
        )
        assert taken.status_code == 200, taken.text
        await sender.server.worker.step()
        alert = await only(sender)
        assert (alert["title"], alert["severity"]) == ("Backup of the NAS failed", "warning")
        assert alert["body"] == "Backup of the NAS failed\nTry again"


@pytest.mark.parametrize(
    ("sent", "title"),
    [
        (b"Sp\xc3\xa4t dran", "Spät dran"),
        (Header("Käse", "utf-8").encode(), "Käse"),
        ("=?broken?", "=?broken?"),
        ("=?nope?b?QQ==?=", "=?nope?b?QQ==?="),
    ],
)
async def test_ntfy_titles_are_utf_8_or_encoded_words(sent: str | bytes, title: str) -> None:
    async with sending() as sender:
        await sender.post(
            "ntfy/t?to_users=ada",
            content="text",
            headers=[("authorization", sender.bearer["authorization"]), ("x-title", sent)],
        )
        assert await sender.titles() == [title]


async def test_ntfy_without_a_text_says_triggered() -> None:
    async with sending() as sender:
        # What a browser sends as its own priority is none of ntfy's.
        headers = sender.bearer | {"priority": "u=3, i"}
        taken = await sender.post("ntfy/t?to_users=ada", headers=headers)
        assert taken.json()["message"] == "triggered"
        assert await sender.titles() == ["triggered"]


async def test_ntfy_updates_a_message_of_the_same_sequence() -> None:
    async with sending() as sender:
        for text in ("Site is down", "Site is up", "Site is down"):
            await sender.post("ntfy/t?to_users=ada&sequence-id=site", content=text)
            assert await sender.titles() == [text]
        await sender.post(
            "ntfy/t?to_users=ada", content="Up", headers=sender.bearer | {"x-sequence-id": "site"}
        )
        assert await sender.titles() == ["Up"]


async def test_ntfy_takes_its_key_from_the_query() -> None:
    async with sending() as sender:
        basic = base64.b64encode(f"phil:{sender.key}".encode()).decode()
        for secret in (f"Bearer {sender.key}", f"Basic {basic}"):
            auth = base64.urlsafe_b64encode(secret.encode()).decode().rstrip("=")
            taken = await sender.post(f"ntfy/t?to_users=ada&auth={auth}", content="x", headers={})
            assert taken.status_code == 200, taken.text


@pytest.mark.parametrize(
    ("delay", "after_s"), [("30m", 1_800), ("1h 30 min", 5_400), ("2 days", 172_800)]
)
async def test_ntfy_delivers_later(delay: str, after_s: int) -> None:
    async with sending() as sender:
        now_s = sender.server.clock.now_us() // 1_000_000
        for said in (delay, str(now_s + after_s)):
            taken = await sender.post(
                "ntfy/t?to_users=ada", content="Later", headers=sender.bearer | {"In": said}
            )
            assert taken.json()["time"] == now_s + after_s
            status = await sender.server.store.alert("default", taken.json()["id"])
            assert status is not None
            assert status.state == "scheduled"
        assert await sender.titles() == []


@pytest.mark.parametrize(
    ("query", "content"),
    [
        ("priority=6", b"x"),
        ("delay=tomorrow,%2010am", b"x"),
        ("actions=%5B%7B", b"x"),
        ("", b"\xff\xfe"),
    ],
)
async def test_ntfy_refuses_in_its_own_words(query: str, content: bytes) -> None:
    async with sending() as sender:
        refused = await sender.post(f"ntfy/t?to_users=ada&{query}", content=content)
        assert refused.status_code == 400
        assert (refused.json()["http"], refused.json()["code"]) == (400, 40000)
        assert refused.json()["error"]
        stranger = await sender.post("ntfy/t", content=content, headers={})
        assert (stranger.status_code, stranger.json()["code"]) == (401, 40101)


async def test_an_idempotency_key_makes_a_message_repeatable() -> None:
    async with sending() as sender:
        headers = sender.bearer | {"idempotency-key": "job-7"}
        ids = {
            (await sender.post("ntfy/t?to_users=ada", content="x", headers=headers)).json()["id"]
            for _ in range(2)
        }
        assert (len(ids), len(await sender.titles())) == (1, 1)


GOTIFY = {"title": "Backup", "message": "It **failed**", "priority": 8}


@pytest.mark.parametrize(
    "sent",
    [
        {"json": GOTIFY},
        {"data": GOTIFY},
        {"files": {name: (None, str(value)) for name, value in GOTIFY.items()}},
        {"params": GOTIFY},
    ],
)
async def test_gotify_takes_json_forms_and_query_parameters(sent: dict[str, Any]) -> None:
    async with sending(users=("ada",)) as sender:
        params = {"token": sender.key} | sent.pop("params", {})
        taken = await sender.post("gotify/message", headers={}, params=params, **sent)
        assert taken.status_code == 200, taken.text
        told = taken.json()
        assert {name: told[name] for name in GOTIFY} == GOTIFY
        assert isinstance(told["id"], int)
        alert = await only(sender)
        assert (alert["title"], alert["body"]) == ("Backup", "It **failed**")
        assert (alert["severity"], alert["source"]) == ("error", "monitoring")


async def test_gotify_opens_its_click_url_and_takes_its_own_header() -> None:
    extras = {"client::notification": {"click": {"url": "https://nas.example.org"}}}
    async with sending(users=("ada",)) as sender:
        taken = await sender.post(
            "gotify/message",
            json={"message": "Done", "extras": extras},
            headers={"x-gotify-key": sender.key},
        )
        assert taken.json()["extras"] == extras
        alert = await only(sender)
        assert (alert["title"], alert["url"]) == ("Done", "https://nas.example.org")
        assert alert["severity"] == "info"


@pytest.mark.parametrize(
    "sent",
    [
        {"json": {"title": "x"}},
        {"data": {"title": "x"}},
        {"data": {"message": "x", "priority": "high"}},
    ],
)
async def test_gotify_refuses_in_its_own_words(sent: dict[str, Any]) -> None:
    async with sending(users=("ada",)) as sender:
        refused = await sender.post(
            "gotify/message", params={"token": sender.key}, headers={}, **sent
        )
        assert (refused.status_code, refused.json()["errorCode"]) == (400, 400)
        stranger = await sender.post("gotify/message", params={"token": "AbCd"}, headers={}, **sent)
        assert (stranger.status_code, stranger.json()["errorCode"]) == (401, 401)
