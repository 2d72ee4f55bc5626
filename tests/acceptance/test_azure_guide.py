"""The guides for those who come from Azure, followed word for word: programs, commands, settings, what is printed."""

import json
import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until
from tests.acceptance.guide_blocks import blocks_of
from tests.acceptance.official_clients import NPM_FOLDER
from tests.acceptance.server_process import ServerProcess, clean_environment

pytestmark = pytest.mark.acceptance

END_S = 60.0


@contextmanager
def running(
    command: list[str | Path], folder: Path, environment: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run a program; what it prints is in the file."""
    path = folder / "printed"
    with path.open("wb") as printed:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=printed, stderr=printed
        )
    try:
        yield process, path
    finally:
        process.kill()
        process.wait()


def test_the_guide_works_as_it_stands(node: Path, server: ServerProcess, folder: Path) -> None:
    blocks = blocks_of("from-azure-web-pubsub")
    [people], [backend] = blocks["js"], blocks["py"]
    first, second = blocks["bash"]
    export, run_people = first.splitlines()
    assert export == "export WEB_PUBSUB=$(tocsin connection-string --hub chat)"
    assert (run_people, second) == ("node people.mjs", "python backend.py\n")
    environment = clean_environment() | {
        "WEB_PUBSUB": server.cli("connection-string", "--hub", "chat"),
        "PATH": os.environ["PATH"],
    }
    (folder / "node_modules").symlink_to(NPM_FOLDER / "node_modules")
    (folder / "people.mjs").write_text(people)
    (folder / "backend.py").write_text(backend)

    with running([node, "people.mjs"], folder, environment) as (process, printed):
        until(lambda: "both are here" in printed.read_text(), "both are here")
        done = subprocess.run(
            [sys.executable, "backend.py"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=END_S,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert process.wait(END_S) == 0
        assert sorted(printed.read_text().splitlines()) == sorted(blocks["text"][-1].splitlines())


def test_pages_of_the_origins_in_the_guide_may_connect_and_no_others(
    make_server: MakeServer,
) -> None:
    server = make_server()
    [settings] = blocks_of("from-azure-web-pubsub")["toml"]
    (server.folder / "tocsin.toml").write_text(settings)
    server.start()
    chat, orders = (server.cli("client-token", "ada", "--hub", hub) for hub in ("chat", "orders"))
    for origin in ("https://app.example.org", "http://localhost:5173", server.url):
        with connect(chat, origin=Origin(origin)):
            pass
    for url, origin in (
        (chat, "http://localhost:3000"),
        (chat, "http://127.0.0.1:5173"),
        (orders, "http://localhost:5173"),
    ):
        with pytest.raises(InvalidStatus) as refused:
            connect(url, origin=Origin(origin))
        assert refused.value.response.status_code == 403
        assert b"origin-not-allowed" in (refused.value.response.body or b"")
    assert '"upgrade.refused"' in server.log()


def test_the_guides_say_the_same_of_origins_by_file_and_by_environment() -> None:
    [settings] = blocks_of("from-azure-web-pubsub")["toml"]
    export, setting = shlex.split(blocks_of("local-emulator")["bash"][-1])
    name, _, hubs = setting.partition("=")
    assert (export, name) == ("export", "TOCSIN_HUBS")
    assert json.loads(hubs).keys() == tomllib.loads(settings)["hubs"].keys()
    assert json.loads(hubs)["chat"].keys() == tomllib.loads(settings)["hubs"]["chat"].keys()
