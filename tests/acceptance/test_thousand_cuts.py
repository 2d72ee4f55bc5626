"""The TCP connections of reliable clients are cut a thousand times while messages flow: nothing is lost or doubled."""

import asyncio
import json
import random
from pathlib import Path

import pytest
import websockets
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.acceptance.cutting_proxy import CuttingProxy, cutting_proxy_to
from tests.acceptance.server_process import ServerProcess
from tests.acceptance.webpubsub_speech import (
    Heard,
    JsonSpeech,
    ProtobufSpeech,
    Speech,
    client_url,
    generate_schema,
)

pytestmark = pytest.mark.acceptance

CUTS = 1_000
CLIENTS_PER_PROTOCOL = 6
LAST = "last"
JSON = [Subprotocol("json.webpubsub.azure.v1")]
BROKEN = (OSError, EOFError, websockets.InvalidHandshake, websockets.ConnectionClosed)


class ReliableClient:
    """Holds one session over as many sockets as it takes, and keeps what it was told in it."""

    def __init__(self, speech: Speech, url: str, rng: random.Random) -> None:
        self.texts: list[str] = []
        self.repeats = 0
        self.sockets = 0
        self._speech = speech
        self._url = url
        self._rng = rng
        self._session: Heard | None = None
        self._sequence_id = 0

    async def run(self) -> None:
        """Listen until the last message came."""
        while LAST not in self.texts[-1:]:
            try:
                async with connect(
                    self._address(),
                    subprotocols=[self._speech.subprotocol],
                    compression=None,
                    proxy=None,
                ) as ws:
                    self.sockets += 1
                    await self._listen(ws)
            except BROKEN:
                continue

    def _address(self) -> str:
        """Return the URL of the session, which needs no access token; or of a new one."""
        if self._session is None:
            return self._url
        return (
            f"{self._url.partition('?')[0]}?awps_connection_id={self._session.connection_id}"
            f"&awps_reconnection_token={self._session.token}"
        )

    async def _listen(self, ws: websockets.ClientConnection) -> None:
        try:
            while LAST not in self.texts[-1:]:
                heard = self._speech.hear(await ws.recv())
                if heard.what == "connected":
                    assert self._session is None, "connected came twice"
                    self._session = heard
                else:
                    assert heard.what == "message"
                    self._take(heard)
                    if self._rng.random() < 0.1:
                        await ws.send(self._speech.acknowledge(self._sequence_id))
        except websockets.ConnectionClosed as closed:
            if closed.rcvd is not None:
                msg = f"the server closed the connection: {closed.rcvd}"
                raise AssertionError(msg) from closed

    def _take(self, message: Heard) -> None:
        if message.sequence_id <= self._sequence_id:
            self.repeats += 1
            return
        assert message.sequence_id == self._sequence_id + 1
        assert isinstance(message.data, str)
        self._sequence_id = message.sequence_id
        self.texts.append(message.data)


async def talk(url: str, proxy: CuttingProxy, rng: random.Random) -> int:
    """Send numbered messages, each after the last was acknowledged, until the network is calm; return their count."""
    async with connect(url, subprotocols=JSON, proxy=None) as ws:
        await ws.recv()
        count = 0
        while not proxy.is_calm:
            await send(ws, count, f"{count} {'x' * rng.randint(0, 300)}")
            count += 1
        await send(ws, count, LAST)
    return count


async def send(ws: websockets.ClientConnection, ack_id: int, text: str) -> None:
    request = {"type": "sendToGroup", "group": "g", "ackId": ack_id}
    await ws.send(json.dumps(request | {"dataType": "text", "data": text}))
    assert json.loads(await ws.recv()) == {"type": "ack", "ackId": ack_id, "success": True}


async def test_a_thousand_cuts_lose_double_and_swap_nothing(
    server: ServerProcess, tmp_path: Path
) -> None:
    schema = generate_schema(tmp_path)
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    async with cutting_proxy_to(server.port, CUTS, rng) as proxy, asyncio.timeout(250):
        clients = [
            ReliableClient(speech, client_url(server, f"u{n}", groups=["g"], port=proxy.port), rng)
            for n in range(CLIENTS_PER_PROTOCOL)
            for speech in (JsonSpeech(reliable=True), ProtobufSpeech(schema, reliable=True))
        ]
        async with asyncio.TaskGroup() as tasks:
            for client in clients:
                tasks.create_task(client.run())
            talker = client_url(server, "talker", roles=["webpubsub.sendToGroup.g"])
            talked = tasks.create_task(talk(talker, proxy, rng))
    assert proxy.cuts == CUTS
    for client in clients:
        first = int(client.texts[0].split()[0])
        numbers = [int(text.split()[0]) for text in client.texts[:-1]]
        assert numbers == list(range(first, talked.result()))
        assert client.sockets > 1
        assert client.repeats > 0
