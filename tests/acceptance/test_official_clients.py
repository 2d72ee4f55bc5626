"""Microsoft's own clients, as they come from PyPI and npm, against a real server."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.acceptance.deadlines import until_async
from tests.acceptance.official_clients import JSON, RELIABLE, OfficialClient
from tests.acceptance.server_process import ServerProcess
from tests.acceptance.tcp_proxy import TcpProxy, proxy_to

pytestmark = pytest.mark.acceptance

KINDS = ("python", "python-aio", "npm")
HEARS_S = 120.0  # a client that waits for its server looks for its old connection for 30 s before it opens another
MORE_THAN_IS_KEPT = 1_100  # a session keeps 1,000 unacknowledged messages for its recovery


@dataclass
class Setting:
    """A server, a user of this test alone, and the network between them."""

    server: ServerProcess
    key: Mapping[str, str]
    user: str
    network: TcpProxy

    def client_url(self) -> str:
        """Get a client URL for the user, with the address of the network in it."""
        url = self.server.client_token(self.key, self.user)["url"]
        return url.replace(str(self.server.port), str(self.network.port), 1)

    async def publish(self, *titles: str) -> None:
        """Publish alerts to the user, one after the other."""
        for title in titles:
            answer = await asyncio.to_thread(
                self.server.publish, self.key, to={"users": [self.user]}, title=title
            )
            assert answer.status_code == 202, answer.text

    async def broadcast(self, *titles: str) -> None:
        """Publish alerts to everybody, in batches."""
        alerts = [{"to": {"all": True}, "title": title} for title in titles]
        for start in range(0, len(alerts), 1_000):
            answer = await asyncio.to_thread(
                self.server.request,
                "POST",
                "/v1/alerts/batch",
                json={"alerts": alerts[start : start + 1_000]},
                headers=self.key,
            )
            assert {result["status"] for result in answer.json()["results"]} == {"accepted"}


@pytest.fixture(scope="module")
def key(shared_server: ServerProcess) -> Mapping[str, str]:
    """A server key; it may also publish."""
    return shared_server.key("server")


@pytest.fixture
async def setting(shared_server: ServerProcess, key: Mapping[str, str]) -> AsyncIterator[Setting]:
    """A user nobody has heard of."""
    async with proxy_to(shared_server.port) as network:
        yield Setting(shared_server, key, f"user-{secrets.token_hex(4)}", network)


@pytest.fixture
async def client(
    request: pytest.FixtureRequest, setting: Setting, node: Path
) -> AsyncIterator[OfficialClient]:
    """An open client of the user: of one kind, over one protocol."""
    kind, protocol = request.param
    client = make_client(kind, setting.client_url(), protocol, node)
    async with running(client):
        yield client


every_client = pytest.mark.parametrize(
    "client", [(kind, RELIABLE) for kind in KINDS], ids=KINDS, indirect=True
)
every_client_of_both_protocols = pytest.mark.parametrize(
    "client",
    [(kind, protocol) for kind in KINDS for protocol in (RELIABLE, JSON)],
    ids=" ".join,
    indirect=True,
)


def make_client(kind: str, url: str, protocol: str, node: Path) -> OfficialClient:
    """Make one of Microsoft's clients."""
    match kind:
        case "python":
            return OfficialClient.python(url, protocol)
        case "python-aio":
            return OfficialClient.python_aio(url, protocol)
        case _:
            return OfficialClient.npm(node, url, protocol)


@contextlib.asynccontextmanager
async def running(client: OfficialClient) -> AsyncIterator[None]:
    """Run a client, from when it knows where its inbox stands."""
    await client.start()
    try:
        await hears(lambda: client.connected and client.heads(), "where its inbox stands")
        yield
    finally:
        await client.stop()


async def hears(found: Callable[[], object], what: str) -> None:
    """Wait until a client was told of something."""

    async def find() -> bool:
        return bool(found())

    await until_async(find, f"the client hears of {what}", HEARS_S)


async def sends(network: TcpProxy, size: int, what: str) -> None:
    """Wait until a client has sent ``size`` bytes from now on."""
    before = network.upward

    async def find() -> bool:
        return network.upward - before >= size

    await until_async(find, f"the client sends {what}")


@every_client_of_both_protocols
async def test_it_connects_and_gets_inbox_frames_from_the_server(
    request: pytest.FixtureRequest, setting: Setting, client: OfficialClient
) -> None:
    assert client.messages == client.heads()
    await setting.publish("First", "Second")
    await hears(lambda: client.titles() == ["First", "Second"], "two alerts")
    await setting.broadcast("For everybody")
    await hears(lambda: client.broadcasts() == ["For everybody"], "a broadcast")
    assert {message["tocsin"] for message in client.messages} == {1}
    is_reliable = RELIABLE in request.node.callspec.params["client"]
    assert {sequence is not None for sequence in client.sequences} == {is_reliable}


