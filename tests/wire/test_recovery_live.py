"""Recovery over real sockets: what is asked of a client that comes back, what it keeps, and what is told to others."""

import asyncio
import json
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.wire.gateway_fixture import Node, eventually, running_node
from tocsin.realtime.settings import GatewaySettings, Replay

JSON = Subprotocol("json.reliable.webpubsub.azure.v1")
PROTOBUF = Subprotocol("protobuf.reliable.webpubsub.azure.v1")
ROLES = ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"]


async def receive(ws: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(30):
        message: dict[str, Any] = json.loads(await ws.recv())
        return message


async def dropped(node: Node, *requests: str) -> dict[str, Any]:
    """Connect, make some requests that are acknowledged, lose the socket, and return ``connected``."""
    url = node.url(scope=None, roles=ROLES)
    async with connect(url, subprotocols=[JSON], proxy=None) as ws:
        hello = await receive(ws)
        for request in requests:
            await ws.send(request)
            while (await receive(ws))["type"] != "ack":
                pass
        ws.transport.abort()
    await eventually(lambda: node.gateway.stats().detached == 1)
    return hello


def back(node: Node, hello: dict[str, Any], *offered: Subprotocol, token: str = "") -> connect:
    access = f"access_token={token}&" if token else ""
    return connect(
        f"ws://127.0.0.1:{node.port}/client/hubs/chat?{access}awps_connection_id={hello['connectionId']}"
        f"&awps_reconnection_token={hello['reconnectionToken']}",
        subprotocols=offered or [JSON],
        proxy=None,
    )


async def alive(ws: ClientConnection) -> None:
    """See that the connection is one, and that nothing was said on it before."""
    await ws.send('{"type":"ping"}')
    assert await receive(ws) == {"type": "pong"}


async def test_an_access_token_is_not_looked_at() -> None:
    async with running_node() as node:
        for token in ("", node.token(ttl_s=-3600), node.token(hub="other"), "rubbish"):
            async with back(node, await dropped(node), token=token) as ws:
                assert ws.subprotocol == JSON
                await alive(ws)
        assert node.gateway.stats().recovered == 4


async def test_groups_rights_and_done_requests_are_kept() -> None:
    join = '{"type":"joinGroup","group":"g","ackId":1}'
    async with running_node() as node, back(node, await dropped(node, join)) as ws:
        await ws.send(join)
        assert (await receive(ws))["error"]["name"] == "Duplicate"
        await ws.send('{"type":"sendToGroup","group":"g","ackId":2,"data":1}')
        message, ack = await receive(ws), await receive(ws)
        assert (message["group"], message["fromUserId"], message["sequenceId"]) == ("g", "u1", 1)
        assert ack["success"] is True


@pytest.mark.parametrize(
    ("offered", "named"), [([PROTOBUF, JSON], JSON), ([PROTOBUF], None), ([JSON], JSON)]
)
async def test_the_protocol_stays_whatever_is_offered(
    offered: list[Subprotocol], named: Subprotocol | None
) -> None:
    async with running_node() as node, back(node, await dropped(node), *offered) as ws:
        assert ws.subprotocol == named
        await alive(ws)


async def test_who_has_too_much_not_acknowledged_cannot_come_back() -> None:
    settings = GatewaySettings(replay=Replay(messages=2))
    send = '{"type":"sendToGroup","group":"g","ackId":%d,"data":1}'
    requests = ['{"type":"joinGroup","group":"g","ackId":0}', *(send % n for n in (1, 2))]
    async with running_node(settings) as node:
        async with back(node, await dropped(node, *requests)) as ws:
            assert [(await receive(ws))["sequenceId"] for _ in range(2)] == [1, 2]
        url = node.url(scope=None, roles=ROLES)
        async with connect(url, subprotocols=[JSON], proxy=None) as ws:
            hello = await receive(ws)
            for request in [*requests, send % 3]:
                await ws.send(request)
                while (await receive(ws))["type"] != "ack":
                    pass
            ws.transport.abort()
        await eventually(lambda: node.gateway.stats().sessions == 0)
        async with back(node, hello) as ws, asyncio.timeout(30):
            with pytest.raises(websockets.ConnectionClosed):
                await ws.recv()
            assert (ws.close_code, ws.close_reason) == (1008, "recovery-impossible")


async def test_a_message_whose_time_is_over_is_not_replayed() -> None:
    settings = GatewaySettings()
    async with running_node(settings) as node:
        hello = await dropped(node, '{"type":"joinGroup","group":"g","ackId":0}')
        speaker = node.url("u2", scope=None, roles=ROLES)
        async with connect(speaker, subprotocols=[JSON], proxy=None) as ws:
            await receive(ws)
            for number, ttl in enumerate((1, 300, 0)):
                await ws.send(
                    f'{{"type":"sendToGroup","group":"g","ackId":{number},"data":{number},"ttlSeconds":{ttl}}}'
                )
                await receive(ws)
        (session,) = node.gateway.hubs.of_user("chat", "u1")
        (first, *_) = session._queue
        await eventually(lambda: node.gateway.now_s() > first.expires_s)
        async with back(node, hello) as ws:
            replayed = [await receive(ws), await receive(ws)]
        assert [(m["data"], m["sequenceId"]) for m in replayed] == [(1, 2), (2, 3)]


async def test_who_reads_slowly_gets_all_that_is_kept_for_a_recovery_and_what_comes_meanwhile() -> (
    None
):
    """Ten megabytes wait: more than for a client without recovery, and more than the kernel takes from the server."""
    settings = GatewaySettings(outbox_bytes=50_000)
    async with running_node(settings) as node:
        async with connect(node.url(), subprotocols=[JSON], proxy=None) as ws:
            hello = await receive(ws)
            ws.transport.pause_reading()
            (session,) = node.gateway.hubs
            for rev in range(1, 201):
                node.announce(rev, pad="x" * 50_000)
            await eventually(lambda: session.waiting > settings.outbox_bytes)
            ws.transport.abort()
        await eventually(lambda: node.gateway.stats().detached == 1)
        async with back(node, hello) as ws:
            ws.transport.pause_reading()
            await eventually(lambda: settings.outbox_bytes < session.waiting < session.held)
            node.announce(201)
            ws.transport.resume_reading()
            came = [await receive(ws)]
            while came[-1]["data"]["rev"] != 201:
                came.append(await receive(ws))
        assert node.gateway.stats().slow_consumers == 0
    # Each of the two connections is told where the store stands (rev 0), before or after the last of these.
    told = [message["data"] for message in came]
    assert [data["rev"] for data in told if data["kind"] == "test"] == [*range(1, 202)]
    assert [message["sequenceId"] for message in came] == [*range(1, len(came) + 1)]
