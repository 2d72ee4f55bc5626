"""Event handlers behind a whole node, over sockets: connecting, and who may."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from websockets.exceptions import ConnectionClosed

from tests.wire.gateway_fixture import eventually
from tests.wire.handler_app import Answer, Asked, hang
from tests.wire.handler_stage import (
    HUB,
    JSON,
    RELIABLE,
    Stage,
    in_turn,
    receive,
    says,
    send_event,
    staged,
)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as stage:
        yield stage


async def test_events_of_a_connection_are_told_in_order_and_as_documented(stage: Stage) -> None:
    async with stage.client(JSON, query="&k=v&k=w", roles=["webpubsub.sendToGroup"]) as ws:
        connection_id = (await receive(ws))["connectionId"]
        await send_event(ws, "order", 1)
        assert await receive(ws) == {"type": "ack", "ackId": 1, "success": True}
    await eventually(lambda: len(stage.app.asked) == 4)
    assert stage.app.events() == ["connect", "connected", "order", "disconnected"]
    assert [asked.headers["ce-id"] for asked in stage.app.asked] == ["0", "1", "2", "3"]
    opening, connected, order, gone = stage.app.asked
    keys = await stage.served.node.keyring.access_keys(HUB)
    signatures = [hmac.digest(k, connection_id.encode(), hashlib.sha256).hex() for k in keys]
    host = stage.endpoint.partition("://")[2]
    expected = {
        "content-type": "application/json; charset=utf-8",
        "ce-specversion": "1.0",
        "ce-awpsversion": "1.0",
        "webhook-request-origin": host,
        "ce-type": "azure.webpubsub.sys.connect",
        "ce-source": f"/hubs/{HUB}/client/{connection_id}",
        "ce-signature": f"sha256={signatures[0]},sha256={signatures[1]}",
        "ce-userid": "ada",
        "ce-connectionid": connection_id,
        "ce-hub": HUB,
        "ce-subprotocol": JSON,
        "authorization": "Bearer s3cret",
    }
    assert opening.headers.items() >= expected.items()
    assert opening.path == f"/{HUB}/connect"
    asked = json.loads(opening.body)
    assert asked["query"] == {"k": ["v", "w"]}
    assert asked["subprotocols"] == [JSON]
    assert asked["clientCertificates"] == []
    assert asked["claims"]["role"] == ["webpubsub.sendToGroup"]
    assert asked["claims"]["sub"] == ["ada"]
    assert asked["headers"]["host"] == [host]
    assert "access_token" not in opening.body.decode()
    assert connected.body == b"{}"
    assert order.headers["ce-type"] == "azure.webpubsub.user.order"
    assert order.headers["content-type"].partition(";")[0] == "text/plain"
    assert order.body == b"x"
    assert set(json.loads(gone.body)) == {"reason"}


async def test_the_connect_handler_gives_user_groups_and_roles(stage: Stage) -> None:
    stage.app.answers["connect"] = says(
        {"userId": "eve", "groups": ["ops"], "roles": ["webpubsub.sendToGroup.ops"]}
    )
    async with stage.client(JSON, groups=["own"], roles=["webpubsub.joinLeaveGroup"]) as ws:
        hello = await receive(ws)
        assert hello["userId"] == "eve"
        for number, group in enumerate(("ops", "other")):
            request = {"type": "sendToGroup", "group": group, "ackId": number}
            await ws.send(json.dumps({**request, "dataType": "text", "data": "hi"}))
        echo, sent, refused = [await receive(ws) for _ in range(3)]
        assert (echo["group"], echo["fromUserId"]) == ("ops", "eve")
        assert (sent["success"], refused["success"]) == (True, False)
        [session] = stage.served.node.gateway.hubs.of_user(HUB, "eve")
        assert session.groups == {"own", "ops"}
        await ws.send('{"type":"joinGroup","group":"x","ackId":9}')
        assert (await receive(ws))["error"]["name"] == "Forbidden"


async def test_a_custom_subprotocol_is_chosen_by_the_handler(stage: Stage) -> None:
    stage.app.answers["connect"] = says({"subprotocol": "chess.v1"})
    async with stage.client("go.v1", "Chess.V1") as ws:
        assert ws.subprotocol == "Chess.V1"
        await ws.send("e4")
        await eventually(lambda: "message" in stage.app.events())
        assert stage.app.asked[-1].headers["ce-subprotocol"] == "Chess.V1"
        assert stage.app.asked[-1].body == b"e4"


async def test_the_handler_chooses_among_known_subprotocols(stage: Stage) -> None:
    stage.app.answers["connect"] = says({"subprotocol": RELIABLE})
    async with stage.client(JSON, RELIABLE) as ws:
        assert ws.subprotocol == RELIABLE
        assert (await receive(ws))["reconnectionToken"]


async def test_a_handler_without_an_opinion_changes_nothing(stage: Stage) -> None:
    for answer in (says(status=200), says({}), says({"userId": None, "groups": [], "roles": None})):
        stage.app.answers["connect"] = answer
        async with stage.client(JSON, groups=["own"], roles=["webpubsub.joinLeaveGroup"]) as ws:
            assert (await receive(ws))["userId"] == "ada"
            await ws.send('{"type":"joinGroup","group":"x","ackId":9}')
            assert (await receive(ws))["success"]


async def test_roles_can_be_taken_away(stage: Stage) -> None:
    stage.app.answers["connect"] = says({"roles": []})
    async with stage.client(JSON, roles=["webpubsub.joinLeaveGroup"]) as ws:
        await receive(ws)
        await ws.send('{"type":"joinGroup","group":"x","ackId":9}')
        assert not (await receive(ws))["success"]


async def test_a_token_opens_no_inbox_for_whom_the_handler_makes_of_it(stage: Stage) -> None:
    stage.app.answers["connect"] = says({"userId": "eve"})
    async with stage.client(JSON, scope="inbox"):
        [session] = stage.served.node.gateway.hubs.of_user(HUB, "eve")
        assert not session.inbox
    stage.app.answers["connect"] = says({"userId": "ada"})
    async with stage.client(JSON, scope="inbox"):
        [session] = stage.served.node.gateway.hubs.of_user(HUB, "ada")
        assert session.inbox


async def test_a_client_that_is_not_wanted_gets_the_handlers_status_and_words(stage: Stage) -> None:
    stage.app.answers["connect"] = says(status=403, text="members only")
    status, problem = await stage.refusal(JSON)
    assert (status, problem["code"], problem["detail"]) == (403, "connect-rejected", "members only")
    stage.app.answers["connect"] = says(status=402)
    assert (await stage.refusal(JSON))[0] == 402
    assert stage.app.events() == ["connect", "connect"]
    assert len(stage.served.node.gateway.hubs) == 0


@pytest.mark.parametrize(
    "answer",
    [
        says(status=302, headers={"location": "/"}),
        says(text="no json"),
        says([1]),
        says({"userId": 7}),
        says({"userId": "a\nb"}),
        says({"groups": [" "]}),
        says({"subprotocol": "not.offered"}),
    ],
    ids=["redirect", "text", "list", "number", "control", "group", "subprotocol"],
)
async def test_an_answer_that_cannot_be_is_a_500_and_is_not_asked_again(
    stage: Stage, answer: Answer
) -> None:
    stage.app.answers["connect"] = answer
    status, problem = await stage.refusal(JSON)
    assert (status, problem["code"]) == (500, "event-handler-failed")
    assert stage.app.events() == ["connect"]


async def test_a_server_error_is_asked_once_more_with_the_same_id(stage: Stage) -> None:
    stage.app.answers["connect"] = in_turn(says(status=503), says({"userId": "eve"}))
    async with stage.client(JSON) as ws:
        assert (await receive(ws))["userId"] == "eve"
    assert [asked.headers["ce-id"] for asked in stage.app.asked[:2]] == ["0", "0"]
    stage.app.answers["connect"] = says(status=500)
    assert (await stage.refusal(JSON))[0] == 500
    assert stage.app.events().count("connect") == 4


async def test_a_handler_that_hangs_is_a_500(tmp_path: Path) -> None:
    async with staged(tmp_path, event_handlers={"timeout_s": 0.5}) as stage:
        stage.app.answers["connect"] = hang
        assert (await stage.refusal(JSON))[0] == 500


async def test_while_a_handler_thinks_about_one_client_others_connect(tmp_path: Path) -> None:
    go_on = asyncio.Event()

    async def slow(_asked: Asked) -> web.Response:
        await go_on.wait()
        return web.Response(status=403)

    async with staged(tmp_path, event_handlers={"timeout_s": 60}) as stage:
        stage.app.answers["connect"] = in_turn(slow, says({"userId": "eve"}))
        refused = asyncio.create_task(stage.refusal(JSON))
        await eventually(lambda: stage.app.events() == ["connect"])
        async with stage.client(JSON) as ws:
            assert (await receive(ws))["userId"] == "eve"
            assert not refused.done()
        go_on.set()
        assert (await refused)[0] == 403


async def test_a_token_that_is_revoked_while_a_handler_thinks_opens_nothing(tmp_path: Path) -> None:
    go_on = asyncio.Event()

    async def slow(_asked: Asked) -> web.Response:
        await go_on.wait()
        return web.Response(status=204)

    async with staged(tmp_path) as stage:
        stage.app.answers["connect"] = slow
        refused = asyncio.create_task(stage.refusal(JSON))
        await eventually(lambda: stage.app.events() == ["connect"])
        key, _ = await stage.served.node.keyring.create(HUB, "server", "backend")
        revoked = await stage.served.http.post(
            "/v1/users/ada/revoke-tokens", headers={"authorization": f"Bearer {key}"}
        )
        assert revoked.status_code == 200
        go_on.set()
        status, problem = await refused
        assert (status, problem["code"]) == (401, "token-revoked")
        assert stage.app.events() == ["connect"]


async def test_a_handler_that_is_down_is_a_500(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.app.stop()
        status, problem = await stage.refusal(JSON)
        assert (status, problem["code"]) == (500, "event-handler-failed")


async def test_the_handshake_comes_first_and_its_answer_is_kept(stage: Stage) -> None:
    for _ in range(3):
        async with stage.client(JSON) as ws:
            await receive(ws)
    [handshake] = stage.app.handshakes
    assert (handshake.method, handshake.path) == ("OPTIONS", f"/{HUB}/validate")
    assert handshake.headers["webhook-request-origin"] == stage.host
    assert handshake.headers["ce-awpsversion"] == "1.0"


async def test_a_handler_that_names_this_server_is_called(stage: Stage) -> None:
    stage.app.allows = f"other.example, {stage.host.upper()}"
    async with stage.client(JSON) as ws:
        await receive(ws)


async def test_a_handler_without_options_is_asked_by_get(stage: Stage) -> None:
    stage.app.options_status = 404
    async with stage.client(JSON) as ws:
        await receive(ws)
    assert [asked.method for asked in stage.app.handshakes] == ["OPTIONS", "GET"]


@pytest.mark.parametrize(("allows", "status"), [(None, 200), ("other.example", 200), ("*", 405)])
async def test_a_handler_that_does_not_agree_is_sent_nothing(
    stage: Stage, allows: str | None, status: int
) -> None:
    stage.app.allows, stage.app.options_status = allows, status
    for _ in range(2):
        assert (await stage.refusal(JSON))[0] == 500
    assert stage.app.asked == []
    assert len(stage.app.handshakes) == 1


async def test_private_addresses_are_called_only_where_they_are_allowed(tmp_path: Path) -> None:
    async with staged(tmp_path, outbound={}) as stage:
        assert (await stage.refusal(JSON))[0] == 500
        assert (stage.app.handshakes, stage.app.asked) == ([], [])


async def test_a_hub_without_handlers_asks_nobody(stage: Stage) -> None:
    async with stage.client(JSON, hub="other") as ws:
        await receive(ws)
        await send_event(ws, "order", 1)
        refused = await receive(ws)
    assert refused["error"] == {
        "name": "InternalServerError",
        "message": "There is no handler for event 'order'.",
    }
    assert (stage.app.handshakes, stage.app.asked) == ([], [])


async def test_a_handler_added_later_takes_events_of_connections_that_are_open(
    tmp_path: Path,
) -> None:
    async with staged(tmp_path, system=[], user="known") as stage, stage.client(JSON) as ws:
        await receive(ws)
        await send_event(ws, "order", 1)
        assert not (await receive(ws))["success"]
        handler = {"url": stage.app.url, "user_events": "order"}
        key, _ = await stage.served.node.keyring.create(HUB, "admin", "admin")
        headers = {"authorization": f"Bearer {key}"}
        made = await stage.served.http.post(
            "/v1/admin/event-handlers", json=handler, headers=headers
        )
        assert made.status_code == 201
        await send_event(ws, "order", 1)
        assert (await receive(ws))["success"]
        path = f"/v1/admin/event-handlers/{made.json()['id']}"
        assert (await stage.served.http.delete(path, headers=headers)).status_code == 204
        await send_event(ws, "order", 2)
        assert not (await receive(ws))["success"]


async def test_disconnected_comes_once_at_the_end_and_not_at_each_drop(tmp_path: Path) -> None:
    async with staged(tmp_path, recovery_window_s=30) as stage:
        async with stage.client(RELIABLE) as ws:
            hello = await receive(ws)
            ws.transport.abort()
        query = "&awps_connection_id={connectionId}&awps_reconnection_token={reconnectionToken}"
        async with stage.client(RELIABLE, query=query.format(**hello)) as ws:
            await send_event(ws, "order", 1)
            assert (await receive(ws))["success"]
            assert stage.app.events() == ["connect", "connected", "order"]
        await eventually(lambda: stage.app.events()[3:] == ["disconnected"])


async def test_disconnected_says_why_the_server_ended_the_connection(stage: Stage) -> None:
    async with stage.client(JSON) as ws:
        await receive(ws)
        [session] = stage.served.node.gateway.hubs.of_user(HUB, "ada")
        stage.served.node.gateway.close_connection(session, "drill")
        assert (await receive(ws))["event"] == "disconnected"
        with pytest.raises(ConnectionClosed):
            await receive(ws)
    await eventually(lambda: stage.app.events()[-1] == "disconnected")
    assert json.loads(stage.app.asked[-1].body) == {"reason": "drill"}


async def test_a_stopping_server_tells_of_the_ends_of_connections(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage, stage.client(JSON) as ws:
        await receive(ws)
        node = stage.served.node
        await node.gateway.drain(0)
        await node.finish_work(60)
        assert stage.app.events() == ["connect", "connected", "disconnected"]
