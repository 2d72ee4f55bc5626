"""Microsoft's client sends streams to groups and reads them, unmodified, against a real server."""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.deadlines import until_async
from tests.acceptance.official_clients import NPM_FOLDER
from tests.acceptance.server_process import ServerProcess
from tests.acceptance.tcp_proxy import proxy_to
from tests.acceptance.webpubsub_speech import client_url

pytestmark = pytest.mark.acceptance


class Driver:
    """The process of the clients, and what it told so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.told: list[dict[str, Any]] = []

    async def listen(self) -> None:
        """Read until the process ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.told.append(json.loads(line))

    def go_on(self) -> None:
        """Let it go on."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")

    async def tells(self, event: str, **fields: str) -> dict[str, Any]:
        """Wait until it has told something, and return that."""
        wanted = {"event": event, **fields}.items()

        def found() -> list[dict[str, Any]]:
            return [said for said in self.told if wanted <= said.items()]

        async def is_told() -> bool:
            return bool(found())

        await until_async(is_told, f"{dict(wanted)} among {self.told}", 120)
        return found()[0]


def texts(values: range) -> list[list[str]]:
    return [["text", str(value), "ada"] for value in values]


@pytest.mark.parametrize("protocol", ["reliable", "plain"])
async def test_microsofts_client_sends_streams_and_reads_them(
    shared_server: ServerProcess, node: Path, protocol: str
) -> None:
    roles = ["webpubsub.sendToGroup.ops", "webpubsub.joinLeaveGroup.ops"]
    async with proxy_to(shared_server.port) as network:
        urls = [
            client_url(shared_server, "ada", roles=roles, port=network.port),
            client_url(shared_server, "bob", roles=roles),
            client_url(shared_server, "eve"),
        ]
        process = await asyncio.create_subprocess_exec(
            node,
            NPM_FOLDER / "streams.mjs",
            protocol,
            *urls,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        driver = Driver(process)
        listening = asyncio.create_task(driver.listen())
        try:
            whole = await driver.tells("read", stream="whole")
            assert (whole["parts"], whole["end"]) == (
                [
                    ["text", "text", "ada"],
                    ["json", {"a": [1, None]}, "ada"],
                    ["binary", [0, 255], "ada"],
                ],
                "done",
            )
            aborted = await driver.tells("read", stream="aborted")
            assert aborted["parts"] == [["text", "before", "ada"]]
            assert aborted["end"] == ["UserError", "app"]

            idle = await driver.tells("read", stream="idle")
            assert idle["end"] == ["IdleTimeout", None]
            assert (await driver.tells("closed", stream="idle"))["name"] == "IdleTimeout"

            await driver.tells("half")
            if protocol == "reliable":
                network.cut()
            driver.go_on()
            long = await driver.tells("read", stream="long")
            assert (long["parts"], long["end"]) == (texts(range(100)), "done")

            assert (await driver.tells("refused"))["name"] == "Forbidden"

            await driver.tells("leaving")
            driver.go_on()
            left = await driver.tells("read", stream="left")
            assert left["end"] == ["Cancelled", None]
            driver.go_on()
            assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            await listening
