"""Half of all announcements are lost on the way, and every client is complete all the same."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until_async
from tests.acceptance.live_clients import live_clients
from tests.acceptance.server_process import ServerProcess

pytestmark = pytest.mark.acceptance

LOSSY = (str(Path(__file__).parent / "lossy_server.py"),)
ANTI_ENTROPY_S = 2.0
# A client is compared once per beat; after its head it may wait out a spread of 2 s, and then reads: ten seconds, and more
# where the machine does other things too.  Without the beat nothing heals within minutes (the other test).
COMPLETE_WITHIN_S = 60.0
USERS = tuple(f"user-{number}" for number in range(12))
ROUNDS = 4
PUBLISHED = 40


async def test_every_client_completes_within_the_anti_entropy_bound(
    make_server: MakeServer,
) -> None:
    env = {"TOCSIN_ANTI_ENTROPY_S": str(ANTI_ENTROPY_S)}
    server = make_server(program=LOSSY, env=env).start()
    key = server.key("server")
    async with live_clients(server, key, USERS) as clients:
        for number in range(ROUNDS):
            for user in USERS:
                title = f"Round {number} for {user}"
                to = {"users": [user]}
                answer = await asyncio.to_thread(server.publish, key, to=to, title=title)
                assert answer.status_code == 202
            everybody = await asyncio.to_thread(
                server.publish, key, to={"all": True}, title=f"Round {number} for all"
            )
            assert everybody.status_code == 202
        # Accepted is not delivered: before that a client would be equal to an inbox that lacks some.
        for user in USERS:
            await until_async(
                lambda user=user: asyncio.to_thread(has, server, key, user, 2 * ROUNDS),  # type: ignore[misc]
                f"{user} has all",
            )
        await asyncio.gather(*(clients.become_equal(user, COMPLETE_WITHIN_S) for user in USERS))
        for user in USERS:
            assert len(clients.clients[user].view()["items"]) == 2 * ROUNDS
        await clients.become_quiet()


async def test_the_lossy_server_does_lose_announcements(make_server: MakeServer) -> None:
    # With a beat of minutes nothing heals what was lost: the test above tests something.
    server = make_server(program=LOSSY, env={"TOCSIN_ANTI_ENTROPY_S": "900"}).start()
    key = server.key("server")
    url = server.client_token(key)["url"]
    async with (
        asyncio.timeout(250),
        connect(url, subprotocols=[Subprotocol("json.webpubsub.azure.v1")]) as socket,
    ):
        for _ in range(PUBLISHED):
            await asyncio.to_thread(server.publish, key)
        await until_async(
            lambda: asyncio.to_thread(has, server, key, "ada", PUBLISHED), "all are in the inbox"
        )
        await socket.send('{"type":"ping"}')
        heard = 0
        while (message := json.loads(await socket.recv()))["type"] != "pong":
            heard += len(message.get("data", {}).get("items", ()))
    assert 0 < heard < PUBLISHED


def has(server: ServerProcess, key: Mapping[str, str], user: str, count: int) -> bool:
    """Whether there are so many alerts in an inbox."""
    return len(server.titles(key, user)) == count
