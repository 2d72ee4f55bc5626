"""A newcomer's first command: ``make run`` in a fresh copy of the project sets everything up, and its line shows an alert."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.acceptance.server_process import STOP_S, clean_environment, free_port
from tests.browser.conftest import DEADLINE_MS, OpenPage
from tests.browser.demo_page import open_inbox, ready, row
from tests.browser.first_minutes import greetings, see_first_alert

expect.set_options(timeout=DEADLINE_MS)
ROOT = Path(__file__).parents[2]
# Packages may have to be fetched.
SET_UP_S = 900.0
INSTALLS = "installing what Tocsin needs"
# Of the make and the environment that run this test.
OURS = ("MAKE", "MFLAGS", "VIRTUAL_ENV", "PYTHON")


class FreshCopy:
    """The project as git has it, in an empty folder, and ``make run`` there."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "tocsin"
        self.out_file = folder / "out"
        self._port = free_port()
        self._make: subprocess.Popen[bytes] | None = None
        shutil.copytree(ROOT, self.root, ignore=_generated, symlinks=True)

    @property
    def url(self) -> str:
        """The address it serves on."""
        return f"http://127.0.0.1:{self._port}"

    def run(self) -> None:
        """Begin ``make run``, on a port that is free here and with the Python that runs this test."""
        env = {n: v for n, v in clean_environment().items() if not n.startswith(OURS)}
        with self.out_file.open("ab") as out:
            self._make = subprocess.Popen(
                ["make", "run", f"PORT={self._port}", f"PYTHON={sys.executable}"],
                cwd=self.root,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def interrupt(self) -> None:
        """Press Ctrl-C: make and server hear it, and end."""
        if self._make is not None:
            os.killpg(self._make.pid, signal.SIGINT)
            self._make.wait(STOP_S)
            self._make = None

    def printed(self) -> str:
        """Return all that was printed."""
        return self.out_file.read_text()


def _generated(folder: str, names: list[str]) -> list[str]:
    """Return what git does not have."""
    patterns = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text().split()]
    under = Path(folder).relative_to(ROOT)
    return [
        name
        for name in names
        if name == ".git"
        or any(fnmatch((under / name).as_posix(), p) or fnmatch(name, p) for p in patterns)
    ]


@pytest.fixture
def server() -> Iterator[FreshCopy]:
    """A fresh copy in which nothing was done yet."""
    # A short name: the path of a Unix socket has at most about 100 characters.
    with tempfile.TemporaryDirectory(prefix="tcs") as folder:
        copy = FreshCopy(Path(folder))
        try:
            yield copy
        finally:
            copy.interrupt()
            print(copy.printed()[-4_000:])


@pytest.mark.timeout(2 * SET_UP_S)
def test_make_run_in_a_fresh_copy_shows_the_alert_of_the_line_that_it_prints_and_keeps_it(
    server: FreshCopy, open_page: OpenPage
) -> None:
    server.run()
    [(address, line)] = greetings(server.out_file, starts=1, within_s=SET_UP_S)
    page = open_page(viewport={"width": 1_000, "height": 800})
    assert page.url == address
    see_first_alert(page, line)

    server.interrupt()
    assert "serve.stopped" in server.printed()
    server.run()
    assert greetings(server.out_file, starts=2)[-1] == (address, line)
    page.goto(address)
    ready(page)
    expect(row(open_inbox(page), "Hello, Ada")).to_have_count(1)
    assert server.printed().count(INSTALLS) == 1, "what is installed is not installed again"
