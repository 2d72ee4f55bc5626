"""The programs of the guides run, as they stand there, on a real server."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.producers import lay_out_package
from tests.acceptance.server_process import ServerProcess, clean_environment

pytestmark = pytest.mark.acceptance

# Those in TypeScript have types that Node only has to strip.
GUIDES = Path(__file__).parents[2] / "docs" / "guides"
PROGRAM = re.compile(r"```(?P<language>python|ts)\n(?P<text>.*?)```", re.DOTALL)


def programs() -> Iterator[object]:
    for guide in sorted(GUIDES.glob("*.md")):
        for number, found in enumerate(PROGRAM.finditer(guide.read_text()), 1):
            yield pytest.param(*found.group("language", "text"), id=f"{guide.stem}-{number}")


@pytest.fixture(scope="module")
def variables(shared_server: ServerProcess) -> dict[str, str]:
    key = shared_server.cli("key", "create", "--role", "producer")
    return clean_environment() | {"TOCSIN_URL": shared_server.url, "TOCSIN_KEY": key}


@pytest.mark.parametrize(("language", "text"), list(programs()))
def test_the_program_runs(
    language: str, text: str, variables: dict[str, str], node: Path, folder: Path
) -> None:
    if language == "python":
        command = [sys.executable, "-c", text]
    else:
        lay_out_package(folder)
        (folder / "program.mts").write_text(text)
        command = [str(node), "program.mts"]
    done = subprocess.run(
        command, env=variables, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_programs_of_both_languages_are_found() -> None:
    assert {"python", "ts"} == {
        found[1] for guide in GUIDES.glob("*.md") for found in PROGRAM.finditer(guide.read_text())
    }
