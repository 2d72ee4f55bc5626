"""Microsoft's clients, unmodified, each in a process of its own: what they were told, in the order they told it."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
NPM_FOLDER = FOLDER / "npm"
JSON = "json.webpubsub.azure.v1"
RELIABLE = "json.reliable.webpubsub.azure.v1"
END_S = 60.0
RUN_S = 250.0


class OfficialClient:
    """A client that connects when its process starts.

    ``connected`` and ``disconnected`` hold ids of connections; recovering one is neither.  ``messages`` holds what the
    server sent, ``sequences`` the numbers that came with it, None each on a connection that is not reliable.
    """

    def __init__(self, *command: str | Path) -> None:
        self.connected: list[str] = []
        self.disconnected: list[str] = []
        self.messages: list[dict[str, Any]] = []
        self.sequences: list[int | None] = []
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    @classmethod
    def python(cls, url: str, protocol: str) -> "OfficialClient":
        """``azure-messaging-webpubsubclient``, synchronous."""
        return cls(sys.executable, FOLDER / "drivers/python_sync.py", url, protocol)

    @classmethod
    def python_aio(cls, url: str, protocol: str) -> "OfficialClient":
        """``azure-messaging-webpubsubclient``, asynchronous."""
        return cls(sys.executable, FOLDER / "drivers/python_aio.py", url, protocol)

    @classmethod
    def npm(cls, node: Path, url: str, protocol: str, **options: Any) -> "OfficialClient":
        """``@azure/web-pubsub-client`` with these options."""
        return cls(node, NPM_FOLDER / "driver.mjs", url, protocol, json.dumps(options))

    async def start(self) -> None:
        """Start the process."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # the synchronous one complains of its own threads at the end
            limit=2**24,
        )
        self._reader = asyncio.get_running_loop().create_task(self._read(self._process))

    async def stop(self) -> None:
        """Let the client disconnect, and end the process if that does not end it."""
        process, reader = self._process, self._reader
        assert process is not None
        assert process.stdin is not None
        assert reader is not None
        process.stdin.write(b"stop\n")
        try:
            async with asyncio.timeout(END_S):
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            await reader

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

    def heads(self) -> list[dict[str, Any]]:
        """Return the frames that say where the inbox stands."""
        return [message for message in self.messages if message["kind"] == "head"]

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            said = json.loads(line)
            match said["event"]:
                case "message":
                    self.messages.append(said["data"])
                    self.sequences.append(said["sequence"])
                case "connected":
                    self.connected.append(said["id"])
                case _:
                    self.disconnected.append(said["id"])


def call_npm_service(
    node: Path,
    place: str,
    *steps: tuple[Any, ...],
    key: str | None = None,
    authority: Path | None = None,
) -> list[Any]:
    """Call ``@azure/web-pubsub`` for the hub Chat; a step is a group or None, the name of the call, and its arguments.

    ``place`` is a connection string; with a server ``key`` it is an endpoint.  ``authority`` vouches for its TLS.
    Returns what each returned, or the status and the code of its failure.
    """
    asked = [{"call": call, "args": args} | ({"group": g} if g else {}) for g, call, *args in steps]
    program = NPM_FOLDER / "service.mjs"
    command: list[str | Path] = [node, program, place, "Chat", json.dumps(asked)]
    command += [key] if key is not None else []
    done = subprocess.run(
        command, env=trusting(authority), capture_output=True, text=True, timeout=RUN_S, check=True
    )
    answers: list[Any] = json.loads(done.stdout)
    told = [answer.get("value", answer) for answer in answers]
    return [
        None if one == {} else one for one in told
    ]  # what is promised to be void is an empty object


def trusting(authority: Path | None) -> dict[str, str]:
    """Return an environment in which Node trusts this authority too."""
    return os.environ | ({"NODE_EXTRA_CA_CERTS": str(authority)} if authority is not None else {})
