"""Rate limits as settings of a whole node, over real sockets: for callers of the API, backends with access keys, clients."""

import asyncio
import contextlib
import json
from pathlib import Path

import websockets
from azure.messaging.webpubsubservice.aio import WebPubSubServiceClient
from websockets.asyncio.client import ClientConnection

from tests.wire.data_plane import Plane, data_plane, receive
from tests.wire.served_node import serving

RATES = {"key_requests": 3, "key_window_s": 3600}
MESSAGES = 50
CLIENTS = {"connection_messages": MESSAGES, "connection_window_s": 3600}


async def test_a_node_limits_its_callers_as_it_is_set(tmp_path: Path) -> None:
    async with serving(tmp_path, rates=RATES) as served:
        for left in (2, 1, 0):
            answer = await served.http.get("/v1/inbox?user=ada", headers=served.key)
            assert answer.headers["ratelimit-policy"] == '"key";q=3;w=3600'
            assert answer.headers["ratelimit"].startswith(f'"key";r={left};t=')
        refused = await served.http.get("/v1/inbox?user=ada", headers=served.key)
        assert (refused.status_code, refused.json()["code"]) == (429, "rate-limited")
        assert 1 <= int(refused.headers["retry-after"]) <= 1200
        assert refused.headers["ratelimit"].startswith('"key";r=0;')


async def test_a_hubs_access_keys_are_limited_together_and_other_hubs_are_not(
    tmp_path: Path,
) -> None:
    async with data_plane(tmp_path, rates=RATES) as chat:
        keyring = chat.served.node.keyring
        shop = Plane(chat.served, await keyring.open_hub("shop"), "shop")
        async with chat.client("ada") as (ada, _):  # its token was the first of three requests
            for number in (1, 2):
                assert (await chat.ask("POST", "/:send", number)).status_code == 202
            for key in chat.keys:
                for path in ("/:send", "/users/ada/:send"):
                    refused = await chat.ask("POST", path, 3, key=key)
                    assert refused.status_code == 429
                    assert refused.headers["x-ms-error-code"] == "Error.TooManyRequests"
                    assert 1 <= int(refused.headers["retry-after"]) <= 1200
            assert (await shop.ask("POST", "/:send", 4)).status_code == 202
            stolen = await chat.ask("POST", "/:send", 5, key=shop.keys[0])
            assert stolen.status_code == 401
            own, _ = await keyring.create("chat", "server", "backend")
            last = await chat.ask("POST", "/:send", 6, {"authorization": f"Bearer {own}"})
            assert last.status_code == 202
            assert [(await receive(ada))["data"] for _ in range(3)] == [1, 2, 6]


async def test_microsofts_package_waits_as_it_is_told_and_then_succeeds(tmp_path: Path) -> None:
    statuses: list[int] = []
    async with data_plane(tmp_path, rates={"key_requests": 2, "key_window_s": 2}) as chat:
        text = f"Endpoint={chat.base};AccessKey={chat.keys[0].decode()};Version=1.0;"
        async with (
            chat.client("ada") as (ada, _),
            WebPubSubServiceClient.from_connection_string(
                text,
                hub="chat",
                raw_response_hook=lambda told: statuses.append(told.http_response.status_code),
            ) as service,
        ):
            sent = 0
            while 429 not in statuses:
                await service.send_to_all({"number": sent})
                sent += 1
            assert [status for status in statuses if status != 429] == [202] * sent
            heard = [(await receive(ada))["data"]["number"] for _ in range(sent)]
            assert heard == list(range(sent))


async def test_a_client_that_sends_too_much_is_closed_and_others_go_on(tmp_path: Path) -> None:
    roles = ("webpubsub.joinLeaveGroup.g", "webpubsub.sendToGroup.g")
    async with (
        data_plane(tmp_path, rates=CLIENTS) as chat,
        chat.client("ada", *roles) as (hasty, _),
        chat.client("ben", *roles) as (ben, _),
    ):
        await ben.send('{"type":"joinGroup","group":"g","ackId":1}')
        assert (await receive(ben))["success"]
        for _ in range(MESSAGES - 10):
            await ping(hasty)
        with contextlib.suppress(websockets.ConnectionClosed):
            for number in range(MESSAGES):
                await hasty.send(told(number))
        async with asyncio.timeout(30):
            await hasty.wait_closed()
        assert (hasty.close_code, hasty.close_reason) == (1008, "rate-limited")
        await ben.send(told("by ben"))
        heard = []
        while "by ben" not in heard:
            heard.append((await receive(ben))["data"])
        assert heard[:-1] == list(range(len(heard) - 1)), "some came, in order"
        assert len(heard) - 1 <= 10, "what came too fast was done"


async def ping(socket: ClientConnection) -> None:
    await socket.send('{"type":"ping"}')
    assert await receive(socket) == {"type": "pong"}


def told(data: int | str) -> str:
    return json.dumps({"type": "sendToGroup", "group": "g", "data": data})
