"""The demo page as an app: installable, starting without a server, and brought up to date without losing anything."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.acceptance.deadlines import until
from tests.acceptance.server_process import ServerProcess
from tests.browser import newer_page
from tests.browser.conftest import DEADLINE_MS, OpenPage

expect.set_options(timeout=DEADLINE_MS)
NARROW = {"width": 1_000, "height": 800}
IS_READ = re.compile(r"\bread\b")


def kept(page: Page) -> None:
    """Wait until the worker has the page's files and answers for it."""
    page.wait_for_function("() => navigator.serviceWorker.controller !== null", timeout=DEADLINE_MS)


def remembered(page: Page, count: int) -> None:
    """Wait until the page has its inbox on disk, which it writes a second after it changed."""

    def is_on_disk() -> bool:
        found: bool = page.evaluate(
            """(count) => new Promise((resolve, reject) => {
                const opening = indexedDB.open("tocsin");
                opening.onerror = () => reject(opening.error);
                opening.onsuccess = () => {
                    const database = opening.result;
                    const snapshots = database.transaction("snapshots").objectStore("snapshots");
                    const reading = snapshots.getAll();
                    reading.onsuccess = () => {
                        database.close();
                        resolve(reading.result.some((kept) => kept.items.length === count));
                    };
                };
            })""",
            count,
        )
        return found

    # A promise would be taken for true by the page's own waiting.
    until(is_on_disk, "the inbox is on disk")


def only_cache(page: Page) -> str:
    """Return the name of the files' cache, nothing while there are several."""
    names: list[str] = page.evaluate("caches.keys()")
    return names[0] if len(names) == 1 else ""


def rows(page: Page) -> Any:
    return page.locator(".window tocsin-inbox li.row")


def test_the_page_can_be_installed(open_page: OpenPage) -> None:
    page = open_page(viewport=NARROW)
    kept(page)
    session = page.context.new_cdp_session(page)
    manifest = session.send("Page.getAppManifest")
    assert manifest["errors"] == []
    # Playwright's pages are those of a private window, which is the one thing in the way.
    errors = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert {error["errorId"] for error in errors} <= {"in-incognito"}


def test_the_page_starts_without_a_server_and_an_update_loses_nothing(
    open_page: OpenPage, server: ServerProcess, tmp_path: Path
) -> None:
    page = open_page(viewport=NARROW)
    kept(page)
    key = server.key("producer")
    for title in ("Kept", "Read while away"):
        server.publish(key, title=title)
    expect(rows(page)).to_have_count(2)
    remembered(page, 2)
    page.reload()
    expect(rows(page)).to_have_count(2)

    server.stop()
    page.reload()
    expect(rows(page)).to_have_count(2)
    row = rows(page).filter(has_text="Read while away")
    row.hover()
    row.get_by_role("button", name="Mark as read").click()
    expect(row).to_have_class(IS_READ)
    expect(page.locator("demo-agreement .line")).to_contain_text("1 to send")

    with newer(server, newer_page.newer_version(tmp_path)) as updated:
        page.evaluate("navigator.serviceWorker.getRegistration().then((found) => found.update())")
        with page.expect_navigation():
            page.get_by_role("button", name="Update").click()
        until(lambda: "newer-" in only_cache(page), "the older page's files are gone")
        expect(row).to_have_class(IS_READ)
        expect(page.locator("demo-agreement .line")).to_have_text("Live")
        read = {item["alert"]["title"]: item["read"] for item in inbox_of(updated)}
        assert read == {"Kept": False, "Read while away": True}


@contextmanager
def newer(server: ServerProcess, page: Path) -> Iterator[ServerProcess]:
    """The same folder on the same port, with another version of the page."""
    program = (newer_page.__file__, str(page))
    updated = ServerProcess(server.folder, program=program, env={"TOCSIN_DEMO": "true"})
    updated.port = server.port
    try:
        yield updated.start()
    finally:
        updated.end()


def inbox_of(server: ServerProcess) -> list[dict[str, Any]]:
    answer = server.request("GET", "/v1/inbox?user=ada", headers=server.key("server"))
    items: list[dict[str, Any]] = answer.json()["items"]
    return items
