"""A browser behind a proxy that refuses WebSockets: the same page, by server-sent events."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.deadlines import until
from tests.acceptance.server_process import ServerProcess
from tests.browser.attention import look_away
from tests.browser.conftest import DEADLINE_MS
from tests.browser.upgrade_blocker import UpgradeBlocker, upgrade_blocker

# The socket is tried after 5 to 10 s, and then after twice that, again and again.
PROBED_MS = 180_000


@pytest.fixture
def blocker() -> Iterator[UpgradeBlocker]:
    with upgrade_blocker() as blocker:
        yield blocker


@pytest.fixture
def behind(blocker: UpgradeBlocker) -> Iterator[ServerProcess]:
    """A server with the demo page, of which the world knows the proxy's address only."""
    with tempfile.TemporaryDirectory(prefix="tcs") as folder:
        env = {"TOCSIN_DEMO": "true", "TOCSIN_PUBLIC_URL": blocker.url}
        process = ServerProcess(Path(folder), env=env)
        blocker.target = process.port
        try:
            yield process.start()
        finally:
            process.end()


@pytest.fixture
def page(chromium: Browser, behind: ServerProcess, blocker: UpgradeBlocker) -> Iterator[Page]:
    context = chromium.new_context()
    context.set_default_timeout(DEADLINE_MS)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{blocker.url}/?user=ada")
    yield page
    context.close()
    assert faults == []


def runs_over(page: Page, transport: str, within_ms: int = DEADLINE_MS) -> None:
    """Wait until the page is in step, over this transport."""
    page.wait_for_function(
        """transport => {
          const { inUse, view } = document.querySelector("tocsin-bell") ?? {};
          return view?.synced && inUse.status === "online" && inUse.transport === transport;
        }""",
        arg=transport,
        timeout=within_ms,
    )


def shows(page: Page, title: str, count: int) -> None:
    """Wait for the toast, and check that the badge counts every alert once."""
    expect(page.locator("tocsin-toasts .title", has_text=title)).to_have_count(1)
    expect(page.locator("tocsin-bell .badge").first).to_have_text(str(count))


def test_alerts_arrive_without_sockets_over_a_restart_and_by_socket_when_they_may(
    page: Page, behind: ServerProcess, blocker: UpgradeBlocker
) -> None:
    key = behind.key("producer")
    look_away(page)
    runs_over(page, "stream")
    # One that is slow to be refused leaves the second to a later try.
    until(lambda: blocker.refused >= 2, "sockets are refused", 60)
    behind.publish(key, title="By stream")
    shows(page, "By stream", 1)

    behind.restart()
    runs_over(page, "stream", PROBED_MS)
    behind.publish(key, title="After the restart")
    shows(page, "After the restart", 2)

    blocker.is_blocking = False
    runs_over(page, "socket", PROBED_MS)
    behind.publish(key, title="By socket")
    shows(page, "By socket", 3)
    rows = page.evaluate("document.querySelector('tocsin-bell').view.items.map(i => i.alert.title)")
    assert rows == ["By socket", "After the restart", "By stream"]
