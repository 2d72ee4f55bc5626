"""Applications on ``@azure/web-pubsub-express`` behind a hub, with ``@azure/web-pubsub-client`` in front of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until
from tests.acceptance.handler_process import HandlerProcess, handler_process, raise_events
from tests.acceptance.server_process import ServerProcess
from tests.acceptance.webpubsub_speech import generate_schema

pytestmark = pytest.mark.acceptance

HUB = "chat"
JSON = Subprotocol("json.webpubsub.azure.v1")
PROTOBUF = Subprotocol("protobuf.webpubsub.azure.v1")
SYSTEM = ("connect", "connected", "disconnected")


@pytest.fixture
def server(make_server: MakeServer) -> ServerProcess:
    """A server that may call this machine."""
    server = make_server()
    (server.folder / "tocsin.toml").write_text('[outbound]\nallow = ["127.0.0.1"]\n')
    return server.start()


@pytest.fixture
def handler(node: Path, server: ServerProcess) -> Iterator[HandlerProcess]:
    with handler_process(node, HUB) as handler:
        add(server, handler)
        yield handler


def add(server: ServerProcess, handler: HandlerProcess) -> str:
    system = [word for event in SYSTEM for word in ("--system-event", event)]
    events = ["--user-events", "*", *system]
    return server.cli("event-handler", "add", handler.url, *events, "--hub", HUB)


def client_url(server: ServerProcess) -> str:
    return server.cli("client-token", "ada", "--hub", HUB)


def refusal(server: ServerProcess, query: str = "") -> int:
    with pytest.raises(InvalidStatus) as refused:
        connect(client_url(server) + query, subprotocols=[JSON])
    return refused.value.response.status_code


def test_microsofts_client_and_middleware_understand_each_other(
    node: Path, server: ServerProcess, handler: HandlerProcess
) -> None:
    said = raise_events(node, client_url(server))
    assert said["told"] == [
        ["text", "text"],
        ["json", {"a": [1, None]}],
        ["binary", [0, 255]],
        ["text", "1 connect"],
        ["text", "2 connect"],
        ["text", "try 2"],
        ["ops", "made", "to all"],
    ]
    results = said["results"]
    assert (results["refuse"], results["break"]) == ("InternalServerError",) * 2
    assert results["elsewhere"] == "Forbidden"
    assert results["text"]["data"] == "q"
    assert results["json"]["data"] == {"q": 1}
    assert "data" not in results["quiet"]
    assert results["refused"] == "InternalServerError"
    assert (results["cancelled"], results["after"]) == ("cancelled", "done")
    until(lambda: handler.names()[-1] == "disconnected", "the end is told")
    names = handler.names()
    assert (names[0], names[1], names.count("disconnected")) == ("connect", "connected", 1)
    [opening] = [one for one in handler.told if one["event"] == "connect"]
    assert opening["user"] == "ada"
    assert opening["claims"]["sub"] == ["ada"]


def test_protobuf_clients_and_the_middleware_understand_each_other(
    server: ServerProcess, handler: HandlerProcess, tmp_path: Path
) -> None:
    schema = generate_schema(tmp_path)
    kinds, data = schema.UpstreamMessage, schema.MessageData
    packed = data(text_data="inside")
    anything = data()
    anything.protobuf_data.Pack(packed)

    with connect(client_url(server), subprotocols=[PROTOBUF]) as client:

        def hear() -> Any:
            said = client.recv(30)
            assert isinstance(said, bytes)
            return schema.DownstreamMessage.FromString(said)

        def ask(**member: Any) -> None:
            client.send(kinds(**member).SerializeToString())

        assert hear().system_message.connected_message.user_id == "made"
        echoes = [data(text_data="text"), data(binary_data=b"\0\xff"), data(json_data='{"a": 1}')]
        for number, sent in enumerate(echoes, 1):
            ask(event_message=kinds.EventMessage(event="echo", data=sent, ack_id=number))
        told: list[Any] = []
        while len(told) < 6:
            told.append(hear())
        heard = [one.data_message.data for one in told if one.HasField("data_message")]
        assert heard == [echoes[0], echoes[1], data(text_data='{"a":1}')]
        acks = [one.ack_message for one in told if one.HasField("ack_message")]
        assert [(ack.ack_id, ack.success) for ack in acks] == [(1, True), (2, True), (3, True)]

        ask(event_message=kinds.EventMessage(event="quiet", data=anything, ack_id=4))
        # The middleware has no reader for application/x-protobuf and leaves such a request to others: 404.
        refused = hear().ack_message
        assert (refused.error.name, "404" in refused.error.message) == ("InternalServerError", True)
        ask(event_message=kinds.EventMessage(event="quiet", data=packed, ack_id=4))
        assert hear().ack_message.success

        ask(event_message=kinds.EventMessage(event="refuse", data=packed, ack_id=5))
        refused = hear().ack_message
        assert (refused.ack_id, refused.success, refused.error.name) == (
            5,
            False,
            "InternalServerError",
        )
        invoke = kinds.InvokeEventMessage(event="echo", invocation_id="i1", data=packed)
        ask(invoke_event_message=invoke)
        answer = hear().invoke_response_message
        assert (answer.invocation_id, answer.success, answer.data) == ("i1", True, packed)
        invoke = kinds.InvokeEventMessage(event="break", invocation_id="i2", data=packed)
        ask(invoke_event_message=invoke)
        answer = hear().invoke_response_message
        assert (answer.success, answer.error.name) == (False, "InternalServerError")
    [opening] = [one for one in handler.told if one["event"] == "connect"]
    assert opening["user"] == "ada"


def test_an_application_refuses_a_client(server: ServerProcess, handler: HandlerProcess) -> None:
    assert refusal(server, "&as=nobody") == 401
    assert refusal(server, "&as=stranger") == 400
    until(lambda: handler.names() == ["connect", "connect"], "both were asked about")


def test_an_application_that_names_other_services_is_not_called(
    node: Path, server: ServerProcess
) -> None:
    with handler_process(node, HUB, "https://other.example") as handler:
        handler_id = add(server, handler)
        tried = server.try_cli("event-handler", "test", handler_id, "--hub", HUB)
        assert "WebHook-Allowed-Origin" in tried.stderr
        assert tried.returncode == 1
        assert refusal(server) == 500
        assert handler.names() == []


def test_an_application_that_names_this_service_is_called(
    node: Path, server: ServerProcess
) -> None:
    with handler_process(node, HUB, server.url) as handler:
        handler_id = add(server, handler)
        server.cli("event-handler", "test", handler_id, "--hub", HUB)
        with connect(client_url(server), subprotocols=[JSON]) as ws:
            assert json.loads(ws.recv())["userId"] == "made"


def test_an_application_that_is_down_refuses_clients_until_it_is_back(
    node: Path, server: ServerProcess, handler: HandlerProcess
) -> None:
    handler.stop()
    assert refusal(server) == 500
    handler.start()

    def connects() -> bool:
        try:
            with connect(client_url(server), subprotocols=[JSON]):
                return True
        except InvalidStatus:
            return False

    until(connects, "the handshake is made again")


def test_event_handlers_outlive_the_server(server: ServerProcess, handler: HandlerProcess) -> None:
    server.restart()
    with connect(client_url(server), subprotocols=[JSON]) as ws:
        assert json.loads(ws.recv())["userId"] == "made"
    assert handler.url in server.cli("event-handler", "list", "--hub", HUB)
    handler_id = server.cli("event-handler", "list", "--hub", HUB).splitlines()[-1].split()[0]
    server.cli("event-handler", "remove", handler_id, "--hub", HUB)
    with connect(client_url(server), subprotocols=[JSON]) as ws:
        assert json.loads(ws.recv())["userId"] == "ada"


def test_a_stopping_server_tells_of_the_ends_of_connections(
    server: ServerProcess, handler: HandlerProcess
) -> None:
    with connect(client_url(server), subprotocols=[JSON]) as ws:
        ws.recv()
        server.stop()
        told = ["connect", "connected", "disconnected"]
        until(lambda: handler.names() == told, "the application was told of all")
