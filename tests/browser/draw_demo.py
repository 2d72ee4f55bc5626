"""Draws ``docs/images/demo.png``: the demo page on an ordinary day, with an alert that has just arrived.

Run it from the top folder after a change of what people see:  ``.venv/bin/python -m tests.browser.draw_demo``
"""

import tempfile
from pathlib import Path

from playwright.sync_api import Locator, Page, ViewportSize, expect, sync_playwright

from tests.acceptance.server_process import ServerProcess
from tests.browser.conftest import DEADLINE_MS, FLAGS, chromium_path

FILE = Path(__file__).parents[2] / "docs" / "images" / "demo.png"
SIZE: ViewportSize = {"width": 1440, "height": 900}
# Examples of the composer, oldest first, their titles, and who gets them.
DAY = (
    ("Parcel", "Parcel at the door", "Everyone"),
    ("Payment", "Payment received", "Me"),
    ("Comment", "Ben commented", "Me"),
    ("Outage", "Checkout is down", "Me"),
    ("Backup", "Nightly backup failed", "Everyone"),
)
LAST = ("Certificate", "Certificate expires", "Me")


def main() -> None:
    """Let a day go by, and take the picture."""
    with tempfile.TemporaryDirectory(prefix="tcs") as folder, sync_playwright() as driver:
        server = ServerProcess(Path(folder), env={"TOCSIN_DEMO": "true"}).start()
        browser = driver.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        try:
            page = browser.new_page(viewport=SIZE)
            page.set_default_timeout(DEADLINE_MS)
            draw(page, server.url)
        finally:
            browser.close()
            server.end()


def draw(page: Page, url: str) -> None:
    """Send the day's alerts, come back, read two, and send the last one."""
    page.goto(f"{url}/?user=ada")
    expect(page.locator("demo-agreement tr[data-line=live]")).to_have_count(3)
    for alert in DAY:
        send(page, *alert)
    page.reload()  # what is in the inbox by then has no toast
    expect(page.locator("demo-agreement tr[data-line=live]")).to_have_count(3)
    for _, title, _ in DAY[:2]:
        row = row_of(page, title)
        row.hover()
        row.get_by_role("button", name="Mark as read").click()
    send(page, *LAST)
    page.mouse.move(0, 0)
    expect(page.locator(".lane li.reached", has_text="Seen").first).to_be_visible()
    page.screenshot(path=FILE)


def send(page: Page, sample: str, title: str, to: str) -> None:
    """Send an example of the composer, and wait until this window has it."""
    page.get_by_role("radio", name=to).check(force=True)
    page.get_by_role("button", name=sample, exact=True).click()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(row_of(page, title)).to_be_visible()


def row_of(page: Page, title: str) -> Locator:
    """Return the alert in this window."""
    return page.locator(".window > tocsin-inbox li.row", has_text=title)


if __name__ == "__main__":
    main()
