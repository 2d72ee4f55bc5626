"""Runs ``tocsin`` with a newer version of the demo's page: the built files, and one of them changed.

The first argument is the folder of that version, made by :func:`newer_version`; the others are those of ``tocsin``.
"""

import shutil
import sys
from pathlib import Path

from tocsin.api import web_files
from tocsin.cli import main


def newer_version(folder: Path) -> Path:
    """Copy the built files, and change the worker as a build of changed files does; return the folder."""
    page = folder / "page"
    shutil.copytree(web_files.FOLDER, page)
    worker = page / "worker.js"
    code = worker.read_text()
    assert '"version":"' in code
    worker.write_text(code.replace('"version":"', '"version":"newer-', 1))
    return page


if __name__ == "__main__":
    page = Path(sys.argv.pop(1))
    web_files.WebFiles.__init__.__defaults__ = (page,)  # the composition root names no folder
    main()
