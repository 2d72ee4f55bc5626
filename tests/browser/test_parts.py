"""What a page paints by `::part()`: every part that the package names takes it, and no other style stands in the way."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.server_process import ServerProcess
from tests.browser.application_page import LOOKS, application_page
from tests.browser.backend import Backend
from tests.browser.conftest import DEADLINE_MS

expect.set_options(timeout=DEADLINE_MS)
SOURCE = 'token-url="/demo/session?user=ada" user="ada"'
COLOUR = "rgb(1, 2, 3)"
# The page's own rule; a sheet that is made by a script needs no leave of the policy.
PAINT = """([tag, part, colour]) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`${tag}::part(${part}) { color: ${colour}; }`);
  document.adoptedStyleSheets.push(sheet);
}"""
COLOURS = """([tag, part]) =>
  [...document.querySelector(tag).shadowRoot.querySelectorAll(`[part=${part}]`)]
    .map((one) => getComputedStyle(one).color)"""
OFF = "(it) => { it.state = { standing: 'off', isBusy: false, problem: null, report: null }; }"


def show_toasts(page: Page, backend: Backend) -> None:
    """More than can be up."""
    page.wait_for_function("() => document.querySelector('tocsin-toasts')?.view?.synced === true")
    backend.publish(*(f"Down {number}" for number in range(4)), severity="critical")
    expect(page.locator("tocsin-toasts .more")).to_be_visible()


def show_push(page: Page, _backend: Backend) -> None:
    """Push that nobody has turned on: there is a button."""
    panel = page.locator("tocsin-push")
    expect(panel.locator("section")).to_be_visible()
    panel.evaluate(OFF)
    expect(panel.get_by_role("button", name="Turn on")).to_be_visible()


def show_preferences(page: Page, _backend: Backend) -> None:
    """Quiet hours of one's own."""
    page.get_by_label("Quiet hours").last.select_option("own")
    expect(page.get_by_role("button", name="Add hours")).to_be_visible()


def show_inbox(page: Page, _backend: Backend) -> None:
    """It has all its parts from the start."""
    expect(page.locator("tocsin-inbox [role=tablist]")).to_be_visible()


def show_bell(page: Page, _backend: Backend) -> None:
    """Opened, so that its panel is there."""
    page.get_by_role("button", name="Notifications").click()
    expect(page.locator("tocsin-bell tocsin-inbox")).to_be_visible()


SHOW: dict[str, Callable[[Page, Backend], None]] = {
    "tocsin-bell": show_bell,
    "tocsin-inbox": show_inbox,
    "tocsin-preferences": show_preferences,
    "tocsin-push": show_push,
    "tocsin-toasts": show_toasts,
}


def parts(server: ServerProcess) -> dict[str, list[str]]:
    """Return what the package says, by element."""
    manifest: Any = httpx.get(f"{server.url}/tocsin/custom-elements.json").json()
    elements = manifest["modules"][0]["declarations"]
    named = {one["tagName"]: [each["name"] for each in one["cssParts"]] for one in elements}
    return {tag: names for tag, names in named.items() if names}


def test_every_element_that_names_parts_is_painted_here(one_server: ServerProcess) -> None:
    assert parts(one_server).keys() == SHOW.keys()


@pytest.mark.parametrize("tag", SHOW)
def test_the_rule_of_a_page_takes_hold_of_every_part(
    chromium: Browser, one_server: ServerProcess, backend: Backend, tag: str
) -> None:
    body = f"<{tag} {SOURCE}></{tag}>"
    with application_page(chromium, one_server, LOOKS[0], body) as shown:
        page = shown.page
        SHOW[tag](page, backend)
        for part in parts(one_server)[tag]:
            page.evaluate(PAINT, [tag, part, COLOUR])
            colours = page.evaluate(COLOURS, [tag, part])
            assert set(colours) == {COLOUR}, part
