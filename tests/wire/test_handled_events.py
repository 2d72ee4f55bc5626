"""Events of clients, taken to a handler and answered, over sockets."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from azure.messaging.webpubsubclient.aio import WebPubSubClient
from azure.messaging.webpubsubclient.models import CallbackType, SendMessageError, WebPubSubDataType
from websockets.exceptions import ConnectionClosed

from tests.wire.client_frames import client_frame
from tests.wire.gateway_fixture import eventually
from tests.wire.handler_app import Asked, hang
from tests.wire.handler_stage import (
    HUB,
    JSON,
    RELIABLE,
    Stage,
    event,
    heard_out,
    in_turn,
    receive,
    says,
    send_event,
    staged,
)
from tocsin.ports.event_handlers import Client, UserEvent
from tocsin.realtime.frames import TEXT


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as stage:
        yield stage


async def echo(asked: Asked) -> web.Response:
    """Answer with what was said."""
    return web.Response(body=asked.body, headers={"content-type": asked.headers["content-type"]})


@pytest.mark.parametrize(
    ("data_type", "data", "content_type", "body"),
    [
        ("text", "gr\u00fc\u00df", "text/plain; charset=utf-8", "gr\u00fc\u00df".encode()),
        ("json", {"a": [1.50, None]}, "application/json; charset=utf-8", b'{"a": [1.5, null]}'),
        ("binary", base64.b64encode(b"\0\xff").decode(), "application/octet-stream", b"\0\xff"),
        (
            "protobuf",
            base64.b64encode(b"\x0a\x01a").decode(),
            "application/x-protobuf",
            b"\x0a\x01a",
        ),
    ],
)
async def test_each_type_of_data_goes_there_and_comes_back_before_the_acknowledgement(
    stage: Stage, data_type: str, data: Any, content_type: str, body: bytes
) -> None:
    stage.app.answers["order"] = echo
    async with stage.client(JSON) as ws:
        await receive(ws)
        await send_event(ws, "order", 1, dataType=data_type, data=data)
        answer, ack = await receive(ws), await receive(ws)
    expected = {"type": "message", "from": "server", "dataType": data_type, "data": data}
    assert answer == expected
    assert ack == {"type": "ack", "ackId": 1, "success": True}
    asked = next(one for one in stage.app.asked if one.event == "order")
    assert (asked.headers["content-type"], asked.body) == (content_type, body)


async def test_metadata_rides_in_headers(stage: Stage) -> None:
    async with stage.client(JSON) as ws:
        await receive(ws)
        await send_event(ws, "order", 1, metadata={"Trace-Id": "7"})
        await receive(ws)
    asked = next(one for one in stage.app.asked if one.event == "order")
    assert asked.headers["x-webpubsub-metadata-trace-id"] == "7"


async def test_a_plain_client_gets_the_answer_alone(stage: Stage) -> None:
    stage.app.answers["message"] = echo
    async with stage.client() as ws, asyncio.timeout(30):
        await ws.send("hello")
        assert await ws.recv() == "hello"
        await ws.send(b"\1\2")
        assert await ws.recv() == b"\1\2"
    assert "ce-subprotocol" not in stage.app.asked[0].headers


async def test_a_plain_client_whose_event_fails_is_closed(stage: Stage) -> None:
    stage.app.answers["message"] = says(status=400)
    async with stage.client() as ws, asyncio.timeout(30):
        await ws.send("hello")
        with pytest.raises(ConnectionClosed) as closed:
            await ws.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1011


@pytest.mark.parametrize(
    ("answer", "calls"),
    [
        (says(status=400), 1),
        (says(status=500), 2),
        (says(text="<p>", content_type="text/html"), 1),
        (says(body=b"{", content_type="application/json"), 1),
        (says(body=b"\xff", content_type="text/plain"), 1),
    ],
    ids=["refused", "failed", "unknown type", "no JSON", "no UTF-8"],
)
async def test_an_event_that_fails_may_be_tried_again(
    stage: Stage, answer: Any, calls: int
) -> None:
    stage.app.answers["order"] = answer
    async with stage.client(JSON) as ws:
        await receive(ws)
        await send_event(ws, "order", 1)
        refused = await receive(ws)
        assert (refused["success"], refused["error"]["name"]) == (False, "InternalServerError")
        assert stage.app.events().count("order") == calls
        stage.app.answers["order"] = says(status=204)
        await send_event(ws, "order", 1)
        assert (await receive(ws))["success"]
        await send_event(ws, "order", 1)
        assert (await receive(ws))["error"]["name"] == "Duplicate"
    assert stage.app.events().count("order") == calls + 1


async def test_a_server_error_is_repeated_with_the_same_id(stage: Stage) -> None:
    stage.app.answers["order"] = in_turn(says(status=500), says(text="done"))
    async with stage.client(JSON) as ws:
        await receive(ws)
        await send_event(ws, "order", 1)
        assert (await receive(ws))["data"] == "done"
    orders = [one.headers["ce-id"] for one in stage.app.asked if one.event == "order"]
    assert orders == ["2", "2"]


async def test_the_state_is_kept_and_sent_back_and_outlives_a_recovery(stage: Stage) -> None:
    state = {"ce-connectionState": "eyJrIjoidiJ9"}
    stage.app.answers["connect"] = says(status=204, headers=state)
    stage.app.answers["order"] = says(status=204, headers={"ce-connectionState": "second"})
    async with stage.client(RELIABLE) as ws:
        hello = await receive(ws)
        await send_event(ws, "order", 1)
        await receive(ws)
        ws.transport.abort()
    query = "&awps_connection_id={connectionId}&awps_reconnection_token={reconnectionToken}"
    async with stage.client(RELIABLE, query=query.format(**hello)) as ws:
        await send_event(ws, "other", 2)
        while (await receive(ws)).get("ackId") != 2:
            pass
    states = [one.headers.get("ce-connectionstate") for one in stage.app.asked]
    assert states[:4] == [None, "eyJrIjoidiJ9", "eyJrIjoidiJ9", "second"]


async def test_a_failure_sets_no_state(stage: Stage) -> None:
    stage.app.answers["order"] = says(status=400, headers={"ce-connectionState": "bad"})
    async with stage.client(JSON) as ws:
        await receive(ws)
        await send_event(ws, "order", 1)
        await receive(ws)
        await send_event(ws, "other", 2)
        await receive(ws)
    assert all("ce-connectionstate" not in one.headers for one in stage.app.asked)


async def test_cookies_come_back_on_the_same_connection_only(stage: Stage) -> None:
    stage.app.answers["connect"] = in_turn(
        says(status=204, headers={"set-cookie": "server=7; Path=/; HttpOnly"}), says(status=204)
    )
    for ack_id in (1, 2):
        async with stage.client(JSON) as ws:
            await receive(ws)
            await send_event(ws, "order", ack_id)
            await receive(ws)
    orders = [one.headers.get("cookie") for one in stage.app.asked if one.event == "order"]
    assert orders == ["server=7", None]


async def test_users_are_named_in_ascii(stage: Stage) -> None:
    for user in ("Ada Lovelace", "50%", "zo\u00eb"):
        async with stage.client(JSON, user=user) as ws:
            await receive(ws)
    names = [one.headers["ce-userid"] for one in stage.app.asked if one.event == "connect"]
    assert names == ["Ada Lovelace", "50%25", "zo%C3%AB"]


async def test_events_of_a_connection_wait_for_each_other_and_not_for_others(stage: Stage) -> None:
    go_on = asyncio.Event()

    async def slow(_asked: Asked) -> web.Response:
        await go_on.wait()
        return web.Response(text="slow")

    stage.app.answers["slow"] = slow
    stage.app.answers["quick"] = says(text="quick")
    async with stage.client(JSON) as first, stage.client(JSON, user="ben") as second:
        await receive(first)
        await receive(second)
        await send_event(first, "slow", 1)
        await send_event(first, "quick", 2)
        await eventually(lambda: "slow" in stage.app.events())
        await heard_out(first)
        await send_event(second, "quick", 1)
        assert (await receive(second))["data"] == "quick"
        assert stage.app.events().count("quick") == 1
        go_on.set()
        told = [await receive(first) for _ in range(4)]
    assert [one.get("data") or one["ackId"] for one in told] == ["slow", 1, "quick", 2]


async def test_a_repeat_of_what_is_under_way_is_not_asked_twice(stage: Stage) -> None:
    go_on = asyncio.Event()

    async def slow(_asked: Asked) -> web.Response:
        await go_on.wait()
        return web.Response(status=204)

    stage.app.answers["order"] = slow
    async with stage.client(JSON) as ws:
        await receive(ws)
        await send_event(ws, "order", 1)
        await send_event(ws, "order", 1)
        await heard_out(ws)
        go_on.set()
        assert (await receive(ws))["success"]
        await heard_out(ws)
    assert stage.app.events().count("order") == 1


async def test_an_event_is_answered_in_time_whatever_it_waits_for(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage, stage.client(JSON) as ws:
        await receive(ws)
        await stage.told_of("ada")
        lines = stage.served.node.handlers.lines
        patient = lines.settings
        lines.settings = patient.model_copy(update={"timeout_s": 0.5})
        stage.app.answers["order"] = hang
        both = [client_frame(TEXT, event("order", number).encode()) for number in (1, 2)]
        ws.transport.write(b"".join(both))  # at once, so that their time is over at once, too
        late = [await receive(ws) for _ in range(2)]
        assert [one["success"] for one in late] == [False, False]
        assert "in time" in late[0]["error"]["message"]
        assert stage.app.events().count("order") <= 1, "the second had no time of its own left"
        lines.settings = patient
        stage.app.answers["order"] = says(status=204)
        await send_event(ws, "order", 3)
        assert (await receive(ws))["success"]


async def test_what_waits_is_bounded_for_each_connection(tmp_path: Path) -> None:
    bounds = {"connection_bytes": 3000, "hub_bytes": 100_000}
    async with staged(tmp_path, event_handlers=bounds) as stage:
        stage.app.answers["order"] = hang
        async with stage.client(JSON) as ws, stage.client(JSON, user="ben") as other:
            await receive(ws)
            await receive(other)
            await stage.told_of("ada")
            for ack_id in range(4):
                await send_event(ws, "order", ack_id)
            refused = await receive(ws)
            assert refused["ackId"] == 2
            assert "Too many events" in refused["error"]["message"]
            await send_event(other, "quick", 1)
            assert (await receive(other))["success"]


async def test_what_waits_is_bounded_for_each_hub(tmp_path: Path) -> None:
    bounds = {"connection_bytes": 100_000, "hub_bytes": 2500}
    async with staged(tmp_path, system=[], event_handlers=bounds) as stage:
        stage.app.answers["order"] = hang
        async with stage.client(JSON) as ws, stage.client(JSON, user="ben") as other:
            await receive(ws)
            await receive(other)
            await send_event(ws, "order", 1)
            await send_event(ws, "order", 2)
            await heard_out(ws)
            await send_event(other, "order", 1)
            assert "Too many events" in (await receive(other))["error"]["message"]


async def test_calls_of_a_hub_are_bounded(tmp_path: Path) -> None:
    async with staged(tmp_path, system=[], event_handlers={"calls_per_hub": 1}) as stage:
        go_on = asyncio.Event()

        async def slow(_asked: Asked) -> web.Response:
            await go_on.wait()
            return web.Response(status=204)

        stage.app.answers["order"] = slow
        async with stage.client(JSON) as ws, stage.client(JSON, user="ben") as other:
            for client in (ws, other):
                await receive(client)
                await send_event(client, "order", 1)
            await eventually(lambda: "order" in stage.app.events())
            for client in (ws, other):
                await heard_out(client)
            assert stage.app.events() == ["order"]
            go_on.set()
            assert (await receive(ws))["success"]
            assert (await receive(other))["success"]


async def test_azures_python_client_raises_events_and_is_answered(stage: Stage) -> None:
    stage.app.answers["order"] = echo
    heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    async def on_message(event: Any) -> None:
        heard.put_nowait((event.data_type, event.data))

    client = WebPubSubClient(await stage.url(), message_retry_total=0)
    async with asyncio.timeout(60), client:
        await client.subscribe(CallbackType.SERVER_MESSAGE, on_message)
        await client.send_event("order", "text", WebPubSubDataType.TEXT)
        await client.send_event("order", {"a": 1}, WebPubSubDataType.JSON)
        assert [await heard.get() for _ in range(2)] == [("text", "text"), ("json", {"a": 1})]
        stage.app.answers["order"] = says(status=400)
        with pytest.raises(SendMessageError) as refused:
            await client.send_event("order", "text", WebPubSubDataType.TEXT)
    assert refused.value.error_detail is not None
    assert refused.value.error_detail.name == "InternalServerError"


INVOKE = {"type": "invoke", "invocationId": "7", "target": "event", "event": "lookup"}


async def test_an_invocation_is_answered_by_the_handler(stage: Stage) -> None:
    stage.app.answers["lookup"] = in_turn(
        says({"r": 1}), says(status=204), says(status=400), says(text="t")
    )
    async with stage.client(JSON) as ws:
        await receive(ws)
        told = []
        for _ in range(4):
            await ws.send(json.dumps({**INVOKE, "dataType": "json", "data": {"q": 1}}))
            told.append(await receive(ws))
    answer = {"type": "invokeResponse", "invocationId": "7", "success": True}
    assert told[0] == {**answer, "dataType": "json", "data": {"r": 1}}
    assert told[1] == answer
    assert (told[2]["success"], told[2]["error"]["name"]) == (False, "InternalServerError")
    assert told[3] == {**answer, "dataType": "text", "data": "t"}
    asked = next(one for one in stage.app.asked if one.event == "lookup")
    assert asked.headers["ce-type"] == "azure.webpubsub.user.lookup"
    assert json.loads(asked.body) == {"q": 1}


async def test_a_cancelled_invocation_is_not_answered_and_frees_the_line(stage: Stage) -> None:
    stage.app.answers["lookup"] = hang
    async with stage.client(JSON) as ws:
        await receive(ws)
        await ws.send(json.dumps({**INVOKE, "dataType": "text", "data": "x"}))
        await eventually(lambda: "lookup" in stage.app.events())
        await ws.send(json.dumps({**INVOKE, "dataType": "text", "data": "x"}))
        assert "under way" in (await receive(ws))["error"]["message"]
        await ws.send('{"type":"cancelInvocation","invocationId":"7"}')
        await send_event(ws, "order", 1)
        assert await receive(ws) == {"type": "ack", "ackId": 1, "success": True}


async def test_a_cancelled_invocation_that_waits_is_not_asked(stage: Stage) -> None:
    go_on = asyncio.Event()

    async def slow(_asked: Asked) -> web.Response:
        await go_on.wait()
        return web.Response(status=204)

    stage.app.answers["order"] = slow
    async with stage.client(JSON) as ws:
        await receive(ws)
        await send_event(ws, "order", 1)
        await ws.send(json.dumps({**INVOKE, "dataType": "text", "data": "x"}))
        await ws.send('{"type":"cancelInvocation","invocationId":"7"}')
        await heard_out(ws)
        go_on.set()
        assert (await receive(ws))["success"]
        await send_event(ws, "last", 2)
        assert (await receive(ws))["success"]
    assert "lookup" not in stage.app.events()


async def test_an_invocation_without_a_handler_fails(tmp_path: Path) -> None:
    async with staged(tmp_path, user="order") as stage, stage.client(JSON) as ws:
        await receive(ws)
        await ws.send(json.dumps({**INVOKE, "dataType": "text", "data": "x"}))
        told = await receive(ws)
    assert (told["success"], told["error"]["message"]) == (
        False,
        "There is no handler for event 'lookup'.",
    )


async def test_a_line_goes_on_elsewhere_with_its_state_its_cookies_and_its_count(
    stage: Stage,
) -> None:
    stage.app.answers["connect"] = says(
        status=204, headers={"set-cookie": "server=7", "ce-connectionState": "e30="}
    )
    async with stage.client(JSON) as ws:
        await receive(ws)
        line = await stage.told_of("ada")
        [session] = stage.served.node.gateway.hubs.of_user(HUB, "ada")
        moved = stage.served.node.handlers.lines.line(
            Client(HUB, session.id, "ada"), line.dealings()
        )
        assert moved is not None
        answered: asyncio.Queue[object] = asyncio.Queue()
        moved.raise_event(UserEvent("order", "text", b"tea"), answered.put_nowait)
        await answered.get()
    order = next(one for one in stage.app.asked if one.event == "order")
    headers = order.headers
    assert (headers["ce-id"], headers["ce-connectionstate"]) == ("2", "e30=")
    assert headers["cookie"] == "server=7"
