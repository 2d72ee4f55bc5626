"""Rate limits over HTTP: whom they count, what they say, and that nothing is done beyond them."""

import pytest

from tests.unit.api_server import Server, running
from tocsin.config import Rates

ALERT = {"to": {"users": ["ada"]}, "title": "Hello"}
TIGHT = Rates(key_requests=3, key_window_s=30, user_requests=2, user_window_s=20)


async def test_a_key_that_asks_too_much_is_refused_and_others_are_not() -> None:
    async with running(rates=TIGHT) as server:
        key, other = await server.key(), await server.key()
        for left in (2, 1, 0):
            answer = await server.http.post("/v1/alerts", json=ALERT, headers=key)
            assert answer.status_code == 202
            assert answer.headers["ratelimit-policy"] == '"key";q=3;w=30'
            assert answer.headers["ratelimit"] == f'"key";r={left};t={30 - 10 * left}'
        refused = await server.http.post("/v1/alerts", json=ALERT, headers=key)
        assert (refused.status_code, refused.json()["code"]) == (429, "rate-limited")
        assert refused.json()["retryable"] is True
        assert refused.headers["retry-after"] == "10"
        assert refused.headers["ratelimit"] == '"key";r=0;t=30'
        assert (await server.http.post("/v1/alerts", json=ALERT, headers=other)).status_code == 202
        assert await server.worker.step() == 4
        server.clock.advance(10)
        assert (await server.http.post("/v1/alerts", json=ALERT, headers=key)).status_code == 202


@pytest.mark.parametrize(("path", "kind"), [("/v1/alerts/batch", "json"), ("/v1/events", "events")])
async def test_each_alert_of_a_batch_counts(path: str, kind: str) -> None:
    event = {"specversion": "1.0", "source": "/s", "type": "t", "data": ALERT}
    async with running(rates=Rates(key_requests=10, key_window_s=10)) as server:
        headers = await server.key()
        if kind == "events":
            headers["content-type"] = "application/cloudevents-batch+json"
        body = {
            "json": {"alerts": [ALERT] * 4},
            "events": [event | {"id": str(number)} for number in range(4)],
        }[kind]
        answer = await server.http.post(path, json=body, headers=headers)
        assert answer.headers["ratelimit"] == '"key";r=6;t=4'


async def test_a_user_is_counted_over_all_tokens_and_apart_from_others() -> None:
    async with running(rates=TIGHT) as server:
        phone, laptop = await server.token("ada"), await server.token("ada")
        for one in (phone, laptop):
            answer = await server.http.get("/v1/inbox", headers=one)
            assert answer.headers["ratelimit-policy"] == '"user";q=2;w=20'
        action = {"action": "read", "up_to": {"epoch": "x", "sort": 1, "brev": 0}}
        refused = await server.http.post("/v1/inbox/mark", json=action, headers=phone)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
        for one in (await server.token("ben"), await server.token("ada", "other")):
            assert (await server.http.get("/v1/inbox", headers=one)).status_code == 200


async def test_limits_can_be_turned_off_and_then_nothing_is_said() -> None:
    async with running(rates=Rates(key_requests=0, user_requests=0)) as server:
        for _ in range(5):
            answer = await server.http.post("/v1/alerts", json=ALERT, headers=await server.key())
            assert answer.status_code == 202
            assert "ratelimit" not in answer.headers


async def test_who_is_not_known_is_not_counted(server: Server) -> None:
    for path in ("/healthz", "/v1/inbox", "/nowhere"):
        answer = await server.http.get(path)
        assert "ratelimit" not in answer.headers


async def test_what_other_products_send_counts_by_the_alert() -> None:
    fields = {"status": "firing", "startsAt": "2026-11-22T10:00:00Z", "annotations": {}}
    alerts = [{**fields, "labels": {"alertname": str(n)}, "fingerprint": str(n)} for n in range(4)]
    group = {"version": "4", "groupKey": "g", "status": "firing", "receiver": "r", "alerts": alerts}
    async with running(rates=Rates(key_requests=10, key_window_s=10)) as server:
        answer = await server.http.post(
            "/shims/alertmanager?to_users=ada", json=group, headers=await server.key()
        )
        assert answer.status_code == 200, answer.text
        assert answer.headers["ratelimit"] == '"key";r=6;t=4'
