"""Microsoft's asynchronous service package for Python: every public operation, behind a proxy, and when answers are lost."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.rest import HttpRequest
from azure.messaging.webpubsubservice.aio import WebPubSubServiceClient
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.acceptance.moody_proxy import moody_proxy_to
from tests.acceptance.server_process import ServerProcess

pytestmark = pytest.mark.acceptance

JSON = [Subprotocol("json.webpubsub.azure.v1")]
USER = "u/1 é"
PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def connection_string(shared_server: ServerProcess) -> str:
    return shared_server.cli("connection-string", "--hub", "aio")


@pytest.fixture
async def service(connection_string: str) -> AsyncIterator[WebPubSubServiceClient]:
    async with WebPubSubServiceClient.from_connection_string(
        connection_string, hub="aio"
    ) as client:
        yield client


@asynccontextmanager
async def online(
    service: WebPubSubServiceClient,
) -> AsyncIterator[tuple[ClientConnection, str]]:
    """Connect a client with a token that the package signed; yields its id too."""
    token = await service.get_client_access_token(user_id=USER)
    async with connect(token["url"], subprotocols=JSON) as socket:
        yield socket, (await receive(socket))["connectionId"]


async def receive(socket: ClientConnection) -> Any:
    async with asyncio.timeout(PATIENCE_S):
        return json.loads(await socket.recv())


async def closed_with(socket: ClientConnection) -> str:
    """Return what a client is told when it is closed on purpose."""
    told = await receive(socket)
    with pytest.raises(ConnectionClosed):
        await receive(socket)
    return str(told["message"])


async def test_it_sends_to_whoever_is_meant(service: WebPubSubServiceClient) -> None:
    async with online(service) as (socket, name):
        await service.add_connection_to_group("g one", name)
        await service.send_to_all({"a": 1}, filter="userId eq 'u/1 é'", excluded=["c 1"])
        await service.send_to_user(USER, "hi", content_type="text/plain")
        await service.send_to_group("g one", "hi")
        await service.send_to_connection(
            name, io.BytesIO(b"\x01"), content_type="application/octet-stream"
        )
        told = [await receive(socket) for _ in range(4)]
        assert [one["data"] for one in told] == [{"a": 1}, "hi", "hi", "AQ=="]
        with pytest.raises(HttpResponseError) as refused:
            await service.send_to_all("x", filter="invalid filter")
        assert refused.value.status_code == 400


async def test_it_asks_and_changes_who_is_where(service: WebPubSubServiceClient) -> None:
    async with online(service) as (_, name):
        assert await service.connection_exists(name)
        assert await service.user_exists(USER)
        await service.add_user_to_group("g", USER)
        assert await service.group_exists("g")
        members = [one.connection_id async for one in service.list_connections(group="g", top=5)]
        assert members == [name]
        await service.remove_user_from_group("g", USER)
        await service.add_connection_to_group("g", name)
        await service.remove_connection_from_group("g", name)
        await service.add_connection_to_group("g", name)
        await service.remove_connection_from_all_groups(name)
        await service.add_user_to_group("g", USER)
        await service.remove_user_from_all_groups(USER)
        assert not await service.group_exists("g")
        await service.grant_permission("joinLeaveGroup", name, target_name="g")
        assert await service.has_permission("joinLeaveGroup", name, target_name="g")
        await service.revoke_permission("joinLeaveGroup", name, target_name="g")
        assert not await service.has_permission("joinLeaveGroup", name, target_name="g")
        answer = await service.send_request(HttpRequest("HEAD", "/api/health"))
        assert answer.status_code == 200


async def test_it_is_told_what_is_not_there(service: WebPubSubServiceClient) -> None:
    assert not await service.connection_exists("c9")
    assert not await service.user_exists("nobody")
    assert not await service.group_exists("nowhere")
    with pytest.raises(ResourceNotFoundError):
        await service.add_connection_to_group("g", "c9")
    with pytest.raises(ResourceNotFoundError):
        await service.add_user_to_group("g", "nobody")
    with pytest.raises(ResourceNotFoundError):
        await service.grant_permission("sendToGroup", "c9", target_name="g")


async def test_it_closes_connections(service: WebPubSubServiceClient) -> None:
    async with online(service) as (socket, name):
        await service.close_connection(name, reason="drill")
        assert (await closed_with(socket)).endswith("Reason: drill")
    async with online(service) as (socket, _):
        await service.close_user_connections(USER, reason="user", excluded=["c9"])
        assert (await closed_with(socket)).endswith("Reason: user")
    async with online(service) as (socket, name):
        await service.add_connection_to_group("g", name)
        await service.close_group_connections("g", reason="group")
        assert (await closed_with(socket)).endswith("Reason: group")
    async with online(service) as (socket, _):
        await service.close_all_connections(reason="all")
        assert (await closed_with(socket)).endswith("Reason: all")


async def test_it_goes_through_a_reverse_proxy(
    shared_server: ServerProcess, connection_string: str
) -> None:
    async with (
        moody_proxy_to(shared_server.url) as proxy,
        WebPubSubServiceClient.from_connection_string(
            connection_string, hub="aio", reverse_proxy_endpoint=proxy.url
        ) as service,
        online(service) as (socket, _),
    ):
        await service.send_to_user(USER, "hi")
        assert (await receive(socket))["data"] == "hi"
        assert len(proxy.request_ids) == 1


async def test_what_it_repeats_because_answers_were_lost_is_sent_once(
    shared_server: ServerProcess, connection_string: str
) -> None:
    async with (
        moody_proxy_to(shared_server.url) as proxy,
        WebPubSubServiceClient.from_connection_string(
            connection_string, hub="aio", reverse_proxy_endpoint=proxy.url
        ) as service,
        online(service) as (socket, _),
    ):
        proxy.answers_lost = 2
        await service.send_to_user(USER, "once")
        await service.send_to_user(USER, "then")
        assert [(await receive(socket))["data"] for _ in range(2)] == ["once", "then"]
        first, second, third, other = proxy.request_ids
        assert first == second == third != other
