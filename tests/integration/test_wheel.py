"""The wheel: what `pip install` brings, and that it serves by itself."""

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.acceptance.conftest import server_maker
from tocsin import __version__

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the source as it is."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel in it; what the wheel depends on is lent by the one of the tests."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True)
    python = folder / "bin/python"
    pip = (sys.executable, "-m", "pip", "--python", python)
    run(*pip, "install", "-q", "--no-deps", "--no-index", wheel, cwd=folder)
    # Searched last, and without its own .pth files: the source tree, which is installed there, is not found.
    (packages_of(folder) / "lent.pth").write_text(sysconfig.get_path("purelib"))
    return folder


def packages_of(environment: Path) -> Path:
    [packages] = environment.glob("lib/python*/site-packages")
    return packages


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_the_wheel_holds_the_web_client_the_migrations_and_the_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        [entry_points] = [name for name in names if name.endswith("entry_points.txt")]
        assert "tocsin = tocsin.cli:main" in archive.read(entry_points).decode()
    for needed in (
        "tocsin/py.typed",
        "tocsin/web/index.html",
        "tocsin/web/tocsin/elements.js",
        "tocsin/web/tocsin/core.js",
    ):
        assert needed in names, f"{needed} is not in the wheel"
    assert any(name.startswith("tocsin/adapters/sql/migrations/versions/") for name in names)
    assert not [name for name in names if "node_modules" in name or name.startswith("tests/")]


def test_what_the_wheel_installs_serves_its_own_web_client(installed: Path) -> None:
    elements = packages_of(installed) / "tocsin/web/tocsin/elements.js"
    with elements.open("a") as file:
        file.write("// of the wheel\n")
    python, tocsin = (str(installed / "bin" / name) for name in ("python", "tocsin"))
    with server_maker() as make:
        server = make(python=python, program=[tocsin])
        assert server.cli("--version") == __version__
        answer = server.start().request("GET", "/tocsin/elements.js")
    assert answer.status_code == 200
    assert answer.text == elements.read_text()
