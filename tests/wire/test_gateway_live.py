"""The gateway behind a real uvicorn and uvloop, spoken to by real clients."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.wire.gateway_fixture import Node, running_node

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
