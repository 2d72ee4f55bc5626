"""Microsoft's service packages, as they come from PyPI and npm, against a real server: every public operation."""

import io
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.core.rest import HttpRequest
from azure.messaging.webpubsubservice import WebPubSubServiceClient
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.acceptance.official_clients import call_npm_service
from tests.acceptance.server_process import ServerProcess

pytestmark = pytest.mark.acceptance

JSON = [Subprotocol("json.webpubsub.azure.v1")]
USER = "u/1 é"
PATIENCE_S = 30.0
# 8,192 characters, most of which are percent-encoded: a name of 4,090 quotes.
LONGEST_FILTER = "userId ne " + "'" * 8_182


class ServerKey:
    """An API key of Tocsin where Azure has an Entra ID credential."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken(self._text, 2**33)


@pytest.fixture(scope="module")
def connection_string(shared_server: ServerProcess) -> str:
    return shared_server.cli("connection-string", "--hub", "chat")


@pytest.fixture(scope="module")
def service(connection_string: str) -> Iterator[WebPubSubServiceClient]:
    with WebPubSubServiceClient.from_connection_string(connection_string, hub="Chat") as client:
        yield client


@contextmanager
def online(service: WebPubSubServiceClient) -> Iterator[tuple[ClientConnection, str]]:
    """Connect a client with a token that the package signed; yields its id too."""
    url = service.get_client_access_token(user_id=USER)["url"]
    with connect(url, subprotocols=JSON) as socket:
        yield socket, receive(socket)["connectionId"]


def receive(socket: ClientConnection) -> Any:
    return json.loads(socket.recv(timeout=PATIENCE_S))


def closed_with(socket: ClientConnection) -> str:
    """Return what a client is told when it is closed on purpose."""
    told = receive(socket)
    with pytest.raises(ConnectionClosed):
        socket.recv(timeout=PATIENCE_S)
    return str(told["message"])


def test_python_sends_to_whoever_is_meant(service: WebPubSubServiceClient) -> None:
    with online(service) as (socket, name):
        service.add_connection_to_group("g one", name)
        service.send_to_all({"a": 1}, filter="userId eq 'u/1 é'", excluded=["c 1", "c2"])
        service.send_to_user(USER, "hi", content_type="text/plain")
        service.send_to_group("g one", "hi")
        service.send_to_connection(
            name, io.BytesIO(b"\x01"), content_type="application/octet-stream"
        )
        told = [receive(socket) for _ in range(4)]
        assert [one["data"] for one in told] == [{"a": 1}, "hi", "hi", "AQ=="]
        assert [one["dataType"] for one in told] == ["json", "text", "json", "binary"]
        assert told[2]["group"] == "g one"
        with pytest.raises(HttpResponseError) as refused:
            service.send_to_all("x", filter="invalid filter")
        assert refused.value.status_code == 400
        assert "Syntax error at position 14" in str(refused.value)


def test_python_sends_the_longest_filter_and_eight_hundred_excluded(
    service: WebPubSubServiceClient,
) -> None:
    excluded = [secrets.token_urlsafe(16) for _ in range(799)]
    with online(service) as (one, _), online(service) as (other, name):
        service.send_to_all("filtered", filter=LONGEST_FILTER)
        service.send_to_all("not to the other", excluded=[*excluded, name])
        service.send_to_all("last")
        told = [receive(one)["data"] for _ in range(3)], [receive(other)["data"] for _ in range(2)]
        assert told == (["filtered", "not to the other", "last"], ["filtered", "last"])
    with pytest.raises(HttpResponseError) as refused:
        service.send_to_all("x", filter=f"{LONGEST_FILTER} ")
    assert refused.value.status_code == 400


def test_python_asks_and_changes_who_is_where(service: WebPubSubServiceClient) -> None:
    with online(service) as (_, name):
        assert service.connection_exists(name)
        assert service.user_exists(USER)
        service.add_user_to_group("g", USER)
        assert service.group_exists("g")
        assert [one.connection_id for one in service.list_connections(group="g", top=5)] == [name]
        service.remove_user_from_group("g", USER)
        service.add_connection_to_group("g", name)
        service.remove_connection_from_group("g", name)
        service.add_connection_to_group("g", name)
        service.remove_connection_from_all_groups(name)
        service.add_user_to_group("g", USER)
        service.remove_user_from_all_groups(USER)
        assert not service.group_exists("g")
        service.grant_permission("joinLeaveGroup", name, target_name="g")
        assert service.has_permission("joinLeaveGroup", name, target_name="g")
        service.revoke_permission("joinLeaveGroup", name, target_name="g")
        assert not service.has_permission("joinLeaveGroup", name, target_name="g")


def test_python_is_told_what_is_not_there(service: WebPubSubServiceClient) -> None:
    assert not service.connection_exists("c9")
    assert not service.user_exists("nobody")
    assert not service.group_exists("nowhere")
    service.send_to_connection("c9", "x")
    service.close_connection("c9")
    service.remove_connection_from_group("g", "c9")
    with pytest.raises(ResourceNotFoundError) as missing:
        service.add_connection_to_group("g", "c9")
    response: Any = missing.value.response
    assert response.headers["x-ms-error-code"] == "Error.Connection.NotExisted"
    with pytest.raises(ResourceNotFoundError):
        service.add_user_to_group("g", "nobody")
    with pytest.raises(ResourceNotFoundError):
        service.grant_permission("sendToGroup", "c9", target_name="g")
    with pytest.raises(HttpResponseError) as unnamed:
        service.revoke_permission("sendToGroup", "c9")
    assert unnamed.value.status_code == 400


def test_python_closes_connections(service: WebPubSubServiceClient) -> None:
    with online(service) as (socket, name):
        service.close_connection(name, reason="drill")
        assert closed_with(socket).endswith("Reason: drill")
    with online(service) as (socket, _):
        service.close_user_connections(USER, reason="user", excluded=["c9"])
        assert closed_with(socket).endswith("Reason: user")
    with online(service) as (socket, name):
        service.add_connection_to_group("g", name)
        service.close_group_connections("g", reason="group")
        assert closed_with(socket).endswith("Reason: group")
    with online(service) as (socket, _):
        service.close_all_connections(reason="all")
        assert closed_with(socket).endswith("Reason: all")


def test_python_gets_a_client_token_with_an_api_key(
    shared_server: ServerProcess, service: WebPubSubServiceClient
) -> None:
    text = shared_server.key("server", "chat")["authorization"].removeprefix("Bearer ")
    named = WebPubSubServiceClient(shared_server.url, "Chat", ServerKey(text))
    url = named.get_client_access_token(
        user_id="ada", roles=["webpubsub.sendToGroup"], groups=["g"], enforce_https=False
    )["url"]
    with connect(url, subprotocols=JSON) as socket:
        assert receive(socket)["userId"] == "ada"
        assert service.group_exists("g")


def test_python_reads_health_and_follows_pages(service: WebPubSubServiceClient) -> None:
    assert service.send_request(HttpRequest("HEAD", "/api/health")).status_code == 200
    with online(service) as (_, one), online(service) as (_, two):
        service.add_user_to_group("pages", USER)
        pages = service.list_connections(group="pages", params={"maxpagesize": 1})
        assert [member.connection_id for member in pages] == sorted([one, two])


def test_a_wrong_key_is_refused(connection_string: str) -> None:
    endpoint = connection_string.partition(";")[0]
    wrong = WebPubSubServiceClient.from_connection_string(
        f"{endpoint};AccessKey={'k' * 64};Version=1.0;", hub="Chat"
    )
    with pytest.raises(ClientAuthenticationError):
        wrong.send_to_all("x")


def test_a_connection_string_opens_one_hub(
    shared_server: ServerProcess, connection_string: str
) -> None:
    own = shared_server.cli("connection-string", "--hub", "orders")
    with WebPubSubServiceClient.from_connection_string(own, hub="orders") as service:
        service.send_to_all("x")
    with (
        WebPubSubServiceClient.from_connection_string(connection_string, hub="orders") as service,
        pytest.raises(ClientAuthenticationError),
    ):
        service.send_to_all("x")


def test_npm_sends_asks_and_changes(
    node: Path, connection_string: str, service: WebPubSubServiceClient
) -> None:
    plain = {"contentType": "text/plain"}
    named = {"targetName": "g"}
    with online(service) as (socket, name):
        steps: list[tuple[tuple[Any, ...], Any]] = [
            ((None, "sendToAll", {"a": 1}, {"filter": "userId ne null"}), None),
            ((None, "sendToAll", {"a": 2}, {"filter": LONGEST_FILTER}), None),
            ((None, "sendToUser", USER, "hi", plain), None),
            ((None, "sendToConnection", name, "hi", {**plain, "messageTtlSeconds": 30}), None),
            (("g", "addConnection", name), None),
            (("g", "sendToAll", "hi", plain), None),
            ((None, "connectionExists", name), True),
            ((None, "userExists", USER), True),
            ((None, "groupExists", "g"), True),
            (("g", "listConnections"), [{"connectionId": name, "userId": USER}]),
            (("g", "removeConnection", name), None),
            ((None, "groupExists", "g"), False),
            (("g", "addUser", USER), None),
            (("g", "removeUser", USER), None),
            ((None, "addConnectionsToGroups", ["g", "h"], "userId eq 'u/1 é'"), None),
            ((None, "groupExists", "h"), True),
            ((None, "removeConnectionsFromGroups", ["g"], "true"), None),
            ((None, "groupExists", "g"), False),
            ((None, "removeUserFromAllGroups", USER), None),
            ((None, "removeConnectionFromAllGroups", name), None),
            ((None, "groupExists", "h"), False),
            ((None, "grantPermission", name, "sendToGroup", named), None),
            ((None, "hasPermission", name, "sendToGroup", named), True),
            ((None, "revokePermission", name, "sendToGroup", named), None),
            ((None, "hasPermission", name, "sendToGroup", named), False),
            ((None, "closeConnection", name, {"reason": "drill"}), None),
        ]
        assert call_npm_service(node, connection_string, *[step for step, _ in steps]) == [
            value for _, value in steps
        ]
        told = [receive(socket)["data"] for _ in range(5)]
        assert told == [{"a": 1}, {"a": 2}, "hi", "hi", "hi"]
        assert closed_with(socket).endswith("Reason: drill")


def test_npm_closes_many_and_is_told_what_is_not_there(
    node: Path, connection_string: str, service: WebPubSubServiceClient
) -> None:
    for group, call, *args in (
        (None, "closeAllConnections", {"reason": "all"}),
        (None, "closeUserConnections", USER, {"reason": "user"}),
        ("g", "closeAllConnections", {"reason": "group"}),
    ):
        with online(service) as (socket, name):
            service.add_connection_to_group("g", name)
            assert call_npm_service(node, connection_string, (group, call, *args)) == [None]
            assert "Reason: " in closed_with(socket)
    missing, bad, [token] = (
        call_npm_service(node, connection_string, step)
        for step in (
            ("g", "addConnection", "c9"),
            (None, "sendToAll", {"a": 1}, {"filter": "invalid filter"}),
            (None, "getClientAccessToken", {"userId": "ada"}),
        )
    )
    assert missing == [{"status": 404, "code": "Error.Connection.NotExisted"}]
    assert bad[0]["status"] == 400
    with connect(token["url"], subprotocols=JSON) as socket:
        assert receive(socket)["userId"] == "ada"
