"""A whole node with an application behind a hub, and clients of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
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
from tocsin.ports.event_handlers import Dealings, Line
from tocsin.realtime.tokens import sign_token

HUB = "chat"
JSON = "json.webpubsub.azure.v1"
RELIABLE = "json.reliable.webpubsub.azure.v1"
LOOPBACK: Mapping[str, Any] = {"allow": ["127.0.0.1"], "connect_s": 60, "total_s": 60}
OPENING = ["connect", "connected"]
ALL = [*OPENING, "disconnected"]


class Stage:
    """A node, an application behind its hub, and clients."""

    def __init__(self, served: Served, app: HandlerApp) -> None:
        self.served = served
        self.app = app
        self.endpoint = str(served.http.base_url).rstrip("/")
        self.host = self.endpoint.partition("://")[2]

    async def url(
        self, user: str | None = "ada", query: str = "", hub: str = HUB, **claims: Any
    ) -> str:
        node = self.served.node
        token, _ = sign_token(
            await node.keyring.open_hub(hub),
            endpoint=self.endpoint,
            hub=hub,
            user=user,
            ttl_s=60,
            now_us=node.clock.now_us(),
            **claims,
        )
        address = self.endpoint.replace("http", "ws", 1)
        return f"{address}/client/hubs/{hub}?access_token={token}{query}"

    @asynccontextmanager
    async def client(
        self, *subprotocols: str, user: str | None = "ada", query: str = "", **claims: Any
    ) -> AsyncIterator[ClientConnection]:
        offered = [Subprotocol(one) for one in subprotocols] or None
        url = await self.url(user, query, **claims)
        async with connect(url, subprotocols=offered) as ws:
            yield ws

    async def told_of(self, user: str = "ada") -> Line:
        """Wait until the application was told that a user is connected, and answered; return the line to it."""
        [session] = self.served.node.gateway.hubs.of_user(HUB, user)
        assert session.talk is not None
        line = session.talk.line
        await eventually(lambda: (line.dealings() or Dealings()).events == len(OPENING))
        return line

    async def refusal(self, *subprotocols: str, query: str = "") -> tuple[int, dict[str, Any]]:
        with pytest.raises(InvalidStatus) as refused:
            async with self.client(*subprotocols, query=query):
                pass
        response = refused.value.response
        return response.status_code, json.loads(response.body or b"{}")


@asynccontextmanager
async def staged(
    tmp_path: Path,
    *,
    system: Sequence[str] = ALL,
    user: str = "*",
    outbound: Mapping[str, Any] = LOOPBACK,
    event_handlers: Mapping[str, Any] | None = None,
    **settings: Any,
) -> AsyncIterator[Stage]:
    asking = {"timeout_s": 60, **(event_handlers or {})}
    async with handling() as app:
        handler = {
            "url": app.url,
            "system_events": system,
            "user_events": user,
            "authorization": "Bearer s3cret",
        }
        hubs = {HUB: {"event_handlers": [handler]}}
        async with serving(
            tmp_path, hubs=hubs, outbound=outbound, event_handlers=asking, **settings
        ) as served:
            yield Stage(served, app)


async def receive(ws: ClientConnection) -> Any:
    async with asyncio.timeout(30):
        return json.loads(await ws.recv())


def event(name: str, ack_id: int, **more: Any) -> str:
    request = {"type": "event", "event": name, "ackId": ack_id, "dataType": "text", "data": "x"}
    return json.dumps({**request, **more})


async def send_event(ws: ClientConnection, name: str, ack_id: int, **more: Any) -> None:
    await ws.send(event(name, ack_id, **more))


async def heard_out(ws: ClientConnection) -> None:
    """See that the server has taken all that was sent, and has answered nothing of it."""
    await ws.send('{"type":"ping"}')
    assert await receive(ws) == {"type": "pong"}


def says(told: Any = None, **response: Any) -> Answer:
    """Answer with JSON, or with what ``web.Response`` takes."""

    async def answer(_asked: Asked) -> web.Response:
        if told is not None:
            return web.json_response(told, **response)
        return web.Response(**response)

    return answer


def in_turn(*answers: Answer) -> Answer:
    """Answer with each of these in turn."""
    left = list(answers)

    async def answer(asked: Asked) -> web.Response:
        return await left.pop(0)(asked)

    return answer
