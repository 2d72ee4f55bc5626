"""The gateway behind a real uvicorn and uvloop, spoken to by real clients."""

import asyncio
import gc
import json
import queue
from collections.abc import AsyncIterator
from typing import Any

import pytest
import websockets
from azure.messaging.webpubsubclient import WebPubSubClient
from azure.messaging.webpubsubclient.aio import WebPubSubClient as AsyncWebPubSubClient
from azure.messaging.webpubsubclient.models import CallbackType, SendMessageError, WebPubSubDataType
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.wire.client_frames import client_frame
from tests.wire.gateway_fixture import Node, eventually, running_node
from tocsin.api.http_guard import HttpGuard, guarded_protocol
from tocsin.model.position import Position
from tocsin.realtime.connection import Connection
from tocsin.realtime.frames import encode_close
from tocsin.realtime.session import Session
from tocsin.realtime.settings import GatewaySettings

RELIABLE = [Subprotocol("json.reliable.webpubsub.azure.v1")]
JSON = [Subprotocol("json.webpubsub.azure.v1")]


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    async with running_node() as node:
        yield node


async def receive(ws: websockets.ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(30):
        message: dict[str, Any] = json.loads(await ws.recv())
        return message


async def test_inbox_connection_gets_connected_then_head_then_announcements(node: Node) -> None:
    async with connect(node.url(), subprotocols=RELIABLE) as ws:
        hello = await receive(ws)
        assert hello["event"] == "connected"
        assert hello["userId"] == "u1"
        assert hello["reconnectionToken"]
        head = await receive(ws)
        assert head["data"] == {"tocsin": 1, "kind": "head", "epoch": "e", "rev": 0, "brev": 0}
        assert head["sequenceId"] == 1
        node.announce(1)
        message = await receive(ws)
        assert message == {
            "type": "message",
            "from": "server",
            "dataType": "json",
            "data": {"tocsin": 1, "kind": "test", "rev": 1},
            "sequenceId": 2,
        }


async def test_json_connection_gets_no_sequence_ids_and_pongs(node: Node) -> None:
    async with connect(node.url(), subprotocols=JSON) as ws:
        assert ws.subprotocol == JSON[0]
        assert "reconnectionToken" not in await receive(ws)
        assert "sequenceId" not in await receive(ws)
        await ws.send('{"type":"ping"}')
        assert await receive(ws) == {"type": "pong"}
        await ws.send('{"type":"joinGroup","group":"g","ackId":5}')
        ack = await receive(ws)
        assert (ack["ackId"], ack["success"], ack["error"]["name"]) == (5, False, "Forbidden")


async def test_websocket_ping_is_answered(node: Node) -> None:
    async with connect(node.url(), subprotocols=JSON) as ws, asyncio.timeout(30):
        await (await ws.ping(b"hello"))


async def test_plain_connection_gets_the_data_alone(node: Node) -> None:
    async with connect(node.url()) as ws:
        assert ws.subprotocol is None
        assert (await receive(ws))["kind"] == "head"
        node.announce(1)
        assert await receive(ws) == {"tocsin": 1, "kind": "test", "rev": 1}


async def test_client_that_offers_only_unknown_subprotocols_is_a_plain_one(node: Node) -> None:
    unknown = [Subprotocol("graphql-ws"), Subprotocol("json.webpubsub.azure.v9")]
    async with connect(node.url(), subprotocols=unknown) as ws:
        assert ws.subprotocol is None
        assert (await receive(ws))["kind"] == "head"


async def test_json_passes_byte_for_byte(node: Node) -> None:
    written = '{"b" :1.0e5,\t"a":"\\u00e9é\\/", "a":[ 0.10,-0 ] }'
    token: dict[str, Any] = {"scope": None, "groups": ["g"]}
    speaker = node.url("u2", roles=["webpubsub.sendToGroup.g"], **token)
    async with (
        connect(speaker, subprotocols=JSON) as ws,
        connect(node.url(**token)) as plain,
        connect(node.url(**token), subprotocols=JSON) as other,
    ):
        await receive(other)
        await ws.send(f'{{"type":"sendToGroup","group":"g","data" : {written} }}')
        assert await plain.recv() == written
        assert str(await other.recv()).endswith(f',"dataType":"json","data":{written}}}')


def plain_url(node: Node, query: str, *roles: str) -> str:
    return node.url(scope=None, groups=["g"], roles=roles) + query


async def test_plain_client_speaks_to_its_group_and_hears_it(node: Node) -> None:
    role, query = "webpubsub.sendToGroup.g", "&webpubsub_mode=sendToGroup&group=g"
    async with (
        connect(plain_url(node, query, role)) as plain,
        connect(node.url("b", scope=None, groups=["g"]), subprotocols=JSON) as other,
    ):
        await receive(other)
        await plain.send('{"type":"ping"}')
        await plain.send(b"\0\xff")
        assert (await plain.recv(), await plain.recv()) == ('{"type":"ping"}', b"\0\xff")
        heard = [await receive(other), await receive(other)]
        assert [(m["fromUserId"], m["dataType"], m["data"]) for m in heard] == [
            ("u1", "text", '{"type":"ping"}'),
            ("u1", "binary", "AP8="),
        ]


@pytest.mark.parametrize(
    ("query", "code"), [("&webpubsub_mode=sendToGroup&group=g", 1008), ("", 1011)]
)
async def test_plain_client_that_may_not_or_finds_nobody_is_closed(
    node: Node, query: str, code: int
) -> None:
    async with connect(plain_url(node, query)) as plain, asyncio.timeout(30):
        await plain.send("hello")
        await plain.wait_closed()
        assert plain.close_code == code


async def test_bad_query_of_a_plain_client_is_refused_and_that_of_another_ignored(
    node: Node,
) -> None:
    bad = plain_url(node, "&webpubsub_mode=shout")
    with pytest.raises(websockets.InvalidStatus) as refused:
        await connect(bad)
    assert refused.value.response.status_code == 400
    async with connect(bad, subprotocols=JSON) as ws:
        assert (await receive(ws))["event"] == "connected"


async def test_token_without_inbox_scope_never_sees_an_inbox_frame(node: Node) -> None:
    async with connect(node.url(scope=None), subprotocols=JSON) as ws:
        assert (await receive(ws))["event"] == "connected"
        node.announce(1)
        node.announce(1, user=None)
        await ws.send(
            '{"type":"event","event":"tocsin.head","ackId":1,"dataType":"text","data":""}'
        )
        ack = await receive(ws)
        assert (ack["type"], ack["success"]) == ("ack", False)


async def test_head_is_sent_on_demand(node: Node) -> None:
    async with connect(node.url(), subprotocols=JSON) as ws:
        await receive(ws)
        await receive(ws)
        node.store.of["chat", "u1"] = Position("e", 7, 3)
        await ws.send(
            '{"type":"event","event":"tocsin.head","ackId":1,"dataType":"text","data":""}'
        )
        answers = [await receive(ws), await receive(ws)]
        assert {a["type"] for a in answers} == {"ack", "message"}
        (head,) = (a["data"] for a in answers if a["type"] == "message")
        assert (head["rev"], head["brev"]) == (7, 3)


async def test_broadcast_reaches_every_inbox_of_the_hub_and_no_other_hub(node: Node) -> None:
    async with (
        connect(node.url("a"), subprotocols=JSON) as a,
        connect(node.url("b"), subprotocols=RELIABLE) as b,
        connect(node.url("c", hub="other"), subprotocols=JSON) as c,
    ):
        for ws in (a, b, c):
            await receive(ws)
            await receive(ws)
        node.announce(1, user=None)
        node.announce(2, user=None)
        for ws in (a, b):
            assert [(await receive(ws))["data"]["rev"] for _ in range(2)] == [1, 2]
        node.announce(9, user=None, hub="other")
        assert (await receive(c))["data"]["rev"] == 9


def recovery_url(node: Node, hello: dict[str, Any]) -> str:
    return (
        f"ws://127.0.0.1:{node.port}/client/hubs/chat?awps_connection_id={hello['connectionId']}"
        f"&awps_reconnection_token={hello['reconnectionToken']}"
    )


async def test_dropped_connection_recovers_with_what_was_not_acknowledged(node: Node) -> None:
    ws = await connect(node.url(), subprotocols=RELIABLE)
    hello = await receive(ws)
    await receive(ws)
    node.announce(1)
    node.announce(2)
    assert (await receive(ws))["sequenceId"] == 2
    assert (await receive(ws))["sequenceId"] == 3
    await ws.send('{"type":"sequenceAck","sequenceId":2}')
    await ws.send('{"type":"ping"}')
    await receive(ws)
    ws.transport.abort()
    await eventually(lambda: node.gateway.stats().detached == 1)
    node.announce(3)
    async with connect(recovery_url(node, hello), subprotocols=RELIABLE) as ws:
        replayed = [await receive(ws) for _ in range(3)]
        assert [m["sequenceId"] for m in replayed] == [3, 4, 5]
        assert [m["data"]["rev"] for m in replayed[:2]] == [2, 3]
        assert replayed[2]["data"]["kind"] == "head"
        assert node.gateway.stats().sessions == 1


async def test_recovery_takes_over_from_a_socket_that_still_hangs(node: Node) -> None:
    old = await connect(node.url(), subprotocols=RELIABLE)
    hello = await receive(old)
    async with connect(recovery_url(node, hello), subprotocols=RELIABLE) as new:
        assert (await receive(new))["sequenceId"] == 1
        async with asyncio.timeout(30):
            await old.wait_closed()
        node.announce(4)
        while (await receive(new))["data"]["kind"] != "test":
            pass


async def test_impossible_recovery_is_upgraded_and_closed_with_1008(node: Node) -> None:
    hello = {"connectionId": "gone", "reconnectionToken": "x"}
    async with connect(recovery_url(node, hello), subprotocols=RELIABLE) as ws:
        with pytest.raises(websockets.ConnectionClosed):
            await receive(ws)
        assert (ws.close_code, ws.close_reason) == (1008, "recovery-impossible")


async def test_wrong_reconnection_token_does_not_open_a_session(node: Node) -> None:
    async with connect(node.url(), subprotocols=RELIABLE) as ws:
        hello = await receive(ws) | {"reconnectionToken": "stolen"}
        async with connect(recovery_url(node, hello), subprotocols=RELIABLE) as thief:
            with pytest.raises(websockets.ConnectionClosed):
                await receive(thief)
        await ws.send('{"type":"ping"}')
        while (await receive(ws))["type"] != "pong":
            pass


async def test_clean_close_ends_the_session_at_once(node: Node) -> None:
    async with connect(node.url(), subprotocols=RELIABLE) as ws:
        await receive(ws)
    await eventually(lambda: node.gateway.stats().sessions == 0)
    assert node.gateway.stats().detached == 0


async def test_close_with_1001_keeps_the_session_for_recovery(node: Node) -> None:
    ws = await connect(node.url(), subprotocols=RELIABLE)
    await receive(ws)
    await ws.close(1001)
    await eventually(lambda: node.gateway.stats().detached == 1)


async def test_slow_consumer_is_closed_and_costs_the_others_nothing() -> None:
    async with running_node(GatewaySettings(outbox_bytes=200_000, close_s=60)) as node:
        reader, writer = await asyncio.open_connection("127.0.0.1", node.port, limit=1)
        path = node.url("slow").split(str(node.port), 1)[1]
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n".encode()
        )
        async with connect(node.url("quick"), subprotocols=JSON) as quick:
            await receive(quick)
            await eventually(lambda: node.gateway.stats().sessions == 2)
            for rev in range(1, 400):
                node.announce(rev, user=None, pad="x" * 50_000)
                while (await receive(quick))["data"].get("rev") != rev:
                    pass
                if node.gateway.stats().slow_consumers:
                    break
            assert node.gateway.stats().slow_consumers == 1
            assert node.gateway.stats().sessions == 1
        said, wire = encode_close(1008, "slow-consumer"), b""
        async with asyncio.timeout(30):
            while not wire.endswith(said):
                wire = wire[-100:] + await reader.read(2**16)
        writer.close()


