"""The guide to event handlers, followed word for word: its programs, its settings, its commands, what it prints."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until
from tests.acceptance.guide_blocks import blocks_of
from tests.acceptance.official_clients import NPM_FOLDER
from tests.acceptance.server_process import ServerProcess, free_port

pytestmark = pytest.mark.acceptance

END_S = 60.0


class Blocks(NamedTuple):
    """The blocks of the guide, with the ports of this test."""

    app: str
    client: str
    allow: str
    in_file: str
    commands: list[str]
    printed: str


@pytest.fixture
def server(make_server: MakeServer) -> ServerProcess:
    return make_server()


@pytest.fixture
def blocks(server: ServerProcess) -> Blocks:
    found = blocks_of("event-handlers", _8080=str(server.port), _3000=str(free_port()))
    app, client = found["js"]
    allow, in_file = found["toml"]
    lines = "".join(found["bash"]).splitlines()
    return Blocks(app, client, allow, in_file, lines, found["text"][-1])


@pytest.fixture
def programs(node: Path, folder: Path, blocks: Blocks) -> Path:
    """A folder with the programs and the packages that they name."""
    assert node.exists()
    (folder / "node_modules").symlink_to(NPM_FOLDER / "node_modules")
    (folder / "app.mjs").write_text(blocks.app)
    (folder / "client.mjs").write_text(blocks.client)
    return folder


@pytest.fixture
def app_log(node: Path, programs: Path) -> Iterator[Path]:
    """Run the application; what it prints is in this file."""
    path = programs / "app.log"
    with path.open("w") as log:
        process = subprocess.Popen([node, "app.mjs"], cwd=programs, stdout=log, stderr=log)
    try:
        until(lambda: "listening" in path.read_text(), "the application listens")
        yield path
    finally:
        process.kill()
        process.wait()


def run_client(node: Path, programs: Path, url: str) -> str:
    done = subprocess.run(
        [node, "client.mjs"],
        cwd=programs,
        env={"CLIENT_URL": url},
        capture_output=True,
        text=True,
        timeout=END_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def follow(server: ServerProcess, line: str, handler_id: str) -> str:
    """Run one command of the guide."""
    words = line.replace("'*'", "*").replace("$ID", handler_id).split()
    assert words[0] == "tocsin"
    return server.cli(*words[1:])


def test_the_guide_works_as_it_stands(
    node: Path, server: ServerProcess, blocks: Blocks, programs: Path, app_log: Path
) -> None:
    (server.folder / "tocsin.toml").write_text(blocks.allow)
    serve, add, list_, test, last = blocks.commands
    assert serve == "tocsin serve"
    server.start()
    handler_id = follow(server, add, "")
    assert handler_id in follow(server, list_, "")
    follow(server, test, handler_id)
    client_url = re.fullmatch(r"CLIENT_URL=\$\((tocsin .*)\) node client.mjs", last)
    assert client_url is not None
    url = follow(server, client_url[1], "")
    assert run_client(node, programs, url) == blocks.printed
    until(lambda: "ada has gone" in app_log.read_text(), "the application was told of the end")
    assert "ada is here" in app_log.read_text()
    with pytest.raises(InvalidStatus) as refused:
        connect(server.cli("client-token", "mallory", "--hub", "chat"))
    assert refused.value.response.status_code == 403
    assert b"not you" in (refused.value.response.body or b"")


def test_the_settings_of_the_guide_do_the_same(
    node: Path, server: ServerProcess, blocks: Blocks, programs: Path, app_log: Path
) -> None:
    (server.folder / "tocsin.toml").write_text(blocks.allow + blocks.in_file)
    server.start()
    assert "file-1" in server.cli("event-handler", "list", "--hub", "chat")
    url = server.cli("client-token", "ada", "--hub", "chat")
    assert run_client(node, programs, url) == blocks.printed
    assert "ada is here" in app_log.read_text()
