"""Event handlers over HTTP: added, listed with those of the file, tested and removed."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.unit.api_server import Server, running
from tocsin.config import Hub, WantedHandler
from tocsin.ports.outbound import Answer

PATH = "/v1/admin/event-handlers"
URL = "https://app.example/{hub}/{event}"
IN_FILE = WantedHandler(url="https://first.example/", system_events=("connect",))


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with running(hubs={"default": Hub(event_handlers=(IN_FILE,))}) as server:
        yield server


async def ask(server: Server, method: str, path: str = "", **more: Any) -> httpx.Response:
    headers = await server.key("admin")
    return await server.http.request(method, PATH + path, headers=headers, **more)


async def added(server: Server, **fields: Any) -> dict[str, Any]:
    answer = await ask(server, "POST", json={"url": URL, "user_events": "*", **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_those_of_the_file_come_first_and_secrets_are_not_shown(server: Server) -> None:
    first = await added(server, user_events="a, b", authorization="Bearer s3cret")
    server.clock.advance(1)
    second = await added(server, system_events=["connected", "disconnected"])
    answer = await ask(server, "GET")
    assert "s3cret" not in answer.text
    listed = answer.json()["event_handlers"]
    assert [one["id"] for one in listed] == ["file-1", first["id"], second["id"]]
    assert [one["from_file"] for one in listed] == [True, False, False]
    assert listed[1] == first
    assert first["has_authorization"] is True
    [kept, _] = await server.store.event_handlers.event_handlers()
    assert kept.authorization is not None
    assert b"s3cret" not in kept.authorization


async def test_what_was_removed_is_gone_and_those_of_the_file_stay(server: Server) -> None:
    made = await added(server)
    assert (await ask(server, "DELETE", f"/{made['id']}")).status_code == 204
    assert (await ask(server, "DELETE", f"/{made['id']}")).json()["code"] == (
        "event-handler-not-found"
    )
    assert (await ask(server, "DELETE", "/file-1")).json()["code"] == "event-handler-in-file"
    assert len((await ask(server, "GET")).json()["event_handlers"]) == 1
    assert await server.store.event_handlers.event_handlers() == []


async def test_a_test_makes_the_handshake_and_tells_what_is_wrong(server: Server) -> None:
    made = await added(server)
    allowed = Answer(200, (("webhook-allowed-origin", "*"),))
    server.outbound.outcomes = [allowed, Answer(200)]
    answers = [(await ask(server, "POST", f"/{made['id']}/test")).json() for _ in range(2)]
    assert answers[0] == {"allowed": True, "reason": None}
    assert answers[1]["allowed"] is False
    assert "WebHook-Allowed-Origin" in answers[1]["reason"]
    call = server.outbound.calls[0]
    assert (call.method, call.url) == ("OPTIONS", "https://app.example/default/validate")
    assert dict(call.headers)["WebHook-Request-Origin"] == "127.0.0.1:8080"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"url": "https://{event}.example/"}, "event-handler-url"),
        ({"url": "https://a.example/{user}"}, "event-handler-url"),
        ({"url": "https://10.0.0.1/"}, "event-handler-url"),
        ({"user_events": ""}, "event-handler-events"),
        ({"user_events": "a/b"}, "event-handler-events"),
        ({"user_events": "a," * 3000}, "event-handler-events"),
        ({"system_events": ["joined"]}, "invalid-field"),
        ({"authorization": "a\nb"}, "event-handler-authorization"),
        ({"authorization": ""}, "event-handler-authorization"),
        ({"secret": "x"}, "invalid-field"),
    ],
)
async def test_what_cannot_be_an_event_handler_is_refused(
    server: Server, fields: dict[str, Any], code: str
) -> None:
    answer = await ask(server, "POST", json={"url": URL, "user_events": "*", **fields})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert await server.store.event_handlers.event_handlers() == []


async def test_a_hub_has_a_bounded_number(server: Server) -> None:
    for _ in range(20):
        await added(server)
    answer = await ask(server, "POST", json={"url": URL, "user_events": "*"})
    assert (answer.status_code, answer.json()["code"]) == (409, "too-many-event-handlers")
