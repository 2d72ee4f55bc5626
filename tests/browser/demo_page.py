"""The demo page, as a person finds their way on it."""

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import DEADLINE_MS


def bell(page: Page) -> Locator:
    return page.locator("tocsin-bell").first


def badge(page: Page) -> Locator:
    return bell(page).locator(".badge")


def open_inbox(page: Page) -> Locator:
    bell(page).get_by_role("button", name="Notifications").click()
    inbox = bell(page).locator("tocsin-inbox")
    expect(inbox).to_be_visible()
    return inbox


def row(inbox: Locator, title: str) -> Locator:
    return inbox.locator("li.row", has_text=title)


def ready(page: Page) -> None:
    """Wait until the page has its inbox."""
    expect(bell(page).get_by_role("button")).to_be_visible()
    page.wait_for_function(
        "() => document.querySelector('tocsin-bell')?.view?.synced === true", timeout=DEADLINE_MS
    )


def toast(page: Page, title: str) -> Locator:
    return page.locator("tocsin-toasts .title", has_text=title)


def send(page: Page, title: str, to: str = "Me", severity: str = "Success") -> None:
    """Write an alert into the composer and send it; the choices are named as the page names them."""
    for choice in (to, severity):
        page.get_by_role("radio", name=choice).check(force=True)
    page.get_by_label("Title").fill(title)
    page.get_by_role("button", name="Send", exact=True).click()