@every_client
async def test_it_recovers_a_dropped_connection_and_misses_nothing(
    setting: Setting, client: OfficialClient
) -> None:
    await setting.publish("Before")
    await hears(lambda: client.titles() == ["Before"], "an alert")
    setting.network.cut()
    await setting.publish("While away")
    await hears(lambda: len(client.titles()) == 2, "what it missed")
    await setting.publish("Afterwards")
    await hears(lambda: len(client.titles()) == 3, "what comes afterwards")
    assert client.titles() == ["Before", "While away", "Afterwards"]
    assert setting.network.accepted == 2
    assert len(client.connected) == 1, "the same connection goes on"
    assert client.disconnected == []


@every_client
async def test_what_was_written_into_a_dead_network_comes_after_recovery(
    setting: Setting, client: OfficialClient
) -> None:
    titles = [f"Lost {number}" for number in range(5)]
    setting.network.stall()
    await setting.publish(*titles)
    setting.network.cut()  # the server does not hear of it: its side of the connection hangs on
    setting.network.resume()
    await hears(lambda: len(client.titles()) == 5, "what was swallowed")
    assert client.titles() == titles
    assert len(client.connected) == 1
    assert client.disconnected == []


@every_client
async def test_its_acknowledgements_keep_a_connection_recoverable(
    setting: Setting, client: OfficialClient
) -> None:
    titles = [f"Number {number}" for number in range(MORE_THAN_IS_KEPT)]
    await setting.broadcast(*titles)
    await hears(lambda: client.broadcasts() == titles, "all alerts")
    await setting.publish("One more")
    await sends(setting.network, len('{"type":"sequenceAck","sequenceId":1000}'), "an ack")
    setting.network.cut()
    await setting.publish("After all")
    await hears(lambda: client.titles() == ["One more", "After all"], "the last")
    assert len(client.connected) == 1
    assert client.disconnected == []


@every_client
async def test_after_a_server_restart_it_gets_a_fresh_connection(
    setting: Setting, client: OfficialClient
) -> None:
    await setting.publish("Before the crash")
    await hears(lambda: client.titles() == ["Before the crash"], "an alert")
    await asyncio.to_thread(setting.server.restart)
    await hears(lambda: len(client.connected) == 2, "a fresh connection")
    await hears(lambda: len(client.heads()) == 2, "where it stands")
    first, second = client.connected
    assert first != second
    assert [head["rev"] for head in client.heads()] == [0, 1], "the inbox is the one of before"
    await setting.publish("After the crash")
    await hears(lambda: "After the crash" in client.titles(), "an alert")


async def test_the_npm_client_is_kept_alive_by_its_own_pings(setting: Setting, node: Path) -> None:
    client = OfficialClient.npm(node, setting.client_url(), RELIABLE, keepAliveIntervalInMs=100)
    async with running(client):
        heard = setting.network.downward
        await sends(setting.network, 50 * len('{"type":"ping"}'), "about fifty pings")
        pongs = 50 * len('{"type":"pong"}')
        await hears(lambda: setting.network.downward - heard >= pongs, "as many pongs")
        await setting.publish("Still there")
        await hears(lambda: client.titles() == ["Still there"], "an alert")
        assert setting.network.accepted == 1
        assert client.disconnected == []


@pytest.mark.parametrize("subprotocol", [RELIABLE, JSON])
async def test_a_ping_is_answered_with_a_pong(setting: Setting, subprotocol: str) -> None:
    async with (
        asyncio.timeout(120),
        connect(setting.client_url(), subprotocols=[Subprotocol(subprotocol)]) as socket,
    ):
        assert socket.subprotocol == subprotocol
        await socket.send('{"type":"ping"}')
        assert '{"type":"pong"}' in [await socket.recv() for _ in range(3)]


async def test_only_what_was_not_acknowledged_is_sent_again(setting: Setting) -> None:
    url = setting.client_url()
    async with asyncio.timeout(120):
        async with connect(url, subprotocols=[Subprotocol(RELIABLE)]) as socket:
            hello = json.loads(await socket.recv())
            await socket.recv()  # the head
            for number, title in enumerate(["One", "Two", "Three"], start=2):
                await setting.publish(title)
                assert json.loads(await socket.recv())["sequenceId"] == number
            await socket.send('{"type":"sequenceAck","sequenceId":3}')
            await socket.send('{"type":"ping"}')
            await socket.recv()  # the pong: the acknowledgement has been read
            setting.network.cut()
        recovery = (
            f"{url}&awps_connection_id={hello['connectionId']}"
            f"&awps_reconnection_token={hello['reconnectionToken']}"
        )
        async with connect(recovery, subprotocols=[Subprotocol(RELIABLE)]) as socket:
            again = json.loads(await socket.recv())
            assert again["sequenceId"] == 4
            assert again["data"]["items"][0]["alert"]["title"] == "Three"
