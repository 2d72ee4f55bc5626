"""Event handlers behind a whole node, over sockets."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from tests.wire.gateway_fixture import eventually
from tests.wire.handler_app import Answer, Asked, HandlerApp, handling
from tests.wire.served_node import Served, serving
from tocsin.realtime.tokens import sign_token

HUB = "chat"
JSON = "json.webpubsub.azure.v1"
RELIABLE = "json.reliable.webpubsub.azure.v1"
ALL = ["connect", "connected", "disconnected"]


class Stage:
    """A node, an application behind its hub, and clients."""

    def __init__(self, served: Served, app: HandlerApp) -> None:
        self.served = served
        self.app = app
        self.endpoint = str(served.http.base_url).rstrip("/")

    async def url(self, user: str | None = "ada", query: str = "", **claims: Any) -> str:
        node = self.served.node
        token, _ = sign_token(
            await node.keyring.access_keys(HUB),
            endpoint=self.endpoint,
            hub=HUB,
            user=user,
            ttl_s=60,
            now_us=node.clock.now_us(),
            **claims,
        )
        address = self.endpoint.replace("http", "ws", 1)
        return f"{address}/client/hubs/{HUB}?access_token={token}{query}"

    @asynccontextmanager
    async def client(
        self, *subprotocols: str, user: str | None = "ada", query: str = "", **claims: Any
    ) -> AsyncIterator[ClientConnection]:
        offered = [Subprotocol(one) for one in subprotocols] or None
        url = await self.url(user, query, **claims)
        async with connect(url, subprotocols=offered) as ws:
            yield ws

    async def refusal(self, *subprotocols: str) -> tuple[int, dict[str, Any]]:
        with pytest.raises(InvalidStatus) as refused:
            async with self.client(*subprotocols):
                pass
        response = refused.value.response
        return response.status_code, json.loads(response.body or b"{}")


@asynccontextmanager
async def staged(
    tmp_path: Path, *, system: Sequence[str] = ALL, user: str = "*", **settings: Any
) -> AsyncIterator[Stage]:
    async with handling() as app:
        handler = {
            "url": app.url,
            "system_events": system,
            "user_events": user,
            "authorization": "Bearer s3cret",
        }
        hubs = {HUB: {"event_handlers": [handler]}}
        outbound = {"allow": ["127.0.0.1"]}
        async with serving(tmp_path, hubs=hubs, outbound=outbound, **settings) as served:
            yield Stage(served, app)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as stage:
        yield stage


async def receive(ws: ClientConnection) -> Any:
    async with asyncio.timeout(30):
        return json.loads(await ws.recv())


async def send_event(ws: ClientConnection, name: str, ack_id: int, **more: Any) -> None:
    request = {"type": "event", "event": name, "ackId": ack_id, "dataType": "text", "data": "x"}
    await ws.send(json.dumps({**request, **more}))


def says(body: Any = None, **response: Any) -> Answer:
    """Answer with JSON, or with what ``web.Response`` takes."""

    async def answer(_asked: Asked) -> web.Response:
        if body is not None:
            return web.json_response(body, **response)
        return web.Response(**response)

    return answer


def in_turn(*answers: Answer) -> Answer:
    """Answer with each of these in turn."""
    left = list(answers)

    async def answer(asked: Asked) -> web.Response:
        return await left.pop(0)(asked)

    return answer


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
