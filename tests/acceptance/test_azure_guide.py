"""The guide for those who come from Azure, followed word for word: both programs, each command, what is printed."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.deadlines import until
from tests.acceptance.guide_blocks import blocks_of
from tests.acceptance.official_clients import NPM_FOLDER
from tests.acceptance.server_process import ServerProcess, clean_environment

pytestmark = pytest.mark.acceptance

END_S = 30.0


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
