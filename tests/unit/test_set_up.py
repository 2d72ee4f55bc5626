"""What set-up decides by itself: whose Node builds the web client, and which Debian packages are missing."""

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import hatch_build
import pytest

INSTALL_PACKAGES = Path(__file__).parents[1] / "install_packages"


def put(folder: Path, name: str, says: str) -> None:
    """Put a program there that prints one line."""
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.mark.parametrize(
    ("version", "taken"),
    [
        ("v20.19.0", True),
        ("v24.0.1", True),
        ("v20.18.9", False),
        ("v9.99.0", False),
        ("not a version", False),
    ],
)
def test_a_node_on_the_path_is_taken_when_it_is_new_enough(
    path: Path, version: str, taken: bool
) -> None:
    put(path, "npm", says="")
    put(path, "node", says=version)
    assert hatch_build.has_node() is taken


def test_a_node_without_npm_is_not_taken(path: Path) -> None:
    put(path, "node", says="v24.0.1")
    assert not hatch_build.has_node()


def test_npm_is_that_of_the_path_beside_a_new_node_and_else_the_one_that_comes_along(
    path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "web").mkdir()
    put(path, "npm", says="of the path")
    put(path, "node", says="v24.0.1")
    hatch_build.npm(tmp_path, "--version")
    assert capfd.readouterr().out == "of the path\n"
    put(path, "node", says="v18.20.4")
    hatch_build.npm(tmp_path, "--version")
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", capfd.readouterr().out)


def test_the_compiler_and_the_headers_of_this_very_python_are_named_where_they_are_missing(
    path: Path,
) -> None:
    needed = f"gcc libc6-dev python{sysconfig.get_python_version()}-dev"
    assert needed in missing_packages()
    compiler = str(sysconfig.get_config_var("CC")).split()[0]
    put(path, Path(compiler).name, says="")
    assert needed not in missing_packages()


def test_of_the_packages_one_can_be_asked_for_alone(path: Path) -> None:
    assert "The tests need prometheus. " in missing_packages("prometheus")


def missing_packages(*only: str) -> str:
    """Return what is said where nothing can be installed."""
    done = subprocess.run(
        ["/bin/bash", INSTALL_PACKAGES, sys.executable, *only],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr
