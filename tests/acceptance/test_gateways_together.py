"""Two gateways on one PostgreSQL and one NATS, for Microsoft's unmodified packages: everybody is found from everywhere."""

import asyncio
import io
import json
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, NamedTuple

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.messaging.webpubsubclient.aio import WebPubSubClient
from azure.messaging.webpubsubclient.models import (
    CallbackType,
    OnConnectedArgs,
    OnDisconnectedArgs,
    OnGroupDataMessageArgs,
    OnServerDataMessageArgs,
    SendMessageError,
    WebPubSubDataType,
)
from azure.messaging.webpubsubservice.aio import WebPubSubServiceClient

from tests.acceptance.conftest import server_maker
from tests.acceptance.deadlines import until_async
from tests.acceptance.server_process import ServerProcess
from tests.acceptance.tcp_proxy import Streams, TcpProxy, proxy_by
from tests.ports.nats_server import NatsServer
from tests.ports.postgres_server import PostgresServer
from tocsin.api.seal import KEY_FILE

pytestmark = pytest.mark.acceptance

HUB = "chat"
PATIENCE_S = 60.0
ROLES = ["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"]
TEXT: Final = WebPubSubDataType.TEXT
JSON: Final = WebPubSubDataType.JSON


class Pair(NamedTuple):
    """Two gateways, and the connection string of each."""

    one: ServerProcess
    two: ServerProcess
    at: tuple[str, str]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Start two gateways with one key file."""
    postgres, nats = PostgresServer(), NatsServer()
    try:
        postgres.start()
        nats.start()
        env = {"TOCSIN_STORE": postgres.create(), "TOCSIN_FANOUT": nats.url}
        with server_maker() as make:
            one, two = make(env=env), make(env=env)
            one.env["TOCSIN_OTHER_URLS"] = two.env["TOCSIN_OTHER_URLS"] = json.dumps(
                [one.url, two.url]
            )
            one.start()
            two.data_dir.mkdir(mode=0o700)
            shutil.copy(one.data_dir / KEY_FILE, two.data_dir)
            two.start()
            first = one.cli("connection-string", "--hub", HUB)
            second = two.cli("connection-string", "--hub", HUB)
            yield Pair(one, two, (first, second))
    finally:
        nats.remove()
        postgres.remove()


class Services(NamedTuple):
    """Microsoft's service package, once for each gateway."""

    one: WebPubSubServiceClient
    two: WebPubSubServiceClient


@pytest.fixture
async def services(pair: Pair) -> AsyncIterator[Services]:
    connect = WebPubSubServiceClient.from_connection_string
    async with connect(pair.at[0], hub=HUB) as one, connect(pair.at[1], hub=HUB) as two:
        yield Services(one, two)


class Online:
    """Microsoft's client, connected, and what it was told, in order."""

    def __init__(self, client: WebPubSubClient) -> None:
        self.client = client
        self.id = ""
        self.heard: list[Any] = []
        self.gone: list[str | None] = []

    async def listen(self) -> None:
        subscribe = self.client.subscribe
        await subscribe(CallbackType.CONNECTED, self._connected)
        await subscribe(CallbackType.DISCONNECTED, self._disconnected)
        await subscribe(CallbackType.SERVER_MESSAGE, self._message)
        await subscribe(CallbackType.GROUP_MESSAGE, self._message)

    async def _connected(self, event: OnConnectedArgs) -> None:
        self.id = event.connection_id

    async def _disconnected(self, event: OnDisconnectedArgs) -> None:
        self.gone.append(event.message)

    async def _message(self, event: OnGroupDataMessageArgs | OnServerDataMessageArgs) -> None:
        self.heard.append(event.data)

    async def hears(self, *said: object) -> None:
        """Wait until it has heard exactly this."""

        async def heard() -> bool:
            return len(self.heard) >= len(said)

        await until_async(heard, f"{said} is heard, {self.heard} was", PATIENCE_S)
        assert self.heard == list(said)


@asynccontextmanager
async def online(
    service: WebPubSubServiceClient, user: str, *groups: str, roles: Sequence[str] = ROLES
) -> AsyncIterator[Online]:
    """Connect a client to the gateway of a service client."""
    token = await service.get_client_access_token(
        user_id=user, roles=list(roles), groups=list(groups)
    )
    made = Online(WebPubSubClient(token["url"], auto_reconnect=False, message_retry_total=0))
    await made.listen()
    async with made.client:
        yield made


