"""A page of an application, on a real server, in every look: size, theme, direction and language."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page

from tests.acceptance.server_process import ServerProcess
from tests.browser.axe import complaints
from tests.browser.conftest import DEADLINE_MS

# Where pictures of every state are left, to be looked at; nowhere unless it is set.
PICTURES = os.environ.get("TOCSIN_TEST_PICTURES")
# As strict as an application's policy can be.
_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self' ws:; img-src 'self' data:; style-src 'self'; require-trusted-types-for 'script'; trusted-types lit-html"
_PAGE = """<!doctype html>
<html lang="{lang}" dir="{dir}"><head><meta charset="utf-8"><title>Orders</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="/orders.css">
<script type="module" src="/tocsin/elements.js"></script></head>
<body><main><h1>Orders</h1><p><button type="button" id="own">A button of the page</button></p>{body}</main></body></html>"""

_INDENT = """(element) => {
  const range = document.createRange();
  range.selectNodeContents(element);
  const [text, box] = [range, element].map((one) => one.getBoundingClientRect());
  const { direction } = getComputedStyle(element.parentElement);
  return direction === "rtl" ? box.right - text.right : text.left - box.left;
}"""
_STYLE = "html { background: Canvas; color: CanvasText; font: 14px system-ui } main { max-width: 640px; margin: auto }"


class Look(NamedTuple):
    """One way in which a page may be seen."""

    name: str
    width: int
    height: int
    theme: str
    dir: str
    lang: str


# Every value of each beside every value of the others, in few pages.
LOOKS = (
    Look("desktop-light-ltr-en", 1440, 900, "light", "ltr", "en"),
    Look("desktop-dark-rtl-de", 1440, 900, "dark", "rtl", "de"),
    Look("phone-light-rtl-en", 390, 844, "light", "rtl", "en"),
    Look("phone-dark-ltr-de", 390, 844, "dark", "ltr", "de"),
    Look("narrow-light-ltr-de", 320, 640, "light", "ltr", "de"),
)


class ApplicationPage:
    """One page in one look; ``check`` is to be called in each state that people can see."""

    def __init__(self, page: Page, look: Look) -> None:
        self.page = page
        self.look = look

    def check(self, state: str) -> None:
        """Fail if axe finds a fault, or if something is wider than the page; leave a picture."""
        if PICTURES:
            self.page.screenshot(path=f"{PICTURES}/{state}-{self.look.name}.png")
        faults = complaints(self.page)
        assert not faults, "\n".join([f"{state}, {self.look.name}:", *faults])
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), state


def indent(text: Locator) -> float:
    """Return how many pixels a text begins behind where lines of what is around it begin."""
    gap: float = text.evaluate(_INDENT)
    return gap


def _breaches(said: ConsoleMessage) -> list[str]:
    """What is refused by the server is for the elements to tell."""
    is_fault = said.type == "error" and not said.text.startswith("Failed to load resource")
    return [said.text] if is_fault else []


@contextmanager
def application_page(
    chromium: Browser, server: ServerProcess, look: Look, body: str, **options: Any
) -> Iterator[ApplicationPage]:
    """Open a page with ``body`` as its content; an error on it, or a breach of its policy, fails the test."""
    faults: list[str] = []
    context = chromium.new_context(
        viewport={"width": look.width, "height": look.height},
        color_scheme=look.theme,  # type: ignore[arg-type]  # one of Playwright's own words
        locale="de-DE" if look.lang == "de" else "en-GB",
        has_touch=look.width < 480,
        # What still moves has not its colours yet.
        **{"reduced_motion": "reduce", **options},
    )
    try:
        context.set_default_timeout(DEADLINE_MS)
        # A page that the test answers itself comes from no address, and sockets to this machine need leave.
        context.grant_permissions(["local-network-access"], origin=server.url)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.extend(_breaches(said)))
        address = f"{server.url}/orders"
        content = _PAGE.format(lang=look.lang, dir=look.dir, body=body)
        headers = {"content-type": "text/html", "content-security-policy": _POLICY}
        page.route(address, lambda route: route.fulfill(body=content, headers=headers))
        style = {"content_type": "text/css", "body": _STYLE}
        page.route(f"{server.url}/orders.css", lambda route: route.fulfill(**style))
        page.goto(address)
        yield ApplicationPage(page, look)
    finally:
        context.close()
    assert not faults, "\n".join(faults)
