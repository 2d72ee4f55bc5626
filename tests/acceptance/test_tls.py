"""Tocsin ends TLS itself: browsers' pages, Microsoft's packages that refuse http, and sockets come encrypted."""

import functools
import ssl
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.acceptance.conftest import MakeServer
from tests.acceptance.official_clients import call_npm_service
from tests.acceptance.server_process import ServerProcess
from tests.wire.certificates import authority_and_server

pytestmark = pytest.mark.acceptance

JSON = [Subprotocol("json.webpubsub.azure.v1")]
PATIENCE_S = 30.0


@pytest.fixture
def authority(folder: Path) -> Path:
    """The authority that vouches for this server, whose key and chain are in ``server.pem`` beside it."""
    return authority_and_server(folder, "localhost")[0]


@pytest.fixture
def encrypted(make_server: MakeServer, authority: Path) -> ServerProcess:
    """A running server with TLS of its own, which calls itself localhost."""
    chain = str(authority.with_name("server.pem"))
    server = make_server(options=("--tls-cert", chain, "--tls-key", chain))
    server.env["TOCSIN_PUBLIC_URL"] = f"https://localhost:{server.port}"
    return server.start()


def test_an_alert_goes_its_whole_way_encrypted(encrypted: ServerProcess, authority: Path) -> None:
    trust = ssl.create_default_context(cafile=authority)
    key = encrypted.key("server") | {"content-type": "application/json"}
    with httpx.Client(
        base_url=encrypted.env["TOCSIN_PUBLIC_URL"], verify=trust, timeout=PATIENCE_S
    ) as http:
        issued = http.post("/v1/client-tokens", json={"user_id": "ada"}, headers=key).json()
        assert issued["url"].startswith(f"wss://localhost:{encrypted.port}/client/hubs/default")
        with connect(issued["url"], subprotocols=JSON, ssl=trust) as socket:
            assert '"connected"' in str(socket.recv(timeout=PATIENCE_S))
            producer = encrypted.key("producer")
            alert = {"to": {"users": ["ada"]}, "title": "Over TLS"}
            assert http.post("/v1/alerts", json=alert, headers=producer).status_code == 202
            while "Over TLS" not in str(socket.recv(timeout=PATIENCE_S)):
                pass
            alert = {"to": {"all": True}, "title": "To everybody"}
            assert http.post("/v1/alerts", json=alert, headers=producer).status_code == 202
            while "To everybody" not in str(socket.recv(timeout=PATIENCE_S)):
                pass
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"https://127.0.0.1:{encrypted.port}/healthz", verify=trust, timeout=PATIENCE_S)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"http://localhost:{encrypted.port}/healthz", timeout=PATIENCE_S)


def test_npm_takes_a_server_key_for_a_credential(
    encrypted: ServerProcess, authority: Path, node: Path
) -> None:
    endpoint = encrypted.env["TOCSIN_PUBLIC_URL"]
    key = encrypted.cli("key", "create", "--role", "server", "--hub", "Chat")
    foreign = encrypted.cli("key", "create", "--role", "server", "--hub", "Other")
    send, find = (None, "sendToAll", {"a": 1}), (None, "userExists", "nobody")
    call = functools.partial(call_npm_service, node, endpoint, authority=authority)
    assert call(send, find, key=key) == [None, False]
    [token] = call((None, "getClientAccessToken", {"userId": "ada"}), key=key)
    trust = ssl.create_default_context(cafile=authority)
    with connect(token["url"], subprotocols=JSON, ssl=trust) as socket:
        assert '"userId":"ada"' in str(socket.recv(timeout=PATIENCE_S)).replace(" ", "")
    [refused] = call(send, key=foreign)
    assert refused["status"] == 403
    signed = encrypted.cli("connection-string", "--hub", "Chat")
    assert signed.startswith(f"Endpoint={endpoint};")
    assert call_npm_service(node, signed, send, authority=authority) == [None]