async def test_rest_sends_reach_connections_of_the_other_gateway_in_their_order(
    services: Services,
) -> None:
    async with (
        online(services.one, "bo", "sends") as bo,
        online(services.two, "ada", "sends") as ada,
    ):
        both: list[object] = []
        for service in services:
            for number in range(20):
                await service.send_to_group("sends", {"n": number})
            both += [{"n": number} for number in range(20)]
            await ada.hears(*both)
            await bo.hears(*both)
        await services.one.send_to_user("ada", "to ada", content_type="text/plain")
        await services.one.send_to_connection(
            ada.id, "to her connection", content_type="text/plain"
        )
        only_ada = "userId eq 'ada'"
        await services.one.send_to_group("sends", {"only": "ada"}, filter=only_ada)
        await services.one.send_to_all({"all": "but bo"}, excluded=[bo.id])
        await services.one.send_to_group(
            "sends", io.BytesIO(b"\0\xff"), content_type="application/octet-stream"
        )
        more = ("to ada", "to her connection", {"only": "ada"}, {"all": "but bo"}, b"\0\xff")
        await ada.hears(*both, *more)
        await bo.hears(*both, b"\0\xff")


async def test_clients_of_both_gateways_talk_in_a_group(services: Services) -> None:
    async with online(services.one, "bo") as bo, online(services.two, "ada") as ada:
        await bo.client.join_group("talk")
        await ada.client.join_group("talk")
        for number in range(20):
            await ada.client.send_to_group("talk", {"n": number}, JSON)
        await ada.client.send_to_group("talk", "no echo", TEXT, no_echo=True)
        await ada.client.send_to_group("talk", "last", TEXT)
        numbers = [{"n": number} for number in range(20)]
        await bo.hears(*numbers, "no echo", "last")
        await ada.hears(*numbers, "last")
        await bo.client.leave_group("talk")
        await ada.client.send_to_group("talk", "unheard by bo", TEXT)
        await ada.client.join_group("after")
        await bo.client.join_group("after")
        await ada.client.send_to_group("after", "heard by both", TEXT)
        await bo.hears(*numbers, "no echo", "last", "heard by both")


async def test_who_is_there_is_known_everywhere(services: Services) -> None:
    one = services.one
    async with online(services.two, "eve", "there") as eve:
        assert await one.connection_exists(eve.id)
        assert await one.user_exists("eve")
        assert await one.group_exists("there")
        assert not await one.connection_exists("nobody")
        assert not await one.user_exists("nobody")
        assert not await one.group_exists("nowhere")


async def test_memberships_are_given_and_taken_from_the_other_gateway(services: Services) -> None:
    one = services.one
    async with online(services.two, "mo") as here, online(services.one, "mo") as there:
        await one.add_connection_to_group("rest", here.id)
        await services.two.send_to_group("rest", {"n": 1})
        await here.hears({"n": 1})
        await one.remove_connection_from_group("rest", here.id)
        await one.add_user_to_group("rest", "mo")  # both
        await services.two.send_to_group("rest", {"n": 2})
        await here.hears({"n": 1}, {"n": 2})
        await there.hears({"n": 2})
        await one.remove_user_from_group("rest", "mo")
        assert not await one.group_exists("rest")
        await one.add_user_to_group("rest", "mo")
        await one.remove_user_from_all_groups("mo")
        assert not await services.two.group_exists("rest")
        with pytest.raises(ResourceNotFoundError):
            await one.add_user_to_group("rest", "nobody")
        with pytest.raises(ResourceNotFoundError):
            await one.add_connection_to_group("rest", "nobody")


async def test_permissions_are_given_and_taken_from_the_other_gateway(services: Services) -> None:
    one = services.one
    async with (
        online(services.two, "pat", roles=()) as pat,
        online(services.one, "bo", "narrow") as bo,
    ):
        permission = ("sendToGroup", pat.id)
        assert not await one.has_permission(*permission, target_name="narrow")
        with pytest.raises(SendMessageError):
            await pat.client.send_to_group("narrow", "too early", TEXT)
        await one.grant_permission(*permission, target_name="narrow")
        assert await one.has_permission(*permission, target_name="narrow")
        await pat.client.send_to_group("narrow", "allowed", TEXT)
        await bo.hears("allowed")
        await one.revoke_permission(*permission, target_name="narrow")
        assert not await services.two.has_permission(*permission, target_name="narrow")
        with pytest.raises(ResourceNotFoundError):
            await one.grant_permission("sendToGroup", "nobody", target_name="narrow")


async def test_a_group_is_listed_over_both_gateways_page_by_page(services: Services) -> None:
    async with (
        online(services.one, "a", "listed") as first,
        online(services.one, "b", "listed") as second,
        online(services.two, "b", "listed") as third,
        online(services.two, "c", "listed") as fourth,
    ):
        everybody = sorted(one.id for one in (first, second, third, fourth))
        for service in services:
            found = [one.connection_id async for one in service.list_connections(group="listed")]
            assert found == everybody
            some = service.list_connections(group="listed", top=3)
            assert [one.connection_id async for one in some] == everybody[:3]


