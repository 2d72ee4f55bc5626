"""Applications on ``@azure/web-pubsub-express`` behind a hub, with ``@azure/web-pubsub-client`` in front of it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until
from tests.acceptance.handler_process import HandlerProcess, handler_process, raise_events
from tests.acceptance.server_process import ServerProcess

pytestmark = pytest.mark.acceptance

HUB = "chat"
JSON = Subprotocol("json.webpubsub.azure.v1")
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


def test_an_application_refuses_a_client(server: ServerProcess, handler: HandlerProcess) -> None:
    assert refusal(server, "&as=nobody") == 401
    assert handler.names() == ["connect"]


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
        assert handler.names() == ["connect", "connected", "disconnected"]
