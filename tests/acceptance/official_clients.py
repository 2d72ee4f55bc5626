"""Microsoft's clients, unmodified, behind one face: what they were told, in the order they were told it."""

import asyncio
import gc
import json
import subprocess
from pathlib import Path
from typing import Any, Protocol

from azure.messaging import webpubsubclient
from azure.messaging.webpubsubclient import aio
from azure.messaging.webpubsubclient.models import (
    CallbackType,
    OnConnectedArgs,
    OnDisconnectedArgs,
    OnServerDataMessageArgs,
)

NPM_FOLDER = Path(__file__).parent / "npm"


class Heard:
    """What a client told: ids of new connections, contents of messages, ends of connections."""

    def __init__(self) -> None:
        self.connected: list[str] = []
        self.disconnected: list[str] = []
        self.messages: list[dict[str, Any]] = []

    def titles(self) -> list[str]:
        """Return the titles of the alerts that came as own items, in the order of the inbox.

        The synchronous client starts a thread for each message, so the order it tells them in means nothing; but
        it drops what comes out of order.
        """
        frames = [message for message in self.messages if message["kind"] == "inbox"]
        items = [item for frame in frames for item in frame["items"]]
        return [item["alert"]["title"] for item in sorted(items, key=lambda item: item["sort"])]

    def broadcasts(self) -> list[str]:
        """Return the titles of the alerts that came as broadcasts, in the order of the stream."""
        added = [message for message in self.messages if message.get("add")]
        added.sort(key=lambda message: message["brev"])
        return [message["add"]["alert"]["title"] for message in added]

    def kinds(self) -> list[str]:
        """Return the kinds of the frames that came."""
        return [message["kind"] for message in self.messages]


class OfficialClient(Protocol):
    """One of Microsoft's clients."""

    heard: Heard

    async def open(self) -> None:
        """Connect; returns when the socket is open."""
        ...

    async def close(self) -> None:
        """Disconnect for good."""
        ...


class SyncPythonClient:
    """``azure-messaging-webpubsubclient``, with its threads."""

    def __init__(self, url: str) -> None:
        self.heard = Heard()
        self._client = client = webpubsubclient.WebPubSubClient(url)
        client.subscribe(CallbackType.CONNECTED, self._connected)
        client.subscribe(CallbackType.DISCONNECTED, self._disconnected)
        client.subscribe(CallbackType.SERVER_MESSAGE, self._message)

    async def open(self) -> None:
        """Connect."""
        await asyncio.to_thread(self._client.open)

    async def close(self) -> None:
        """Disconnect for good."""
        await asyncio.to_thread(self._client.close)
        gc.collect()  # what it left open is found now, not in somebody else's test

    def _connected(self, event: OnConnectedArgs) -> None:
        self.heard.connected.append(event.connection_id)

    def _disconnected(self, event: OnDisconnectedArgs) -> None:
        self.heard.disconnected.append(str(event.connection_id))

    def _message(self, event: OnServerDataMessageArgs) -> None:
        self.heard.messages.append(event.data)


class AioPythonClient:
    """``azure-messaging-webpubsubclient``, with its coroutines."""

    def __init__(self, url: str) -> None:
        self.heard = Heard()
        self._client = aio.WebPubSubClient(
            url, reconnect_retry_total=20, reconnect_retry_backoff_max=1
        )

    async def open(self) -> None:
        """Connect."""
        client = self._client
        await client.subscribe(CallbackType.CONNECTED, self._connected)
        await client.subscribe(CallbackType.DISCONNECTED, self._disconnected)
        await client.subscribe(CallbackType.SERVER_MESSAGE, self._message)
        await client.open()

    async def close(self) -> None:
        """Disconnect for good."""
        await self._client.close()

    async def _connected(self, event: OnConnectedArgs) -> None:
        self.heard.connected.append(event.connection_id)

    async def _disconnected(self, event: OnDisconnectedArgs) -> None:
        self.heard.disconnected.append(str(event.connection_id))

    async def _message(self, event: OnServerDataMessageArgs) -> None:
        self.heard.messages.append(event.data)


class NpmClient:
    """``@azure/web-pubsub-client`` in a Node process of its own; ``options`` are the client's."""

    def __init__(self, url: str, node: Path, **options: Any) -> None:
        self.heard = Heard()
        self._url = url
        self._node = node
        self._options = options
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start the process."""
        self._process = await asyncio.create_subprocess_exec(
            self._node,
            "driver.mjs",
            self._url,
            json.dumps(self._options),
            cwd=NPM_FOLDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            limit=2**24,
        )
        self._reader = asyncio.get_running_loop().create_task(self._read(self._process))

    async def close(self) -> None:
        """Stop the client and wait for the process; end it if it does not end by itself."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(b"stop\n")
        try:
            async with asyncio.timeout(10):
                assert await self._process.wait() == 0
        finally:
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()
            if self._reader is not None:
                await self._reader

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            said = json.loads(line)
            if said["event"] == "message":
                assert said["dataType"] == "json"
                self.heard.messages.append(said["data"])
            elif said["event"] == "connected":
                self.heard.connected.append(said["connectionId"])
            else:
                self.heard.disconnected.append(said["connectionId"])
