"""The people of the demo page and what they send each other, of every severity."""

import pytest
from playwright.sync_api import expect

from tests.acceptance.server_process import ServerProcess
from tests.browser.attention import look_away
from tests.browser.conftest import DEADLINE_MS, OpenPage
from tests.browser.demo_page import ready, row, send, toast

expect.set_options(timeout=DEADLINE_MS)
# Too narrow for the frames in which the page shows more devices.
NARROW = {"width": 1_000, "height": 800}


@pytest.fixture
def server(one_server: ServerProcess) -> ServerProcess:
    """One for all tests here: each looks for titles of its own."""
    return one_server


def test_an_alert_to_somebody_else_comes_from_whom_was_picked_and_to_them_alone(
    open_page: OpenPage, server: ServerProcess
) -> None:
    here, there = open_page("ada", viewport=NARROW), open_page("chloe", viewport=NARROW)
    ready(there)
    here.get_by_role("link", name="Ben").click()
    expect(here).to_have_url(f"{server.url}/?user=ben")
    expect(here.locator(".people [aria-current=page]")).to_contain_text("Ben")
    ready(here)
    look_away(there)
    send(here, "Lunch, Chloe?", to="Chloe")
    expect(toast(there, "Lunch, Chloe?")).to_be_visible()
    send(here, "Buy bread")
    # Alerts arrive in order: with the second one here, the first would be as well.
    expect(row(here.locator(".window"), "Buy bread")).to_be_visible()
    expect(row(here.locator(".window"), "Lunch, Chloe?")).to_have_count(0)
    expect(row(there.locator(".window"), "Lunch, Chloe?")).to_be_visible()


@pytest.mark.parametrize(
    ("severity", "role"),
    [
        ("Info", "status"),
        ("Success", "status"),
        ("Warning", "status"),
        ("Error", "status"),
        ("Critical", "alert"),
    ],
)
def test_each_severity_is_drawn_named_and_said_as_what_it_is(
    open_page: OpenPage, severity: str, role: str
) -> None:
    page, title = open_page("ada", viewport=NARROW), f"One of {severity}"
    ready(page)
    look_away(page)
    send(page, title, severity=severity)
    toasts = page.locator("tocsin-toasts")
    drawn = toasts.get_by_role("article", name=title)
    expect(drawn).to_be_visible()
    expect(drawn).to_have_attribute("data-severity", severity.lower())
    expect(drawn.locator(".mark")).to_have_text(severity)
    for region in ("status", "alert"):
        said = toasts.get_by_role(region).get_by_text(title)
        expect(said).to_have_count(1 if region == role else 0)
