"""``deliver_at`` over HTTP: when it is told, shown, refused and taken back."""

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.api_server import Server
from tocsin.clock import to_rfc3339
from tocsin.config import Limits

HOUR = timedelta(hours=1)


def at(server: Server, delta: timedelta) -> str:
    return to_rfc3339(server.clock.now_us() + delta // timedelta(microseconds=1))


async def publish(server: Server, key: dict[str, str], **fields: object) -> Any:
    body = {"to": {"users": ["ada"]}, "title": "Standup", **fields}
    return await server.http.post("/v1/alerts", json=body, headers=key)


async def test_a_scheduled_alert_is_shown_with_its_time_and_arrives_then(server: Server) -> None:
    key, due = await server.key("server"), at(server, HOUR)
    path = (await publish(server, key, deliver_at=due)).headers["location"]
    assert await server.worker.step() == 0
    status = (await server.http.get(path, headers=key)).json()
    assert (status["state"], status["deliver_at"]) == ("scheduled", due)
    server.clock.advance(3600)
    assert await server.worker.step() == 1
    status = (await server.http.get(path, headers=key)).json()
    assert (status["state"], status["deliver_at"]) == ("processed", due)
    inbox = (await server.http.get("/v1/inbox?user=ada", headers=key)).json()
    assert [item["alert"]["created_at"] for item in inbox["items"]] == [due]
    listed = (await server.http.get("/v1/alerts", headers=key)).json()["alerts"]
    assert [row["deliver_at"] for row in listed] == [due]


async def test_a_scheduled_alert_can_be_withdrawn(server: Server) -> None:
    key = await server.key()
    path = (await publish(server, key, deliver_at=at(server, HOUR))).headers["location"]
    assert (await server.http.delete(path, headers=key)).json()["state"] == "withdrawn"
    server.clock.advance(3600)
    assert await server.worker.step() == 0


async def test_an_alert_that_expires_first_says_so(server: Server) -> None:
    key = await server.key()
    times = {"deliver_at": at(server, HOUR), "expires_at": at(server, 2 * HOUR)}
    path = (await publish(server, key, **times)).headers["location"]
    server.clock.advance(7200)
    await server.worker.step()
    status = (await server.http.get(path, headers=key)).json()
    assert (status["state"], status["counts"]["recipients"]) == ("expired", 0)
    assert status["expired_at"] == at(server, timedelta())


async def test_a_repeat_after_its_time_is_a_repeat(server: Server) -> None:
    key = await server.key()
    alert = {"id": "standup", "deliver_at": at(server, HOUR)}
    first = await publish(server, key, **alert)
    server.clock.advance(7200)
    repeat = await publish(server, key, **alert)
    assert repeat.json() == {"id": first.json()["id"], "status": "duplicate"}


@pytest.mark.parametrize(
    ("deliver", "expires", "pointer"),
    [
        (timedelta(days=Limits().schedule_days, seconds=1), None, "/deliver_at"),
        (2 * HOUR, HOUR, "/expires_at"),
        (HOUR, HOUR, "/expires_at"),
    ],
)
async def test_times_that_cannot_be_kept_are_refused(
    server: Server, deliver: timedelta, expires: timedelta | None, pointer: str
) -> None:
    times = {"deliver_at": at(server, deliver)}
    if expires is not None:
        times["expires_at"] = at(server, expires)
    answer = await publish(server, await server.key(), **times)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (400, "invalid-time")
    assert problem["pointer"] == pointer


async def test_a_time_without_a_zone_is_refused(server: Server) -> None:
    answer = await publish(server, await server.key(), deliver_at="2026-12-01T08:00:00")
    assert (answer.json()["code"], answer.json()["pointer"]) == ("invalid-time", "/deliver_at")


async def test_a_cloud_event_may_carry_the_time(server: Server) -> None:
    due = at(server, HOUR)
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "/s",
        "type": "t",
        "subject": "ada",
        "deliverytime": due,
        "data": {"title": "Later"},
    }
    key = await server.key()
    headers = {**key, "content-type": "application/cloudevents+json"}
    answer = await server.http.post("/v1/events", json=event, headers=headers)
    status = (await server.http.get(answer.headers["location"], headers=key)).json()
    assert (status["state"], status["deliver_at"]) == ("scheduled", due)


async def test_alerts_that_wait_for_their_time_have_a_metric(server: Server) -> None:
    await publish(server, await server.key(), deliver_at=at(server, HOUR))
    text = (await server.http.get("/metrics", headers=await server.key("admin"))).text
    assert "tocsin_scheduled_alerts 1.0" in text
    assert "tocsin_queue_alerts 0.0" in text
