"""The wheel: what `pip install` brings."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_wheel_holds_the_web_client_the_migrations_and_the_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    [wheel] = tmp_path.glob("*.whl")
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
