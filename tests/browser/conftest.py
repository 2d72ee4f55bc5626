"""A real server, and a real Chromium looking at its demo page."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests.acceptance.server_process import ServerProcess
from tests.browser.backend import Backend
from tests.browser.push_service import PushService, push_service

WEB = Path(__file__).parents[2] / "src" / "tocsin" / "web" / "index.html"
# A client that finds its server gone comes back within 30 s (sync.md, section 4), and on a busy machine not at once.
DEADLINE_MS = 90_000
expect.set_options(timeout=DEADLINE_MS)
# A hundred tabs one after the other, or examples that are installed and built first.
LONGEST_S = 600
# Chromium looks up hosts of its maker unless told not to; tests talk to this machine only.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# A page tells nobody else what its Content-Security-Policy refused.
TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sample, sourceFile }) =>
  tellViolation([effectiveDirective, blockedURI, sample, sourceFile].join(" ")));
"""

OpenPage = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a browser, and much time on a busy machine: each wait has a deadline of its own."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")
            item.add_marker(pytest.mark.timeout(LONGEST_S))


def chromium_path() -> str:
    """Find the browser of this machine."""
    path = os.environ.get("TOCSIN_TEST_CHROMIUM") or next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    assert path, "no Chromium; `make test` installs it, or set TOCSIN_TEST_CHROMIUM to its path"
    return path


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """What drives browsers; a thread can have one."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """One browser for all tests."""
    browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def server() -> Iterator[ServerProcess]:
    """A fresh server with the demo page."""
    with _demo_server() as process:
        yield process


@pytest.fixture(scope="module")
def one_server() -> Iterator[ServerProcess]:
    """One server with the demo page for all tests of a file."""
    with _demo_server() as process:
        yield process


@pytest.fixture(scope="module")
def backend(one_server: ServerProcess) -> Backend:
    """An application that publishes to that server."""
    return Backend(one_server)


@contextmanager
def _demo_server() -> Iterator[ServerProcess]:
    assert WEB.exists(), "the web client is not built; run `make web`"
    # A short name: the path of a Unix socket has at most about 100 characters.
    with tempfile.TemporaryDirectory(prefix="tcs") as folder:
        process = ServerProcess(Path(folder), options=["--demo"])
        try:
            yield process.start()
        finally:
            process.end()


@pytest.fixture
def service() -> Iterator[PushService]:
    """A push service on this machine."""
    with tempfile.TemporaryDirectory() as folder, push_service(Path(folder)) as service:
        yield service


@pytest.fixture
def open_page(chromium: Browser, server: ServerProcess) -> Iterator[OpenPage]:
    """Open the demo page as a user, on a device of its own; errors and refusals of its policy fail the test."""
    faults: list[str] = []
    contexts = []

    def note_violation(violation: str) -> None:
        faults.append(violation)

    def open_page(user: str = "ada", **options: object) -> Page:
        context = chromium.new_context(**options)  # type: ignore[arg-type]  # Playwright's own names
        context.set_default_timeout(DEADLINE_MS)
        contexts.append(context)
        context.expose_function("tellViolation", note_violation)
        context.add_init_script(TELL_VIOLATIONS)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"{server.url}/?user={user}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []
