"""Whether somebody looks at a page: no time of a toast passes while nobody does, however busy the machine is."""

from playwright.sync_api import Page

_SAY = """(state) => {
  Object.defineProperty(document, "visibilityState", { get: () => state, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def look_away(page: Page) -> None:
    """Let the page take itself for one behind another window: its toasts stay."""
    page.evaluate(_SAY, "hidden")


def look_again(page: Page) -> None:
    """Let the page be looked at: the time of its toasts goes on."""
    page.evaluate(_SAY, "visible")
