"""Two server processes on one PostgreSQL and one NATS: what one of them takes in, sockets of the other see."""

import asyncio
import json
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until
from tests.acceptance.live_clients import live_clients
from tests.acceptance.server_process import ServerProcess
from tests.acceptance.test_nats import nats, settings
from tests.acceptance.test_postgres import postgres
from tests.ports.nats_server import NatsServer
from tests.ports.postgres_server import PostgresServer

__all__ = ["nats", "postgres"]

pytestmark = pytest.mark.acceptance

LOSSY = (str(Path(__file__).parent / "lossy_nats_server.py"),)
USERS = tuple(f"user-{number}" for number in range(8))
ROUNDS = 3
# Far below the comparison with the store, which is off here.
FRAME_S = 30.0


class Pair(NamedTuple):
    """Two nodes, and the headers of keys that both know."""

    one: ServerProcess
    two: ServerProcess
    producer: Mapping[str, str]
    key: Mapping[str, str]


def start_pair(make_server: MakeServer, env: Mapping[str, str], **more: Any) -> Pair:
    """Start two nodes; the second gets the first one's key file, and reads its keys."""
    one, two = (make_server(env=env, **more) for _ in range(2))
    one.start()
    producer, key = one.key("producer"), one.key("server")
    two.data_dir.mkdir()
    shutil.copy(one.data_dir / "access.key", two.data_dir)
    return Pair(one, two.start(), producer, key)


@pytest.fixture
def pair(make_server: MakeServer, nats: NatsServer, postgres: PostgresServer) -> Pair:
    """Start two nodes that compare nobody with the store as long as a test takes."""
    env = settings(nats, TOCSIN_STORE=postgres.create(), TOCSIN_ANTI_ENTROPY_S="900")
    return start_pair(make_server, env)


async def frames_until(socket: ClientConnection, title: str) -> list[str]:
    """Return the titles in frames up to the awaited one."""
    titles: list[str] = []
    while title not in titles:
        data = json.loads(await socket.recv()).get("data", {})
        items = (*data.get("items", ()), *([data["add"]] if data.get("add") else ()))
        titles += [item["alert"]["title"] for item in items]
    return titles


async def test_what_one_node_accepts_is_announced_to_sockets_of_the_other(pair: Pair) -> None:
    url = (await asyncio.to_thread(pair.two.client_token, pair.key))["url"]
    async with (
        asyncio.timeout(250),
        connect(url, subprotocols=[Subprotocol("json.webpubsub.azure.v1")]) as socket,
    ):
        first = 0
        while not await is_announced(pair, socket, f"First {first}"):
            first += 1  # the other node had not heard yet that Ada is here: then only a head comes
        for number in range(3):
            assert await is_announced(pair, socket, f"To Ada {number}")
        back = await asyncio.to_thread(pair.two.publish, pair.producer, title="And back")
        assert back.status_code == 202
        assert await frames_until(socket, "And back") == ["And back"]


async def is_announced(pair: Pair, socket: ClientConnection, title: str) -> bool:
    """Publish at the first node, and tell whether a frame comes from the second."""
    answer = await asyncio.to_thread(pair.one.publish, pair.producer, title=title)
    assert answer.status_code == 202
    try:
        async with asyncio.timeout(FRAME_S):
            return await frames_until(socket, title) == [title]
    except TimeoutError:
        return False


def has_all(pair: Pair, user: str) -> bool:
    """Whether everything is in a user's inbox."""
    return len(pair.one.titles(pair.key, user)) == ROUNDS


async def test_half_of_the_announcements_are_lost_and_everything_arrives(
    make_server: MakeServer, nats: NatsServer, postgres: PostgresServer
) -> None:
    env = settings(nats, TOCSIN_STORE=postgres.create(), TOCSIN_ANTI_ENTROPY_S="2")
    pair = await asyncio.to_thread(start_pair, make_server, env, program=LOSSY)
    async with live_clients(pair.two, pair.key, USERS) as clients:
        for number in range(ROUNDS):
            for user in USERS:
                to, title = {"users": [user]}, f"Round {number} for {user}"
                answer = await asyncio.to_thread(pair.one.publish, pair.key, to=to, title=title)
                assert answer.status_code == 202
        # Accepted is not delivered: before that a client would be equal to an inbox that lacks some.
        for user in USERS:
            await asyncio.to_thread(until, partial(has_all, pair, user), f"{user} has all", 60)
        await asyncio.gather(*(clients.become_equal(user, 60) for user in USERS))
        for user in USERS:
            assert len(clients.clients[user].view()["items"]) == ROUNDS
