"""What members of a group say of themselves, over real sockets and in two protocols."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.wire.gateway_fixture import Node, running_node
from tocsin.model.protobuf_wire import Fields, block_field, text_field

ROLES = ["webpubsub.setGroupState", "webpubsub.getGroupState"]


@contextlib.asynccontextmanager
async def member(node: Node, user: str, protocol: str) -> AsyncIterator[ClientConnection]:
    """Connect somebody who is in the group from the start, and hear the greeting."""
    url = node.url(user, scope=None, roles=ROLES, groups=["ops"])
    name = Subprotocol(f"{protocol}.webpubsub.azure.v1")
    async with connect(url, subprotocols=[name]) as ws, asyncio.timeout(30):
        await ws.recv()
        yield ws


async def hears(ws: ClientConnection, found: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Return the first thing heard that is wanted."""
    while True:
        said: dict[str, Any] = json.loads(await ws.recv())
        if found(said):
            return said


async def test_a_state_is_told_to_who_subscribed_and_goes_with_its_connection() -> None:
    async with (
        running_node() as node,
        member(node, "ada", "json.reliable") as ada,
    ):
        await ada.send('{"type":"subscribeGroupState","group":"ops","ackId":1}')
        snapshot = json.loads(await ada.recv())
        assert (snapshot["type"], snapshot["items"], snapshot["sequenceId"]) == (
            "groupStateSnapshot",
            [],
            1,
        )
        assert json.loads(await ada.recv()) == {"type": "ack", "ackId": 1, "success": True}
        async with member(node, "bob", "protobuf") as bob:
            state = block_field(3, block_field(1, text_field(1, "at") + text_field(2, "desk")))
            await bob.send(block_field(15, text_field(1, "ops") + state))
            update = await hears(ada, lambda said: said["type"] == "groupStateUpdate")
            [item] = update["items"]
            assert (item["userId"], item["state"]) == ("bob", {"at": "desk"})
            await bob.send(block_field(16, text_field(1, "ops")))
            told = await bob.recv()
            assert isinstance(told, bytes)
            snapshot_block = Fields(told).block(10)
            assert snapshot_block is not None
            assert Fields(snapshot_block).text(1) == "ops"
        gone = await hears(ada, lambda said: said["type"] == "groupStateUpdate")
        assert (gone["items"][0]["connectionId"], "state" in gone["items"][0]) == (
            item["connectionId"],
            False,
        )


async def test_who_has_not_the_role_is_refused_and_goes_on() -> None:
    async with running_node() as node:
        url = node.url("eve", scope=None, groups=["ops"])
        name = Subprotocol("json.webpubsub.azure.v1")
        async with connect(url, subprotocols=[name]) as eve, asyncio.timeout(30):
            await eve.recv()
            for kind in ("setGroupState", "subscribeGroupState"):
                await eve.send(f'{{"type":"{kind}","group":"ops","ackId":1,"state":{{}}}}')
                assert json.loads(await eve.recv())["error"]["name"] == "Forbidden"
