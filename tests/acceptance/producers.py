"""Tocsin's producers, each in a program of its own that has nothing but ``TOCSIN_URL`` and ``TOCSIN_KEY``."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.acceptance.server_process import clean_environment

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
BUILT = ROOT / "src/tocsin/web/tocsin"
LANGUAGES = ("python", "asyncio", "node")
END_S = 250.0


def lay_out_package(folder: Path) -> None:
    """Put the built ``@tocsin/web`` where programs in ``folder`` find it, as npm would."""
    assert (BUILT / "producer.js").exists(), "the web client is not built; run `make web`"
    package = folder / "node_modules/@tocsin/web"
    (package / "dist").mkdir(parents=True)
    shutil.copy(ROOT / "web/package.json", package)
    (package / "dist/tocsin").symlink_to(BUILT)


class ProducerProgram:
    """Runs orders: lists of alerts to be published as a batch, or one by one with some in flight."""

    def __init__(self, language: str, node: Path, folder: Path, url: str, key: str) -> None:
        self._env = clean_environment() | {"TOCSIN_URL": url, "TOCSIN_KEY": key}
        if language == "node":
            lay_out_package(folder)
            program = shutil.copy(FOLDER / "drivers/producer.mjs", folder)
            self._command = [os.fspath(node), os.fspath(program)]
        else:
            name = "producer_aio.py" if language == "asyncio" else "producer_sync.py"
            self._command = [sys.executable, os.fspath(FOLDER / "drivers" / name)]

    async def run(
        self, alerts: Sequence[Any], *, batch: bool = False, at_once: int = 1
    ) -> list[dict[str, Any]]:
        """Return one outcome for each alert: ``id`` and ``repeat``, or ``code``."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            env=self._env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        order = {"alerts": alerts, "batch": batch, "at_once": at_once}
        try:
            async with asyncio.timeout(END_S):
                output, errors = await process.communicate(json.dumps(order).encode())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, errors.decode()
        outcomes: list[dict[str, Any]] = json.loads(output)
        return outcomes
