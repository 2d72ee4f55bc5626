"""Clients of all protocols in one group of a real server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect

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

ROLES = ["webpubsub.joinLeaveGroup.mix", "webpubsub.sendToGroup.mix"]
SENT: list[tuple[str, str | bytes]] = [
    ("json", '{"sev": 2e0,  "text":"\\u00fcü"}'),
    ("text", "line\n\u2028 and \u20ac"),
    ("binary", b"\0\xff\x80"),
    ("protobuf", b"\x0a\x0ctype.test/it\x12\x02\x08\x01"),
]


class Talker:
    """One client of one protocol, in the group."""

    def __init__(self, speech: Speech, ws: ClientConnection) -> None:
        self.speech = speech
        self.ws = ws

    async def hear(self) -> Heard:
        async with asyncio.timeout(60):
            return self.speech.hear(await self.ws.recv())

    async def join(self) -> None:
        """Hear ``connected``, and join."""
        assert (await self.hear()).what == "connected"
        await self.ws.send(self.speech.join("mix", 1))
        assert await self.hear() == Heard("ack", ack_id=1)


@contextlib.asynccontextmanager
async def in_one_group(server: ServerProcess, *speeches: Speech) -> AsyncIterator[list[Talker]]:
    """Connect a client of each protocol, and let all of them join."""
    async with contextlib.AsyncExitStack() as sockets:
        talkers = []
        for speech in speeches:
            url = client_url(server, speech.name, roles=ROLES)
            opened = connect(url, subprotocols=[speech.subprotocol], proxy=None)
            talkers.append(Talker(speech, await sockets.enter_async_context(opened)))
            await talkers[-1].join()
        yield talkers


async def test_clients_of_all_protocols_understand_each_other(
    shared_server: ServerProcess, tmp_path: Path
) -> None:
    schema = generate_schema(tmp_path)
    speeches = [
        speech
        for reliable in (False, True)
        for speech in (JsonSpeech(reliable=reliable), ProtobufSpeech(schema, reliable=reliable))
    ]
    plain_url = client_url(shared_server, "plain", roles=ROLES, groups=["mix"])
    speaking = f"{plain_url}&webpubsub_mode=sendToGroup&group=mix"
    async with (
        in_one_group(shared_server, *speeches) as talkers,
        connect(speaking, proxy=None) as plain,
        asyncio.timeout(120),
    ):
        count = 0
        for sender in talkers:
            for data_type, data in SENT:
                await sender.ws.send(sender.speech.send("mix", data_type, data))
                count += 1
                for hearer in talkers:
                    check(hearer.speech, await hearer.hear(), data_type, data, count)
                assert await plain.recv() == data
        for data in ("from plain", b"\0from plain"):
            await plain.send(data)
            count += 1
            data_type = "text" if isinstance(data, str) else "binary"
            for hearer in talkers:
                check(hearer.speech, await hearer.hear(), data_type, data, count)
            assert await plain.recv() == data


def check(speech: Speech, heard: Heard, data_type: str, data: str | bytes, count: int) -> None:
    """See that a message of ``data_type`` came as the protocol can say it, JSON byte for byte."""
    if data_type == "json" and isinstance(speech, ProtobufSpeech):
        data_type = "text"
    assert (heard.what, heard.group, heard.data_type, heard.data) == (
        "message",
        "mix",
        data_type,
        data,
    )
    assert heard.sequence_id == (count if "reliable" in speech.name else 0)
