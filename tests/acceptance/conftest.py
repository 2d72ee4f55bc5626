"""Fixtures of the acceptance tests: servers as processes of their own, each in a fresh folder."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.server_process import ServerProcess

MakeServer = Callable[..., ServerProcess]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A fresh folder with a short name: the path of a Unix socket has a limit of about 100 characters."""
    path = Path(tempfile.mkdtemp(prefix="tocsin-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def make_server(folder: Path) -> Iterator[MakeServer]:
    """Makes servers that are not started yet; all of them are ended with the test."""
    made: list[ServerProcess] = []

    def make(**more: Any) -> ServerProcess:
        place = folder / str(len(made))
        place.mkdir()
        made.append(ServerProcess(place, **more))
        return made[-1]

    yield make
    for server in made:
        server.end()


@pytest.fixture
def server(make_server: MakeServer) -> ServerProcess:
    """A running server with default settings."""
    return make_server().start()
