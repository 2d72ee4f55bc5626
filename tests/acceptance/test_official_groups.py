"""Microsoft's clients open, join, send, leave and close, unmodified: what works, and how it is refused."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.deadlines import until
from tests.acceptance.official_clients import FOLDER, NPM_FOLDER
from tests.acceptance.server_process import ServerProcess
from tests.acceptance.webpubsub_speech import client_url

pytestmark = pytest.mark.acceptance

RUN_S = 250


@pytest.mark.parametrize("kind", ["python", "python-aio", "npm"])
def test_a_client_of_microsofts_joins_sends_and_leaves(
    shared_server: ServerProcess, node: Path, kind: str
) -> None:
    commands: dict[str, list[str | Path]] = {
        "python": [sys.executable, FOLDER / "drivers/groups_sync.py"],
        "python-aio": [sys.executable, FOLDER / "drivers/groups_aio.py"],
        "npm": [node, NPM_FOLDER / "groups.mjs"],
    }
    roles = ["webpubsub.joinLeaveGroup.ops", "webpubsub.sendToGroup.ops"]
    url = client_url(shared_server, "ada", roles=roles)
    done = subprocess.run(
        [*commands[kind], url], capture_output=True, text=True, timeout=RUN_S, check=True
    )
    said = json.loads(done.stdout)
    assert [
        [group, kind.rpartition(".")[2].lower(), data] for group, kind, data in said["heard"]
    ] == [
        ["ops", "text", "text"],
        ["ops", "json", {"a": [1, None]}],
        ["ops", "binary", [0, 255]],
        ["ops", "text", "last"],
        ["ops", "text", "again"],
    ]
    assert said["connected"] == [False, True, False]
    assert said["refused"] == {
        "open": "not opened",
        "join": "Forbidden",
        "leave": "Forbidden",
        "send": "Forbidden",
        "event": "InternalServerError",
    }


def test_npm_tells_that_it_may_no_longer_be_in_its_group(
    shared_server: ServerProcess, node: Path
) -> None:
    allowed = client_url(shared_server, "bo", roles=["webpubsub.joinLeaveGroup.rejoined"])
    forbidden = client_url(shared_server, "bo", roles=[])
    command: list[str | Path] = [node, NPM_FOLDER / "rejoin.mjs", allowed, forbidden]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        try:
            close_when_joined(shared_server, "bo", "rejoined")
            told, _ = client.communicate(timeout=RUN_S)
        finally:
            client.kill()
    assert json.loads(told) == {"group": "rejoined", "error": "Forbidden"}


def close_when_joined(server: ServerProcess, user: str, group: str) -> None:
    """Close a user's connections as soon as there is somebody in a group."""
    key = server.key("server")
    path = f"/api/hubs/default/groups/{group}"
    until(lambda: server.request("HEAD", path, headers=key).is_success, "it joined", RUN_S)
    path = f"/api/hubs/default/users/{user}/:closeConnections"
    assert server.request("POST", path, headers=key).status_code == 204