async def test_connections_are_closed_from_the_other_gateway(services: Services) -> None:
    async with (
        online(services.two, "x", "closed") as first,
        online(services.two, "y", "closed") as second,
        online(services.one, "y", "closed") as third,
    ):
        await services.one.close_connection(first.id, reason="enough")
        await until_async(lambda: gone(first), "the first has gone", PATIENCE_S)
        assert "enough" in (first.gone[0] or "")
        await services.one.close_user_connections("y", excluded=[third.id])
        await until_async(lambda: gone(second), "the second has gone", PATIENCE_S)
        assert third.gone == []
        await services.two.close_group_connections("closed")
        await until_async(lambda: gone(third), "the third has gone", PATIENCE_S)


async def gone(one: Online) -> bool:
    return bool(one.gone)


async def has_heard(one: Online, count: int) -> bool:
    return len(one.heard) >= count


async def test_a_repeat_of_a_send_that_comes_to_the_other_gateway_is_not_sent_again(
    services: Services,
) -> None:
    async with online(services.two, "rae", "repeats") as rae:
        same = {"x-ms-client-request-id": "one request"}
        await services.one.send_to_group("repeats", {"n": 1}, headers=same)
        await rae.hears({"n": 1})  # by way of the other gateway
        for service in services:
            await service.send_to_group("repeats", {"n": 1}, headers=same)
        await services.one.send_to_group("repeats", {"n": 2})
        await rae.hears({"n": 1}, {"n": 2})


class Roaming(NamedTuple):
    """A client, and the network that leads it to a gateway."""

    client: Online
    network: TcpProxy
    ports: list[int]

    def lead_to(self, server: ServerProcess) -> None:
        """Lead connections that come from now on to a gateway."""
        self.ports[:] = [server.port]


@asynccontextmanager
async def roaming(
    pair: Pair, service: WebPubSubServiceClient, group: str
) -> AsyncIterator[Roaming]:
    """Connect a client to the first gateway, by a network that can lead it to the second."""
    ports = [pair.one.port]

    async def dial(_client: asyncio.StreamReader) -> Streams:
        return await asyncio.open_connection("127.0.0.1", ports[0])

    token = await service.get_client_access_token(user_id="roamer", groups=[group])
    async with proxy_by(dial) as network:
        url = token["url"].replace(f":{pair.one.port}/", f":{network.port}/")
        made = Online(WebPubSubClient(url, reconnect_retry_total=20, reconnect_retry_backoff_max=1))
        await made.listen()
        async with made.client:
            yield Roaming(made, network, ports)


def recovered(server: ServerProcess) -> float:
    """Return how many connections a gateway took up again."""
    lines = server.request("GET", "/metrics").text.splitlines()
    return next(
        float(line.split()[1]) for line in lines if line.startswith("tocsin_recoveries_total ")
    )


async def test_a_dropped_connection_goes_on_at_the_other_gateway_and_misses_nothing(
    pair: Pair, services: Services
) -> None:
    earlier = [recovered(server) for server in (pair.one, pair.two)]
    async with roaming(pair, services.one, "moving") as place:
        before = place.client.id
        for round_, target in enumerate((pair.two, pair.one, pair.two)):  # there, back, there
            place.lead_to(target)
            for number in range(20):
                if number == 10:
                    place.network.cut()
                for by, service in enumerate(services):
                    await service.send_to_group("moving", {"by": by, "n": 20 * round_ + number})
            await until_async(
                partial(has_heard, place.client, 40 * (round_ + 1)), "all", PATIENCE_S
            )
        for by in range(2):  # each of them in its order; between them there is none
            numbers = [said["n"] for said in place.client.heard if said["by"] == by]
            assert numbers == list(range(60))
        assert (place.client.id, place.client.gone) == (before, [])
        assert await services.one.connection_exists(before)
    assert [recovered(server) for server in (pair.one, pair.two)] == [
        earlier[0] + 1,
        earlier[1] + 2,
    ]


async def test_a_connection_of_a_gateway_that_was_killed_begins_anew_at_the_other(
    pair: Pair, services: Services
) -> None:
    async with roaming(pair, services.one, "anew") as place:
        before = place.client.id
        place.lead_to(pair.two)
        await asyncio.to_thread(pair.one.kill)

        async def is_back() -> bool:
            return place.client.id != before

        await until_async(is_back, "it has another connection", PATIENCE_S)
        await asyncio.to_thread(pair.one.start)
        await services.two.send_to_group("anew", {"n": 1})
        await place.client.hears({"n": 1})


async def test_a_gateway_that_was_killed_is_not_waited_for(pair: Pair, services: Services) -> None:
    async with online(services.one, "kim", "killed") as kim:
        await asyncio.to_thread(pair.two.restart)
        assert not await services.one.user_exists("nobody")
        async with online(services.two, "lea", "killed") as lea:
            await services.two.send_to_group("killed", {"n": 1})
            await kim.hears({"n": 1})
            await lea.hears({"n": 1})
