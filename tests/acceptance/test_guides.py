"""The programs of the guides run, as they stand there, on a real server."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.guide_blocks import GUIDES
from tests.acceptance.producers import lay_out_package
from tests.acceptance.server_process import ServerProcess, clean_environment

pytestmark = pytest.mark.acceptance

# Those in TypeScript have types that Node only has to strip.
PROGRAM = re.compile(r"```(?P<language>python|ts)\n(?P<text>.*?)```", re.DOTALL)
# They speak to a broker, and run beside one (tests/brokers).
AT_BROKERS = {"from-nats"}


def programs() -> Iterator[object]:
    for guide in sorted(GUIDES.glob("*.md")):
        if guide.stem in AT_BROKERS:
            continue
        for number, found in enumerate(PROGRAM.finditer(guide.read_text()), 1):
            yield pytest.param(*found.group("language", "text"), id=f"{guide.stem}-{number}")


@pytest.fixture(scope="module")
def address(shared_server: ServerProcess) -> dict[str, str]:
    keys = {
        name: shared_server.cli("key", "create", "--role", role)
        for name, role in (("TOCSIN_KEY", "producer"), ("TOCSIN_SERVER_KEY", "server"))
    }
    return {"TOCSIN_URL": shared_server.url, **keys}


def environment(text: str, address: dict[str, str]) -> dict[str, str]:
    """Return what the program finds: the command on its path, and the server unless it starts one of its own."""
    beside = Path(sys.executable).parent
    path = {"PATH": f"{beside}:{os.environ['PATH']}"}
    return clean_environment() | path | ({} if '"serve"' in text else address)


@pytest.mark.parametrize(("language", "text"), list(programs()))
def test_the_program_runs(
    language: str, text: str, address: dict[str, str], node: Path, folder: Path
) -> None:
    if language == "python":
        command = [sys.executable, "-c", text]
    else:
        lay_out_package(folder)
        (folder / "program.mts").write_text(text)
        command = [str(node), "program.mts"]
    done = subprocess.run(
        command,
        env=environment(text, address),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_programs_of_both_languages_are_found() -> None:
    assert {"python", "ts"} == {
        found[1] for guide in GUIDES.glob("*.md") for found in PROGRAM.finditer(guide.read_text())
    }