async def test_too_many_connections_close_the_oldest() -> None:
    async with running_node(GatewaySettings(connections_per_user=2)) as node:
        first = await connect(node.url(), subprotocols=JSON)
        others = [await connect(node.url(), subprotocols=JSON) for _ in range(2)]
        async with asyncio.timeout(30):
            await first.wait_closed()
        assert (first.close_code, first.close_reason) == (1008, "too-many-connections")
        for ws in others:
            await ws.close()


async def test_drain_tells_clients_when_to_come_back(node: Node) -> None:
    ws = await connect(node.url(), subprotocols=RELIABLE)
    await receive(ws)
    await node.gateway.drain(0)
    async with asyncio.timeout(30):
        await ws.wait_closed()
    assert ws.close_code == 1001
    assert (ws.close_reason or "").startswith("retry-after-ms=")
    with pytest.raises(websockets.InvalidStatus) as refused:
        await connect(node.url(), subprotocols=RELIABLE)
    assert refused.value.response.status_code == 503


@pytest.mark.parametrize(
    ("frame", "code"),
    [('{"type":"nonsense"}', 1007), ("{", 1007), (b"binary", 1003), ("x" * (2**20 + 1), 1009)],
)
async def test_message_outside_the_protocol_ends_the_connection(
    node: Node, frame: str | bytes, code: int
) -> None:
    async with connect(node.url(), subprotocols=RELIABLE) as ws:
        await receive(ws)
        await ws.send(frame)
        async with asyncio.timeout(30):
            await ws.wait_closed()
        assert ws.close_code == code
    assert node.gateway.stats().detached == 0


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/client/hubs/chat", {}, 401, "token-missing"),
        ("/client/hubs/chat?access_token=a.b.c", {}, 401, "token-malformed"),
        ("/client/hubs/other?access_token={token}", {}, 401, "token-audience"),
        ("/client/hubs/7up?access_token={token}", {}, 400, "invalid-hub"),
        ("/elsewhere?access_token={token}", {}, 404, "not-found"),
        (
            "/client/hubs/chat?access_token={token}",
            {"Origin": "http://evil"},
            403,
            "origin-not-allowed",
        ),
    ],
)
async def test_refusal_is_a_problem_before_the_upgrade(
    node: Node, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    url = f"ws://127.0.0.1:{node.port}{path.format(token=node.token())}"
    with pytest.raises(websockets.InvalidStatus) as refused:
        await connect(url, additional_headers=headers)
    response = refused.value.response
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["vary"] == "origin"
    assert response.body is not None
    assert json.loads(response.body)["code"] == code


async def test_fault_in_the_handshake_is_answered_and_ends_the_connection(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(hub: str, token: str) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(node.gateway, "authenticate", broken)
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with connect(node.url(), subprotocols=RELIABLE, open_timeout=30):
            pass
    assert refused.value.response.status_code == 500


async def test_fault_of_one_timer_entry_does_not_end_the_time_of_all(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance, advances = node.gateway.wheel.advance, []

    def faulty(now_s: float) -> None:
        advances.append(now_s)
        if len(advances) == 1:
            raise RuntimeError("a fault of ours")
        advance(now_s)

    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    monkeypatch.setattr(node.gateway.wheel, "advance", faulty)
    async with asyncio.timeout(30):
        await eventually(lambda: len(advances) >= 2)


async def test_expired_token_is_refused(node: Node) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        await connect(node.url(now_us=0))
    assert refused.value.response.body is not None
    assert json.loads(refused.value.response.body)["code"] == "token-expired"


@pytest.mark.parametrize("origin", ["http://127.0.0.1:{port}", "http://app.example", None])
async def test_own_allowed_and_absent_origins_may_connect(origin: str | None) -> None:
    settings = GatewaySettings(allowed_origins={"chat": ("http://app.example",)})
    async with running_node(settings) as node:
        headers = {} if origin is None else {"Origin": origin.format(port=node.port)}
        async with connect(node.url(), subprotocols=JSON, additional_headers=headers) as ws:
            assert (await receive(ws))["event"] == "connected"


async def test_token_may_come_as_header_and_hub_by_the_old_path(node: Node) -> None:
    url = f"ws://127.0.0.1:{node.port}/client/?hub=Chat"
    headers = {"Authorization": f"Bearer {node.token()}"}
    async with connect(url, subprotocols=JSON, additional_headers=headers) as ws:
        assert (await receive(ws))["event"] == "connected"


async def test_frames_sent_before_the_answer_are_not_lost(node: Node) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    path = node.url(scope=None).split(str(node.port), 1)[1]
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
        f"Sec-WebSocket-Protocol: {JSON[0]}\r\n\r\n".encode()
    )
    await asyncio.sleep(0)
    writer.write(client_frame(1, b'{"type":"ping"}'))
    async with asyncio.timeout(30):
        assert b'"pong"' in await reader.readuntil(b'"pong"}')
    writer.close()


async def test_no_http_object_survives_the_upgrade() -> None:
    async with (
        running_node(http=guarded_protocol(16_384, 10, 30)) as node,
        connect(node.url(), subprotocols=JSON) as ws,
    ):
        await receive(ws)
        gc.collect()
        assert not [o for o in gc.get_objects() if isinstance(o, HttpGuard)]


@pytest.mark.parametrize("kind", ["HTTP", "WebSocket"])
async def test_oversized_head_is_cut_off(kind: str) -> None:
    async with running_node(http=guarded_protocol(16_384, 10, 30)) as node:
        reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
        upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n" if kind == "WebSocket" else ""
        writer.write(f"GET / HTTP/1.1\r\nHost: x\r\n{upgrade}X: {'x' * 20_000}".encode())
        async with asyncio.timeout(30):
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 431 ")
        assert b"head-too-large" in answer
        writer.close()


async def cut_off(session: Session) -> None:
    """Break a connection, and wait until the server knows; its client may well be back by then."""
    cut = session.socket
    assert isinstance(cut, Connection)
    cut._transport.abort()
    await eventually(lambda: session.socket is not cut)


async def test_azure_client_connects_receives_and_recovers(node: Node) -> None:
    connected, messages = asyncio.Queue[str](), asyncio.Queue[Any]()
    client = AsyncWebPubSubClient(node.url())

    async def on_connected(event: Any) -> None:
        connected.put_nowait(event.connection_id)

    async def on_message(event: Any) -> None:
        messages.put_nowait(event.data)

    async with asyncio.timeout(60):
        await client.subscribe(CallbackType.CONNECTED, on_connected)
        await client.subscribe(CallbackType.SERVER_MESSAGE, on_message)
        async with client:
            await connected.get()
            assert (await messages.get())["kind"] == "head"
            node.announce(1)
            assert (await messages.get())["rev"] == 1
            (session,) = node.gateway.hubs
            await cut_off(session)
            node.announce(2)
            while (message := await messages.get())["kind"] == "head":
                pass
            assert message["rev"] == 2
            assert node.gateway.stats().recovered == 1
            assert connected.empty()
    await eventually(lambda: node.gateway.stats().sessions == 0)


ROLES = ("webpubsub.joinLeaveGroup", "webpubsub.sendToGroup")


async def test_azure_clients_talk_in_a_group_and_a_recovery_keeps_the_membership(
    node: Node,
) -> None:
    heard = asyncio.Queue[Any]()
    ada = AsyncWebPubSubClient(node.url("ada", scope=None, roles=ROLES))
    bob = AsyncWebPubSubClient(node.url("bob", scope=None, roles=ROLES))

    async def on_message(event: Any) -> None:
        heard.put_nowait((event.group, event.from_user_id, event.data_type, event.data))

    async with asyncio.timeout(60):
        await bob.subscribe(CallbackType.GROUP_MESSAGE, on_message)
        async with ada, bob:
            await bob.join_group("ops")
            await ada.send_to_group("ops", {"n": 1}, WebPubSubDataType.JSON)
            assert await heard.get() == ("ops", "ada", "json", {"n": 1})
            await ada.send_to_group("ops", "zwei", WebPubSubDataType.TEXT)
            assert await heard.get() == ("ops", "ada", "text", "zwei")
            (session,) = node.gateway.hubs.of_user("chat", "bob")
            await cut_off(session)
            await ada.send_to_group("ops", memoryview(b"\x03"), WebPubSubDataType.BINARY)
            *_, data_type, data = await heard.get()
            assert (data_type, bytes(data)) == ("binary", b"\x03")
            await bob.leave_group("ops")
            assert not node.gateway.hubs.of_group("chat", "ops")


async def test_groups_of_a_token_are_joined_and_its_bad_ones_refused(node: Node) -> None:
    async with connect(
        node.url(scope=None, groups=["g"], roles=ROLES), subprotocols=JSON
    ) as member:
        await receive(member)
        await member.send('{"type":"sendToGroup","group":"g","data": {"a": 1},"ackId":1}')
        echo = await member.recv()
        assert echo == (
            '{"type":"message","from":"group","group":"g","fromUserId":"u1","dataType":"json","data":{"a": 1}}'
        )
        assert (await receive(member))["success"] is True
        await member.send('{"type":"sendToGroup","group":"g","data":1,"noEcho":true,"ackId":2}')
        assert (await receive(member))["ackId"] == 2
    with pytest.raises(websockets.InvalidStatus) as refused:
        await connect(node.url(scope=None, groups=["x" * 1025]))
    assert refused.value.response.status_code == 400


async def test_synchronous_azure_client_connects_receives_and_gets_its_acks(node: Node) -> None:
    messages = queue.Queue[Any]()

    def talk() -> Any:
        client = WebPubSubClient(node.url(), message_retry_total=0)
        client.subscribe(CallbackType.SERVER_MESSAGE, lambda event: messages.put(event.data))
        with client:
            assert messages.get(timeout=30)["kind"] == "head"
            loop.call_soon_threadsafe(node.announce, 1)
            assert messages.get(timeout=30)["rev"] == 1
            with pytest.raises(SendMessageError) as failed:
                client.join_group("ops")
        return failed.value

    loop = asyncio.get_running_loop()
    async with asyncio.timeout(60):
        error = await asyncio.to_thread(talk)
    assert error.error_detail.name == "Forbidden"
