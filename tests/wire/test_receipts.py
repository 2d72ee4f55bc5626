"""Receipts over a real socket: by the protocol's acknowledgement, and as an event."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.wire.gateway_fixture import Node, eventually, running_node

RELIABLE = [Subprotocol("json.reliable.webpubsub.azure.v1")]


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    async with running_node() as node:
        yield node


async def receive(ws: websockets.ClientConnection, kind: str) -> dict[str, Any]:
    """Return the next message of a kind."""
    while True:
        message: dict[str, Any] = json.loads(await ws.recv())
        if message["type"] == kind:
            return message


async def test_acknowledging_a_frame_says_that_its_alerts_were_received(node: Node) -> None:
    async with connect(f"{node.url()}&device=phone", subprotocols=RELIABLE) as ws:
        head = await receive(ws, "message")
        node.announce(1, alert_ids=("a1",))
        frame = await receive(ws, "message")
        assert frame["sequenceId"] == head["sequenceId"] + 1
        await ws.send(json.dumps({"type": "sequenceAck", "sequenceId": frame["sequenceId"]}))
        await eventually(lambda: len(node.notes.told) == 2)
    facts = [(one.fact, one.alert_id, one.user, one.device) for one in node.notes.told]
    assert facts == [("written", "a1", "u1", "phone"), ("received", "a1", "u1", "phone")]


async def test_receipts_come_as_an_event_and_are_acknowledged(node: Node) -> None:
    async with connect(node.url(), subprotocols=RELIABLE) as ws:
        connected = await receive(ws, "system")
        event = {"type": "event", "event": "tocsin.receipts", "dataType": "json"}
        good = {"receipts": [{"alert_id": "a1", "fact": "shown"}]}
        await ws.send(json.dumps({**event, "ackId": 1, "data": good}))
        assert await receive(ws, "ack") == {"type": "ack", "ackId": 1, "success": True}
        await ws.send(json.dumps({**event, "ackId": 2, "data": {"receipts": [{"alert_id": "a1"}]}}))
        refused = await receive(ws, "ack")
        assert (refused["ackId"], refused["error"]["name"]) == (2, "BadRequest")
    [told] = node.notes.told
    assert (told.fact, told.device) == ("shown", connected["connectionId"])


async def test_a_token_without_the_inbox_scope_has_no_receipts(node: Node) -> None:
    async with connect(node.url(scope=None), subprotocols=RELIABLE) as ws:
        data = {"receipts": [{"alert_id": "a1", "fact": "shown"}]}
        event = {"type": "event", "event": "tocsin.receipts", "ackId": 1, "data": data}
        await ws.send(json.dumps(event))
        assert (await receive(ws, "ack"))["success"] is False
    assert node.notes.told == []


async def test_a_device_that_is_no_identifier_is_refused_at_the_door(node: Node) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with connect(f"{node.url()}&device={'d' * 257}", subprotocols=RELIABLE):
            pass
    assert refused.value.response.status_code == 400
