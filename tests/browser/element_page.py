"""A page that shows one element in any state, without a server; its policy is as strict as ours."""

from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.conftest import WEB
from tests.browser.element_states import NOW_MS, State, shown

HERE = Path(__file__).parent
ORIGIN = "http://elements.test"
HEADERS = {"content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'self'"}
KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
# A line that breaks for less is not worth a word.
LINE_DOWN_MS = 4_000
# What the bell is called, by language.
BELL_NAMES = {"en": "Notifications", "de": "Meldungen"}


def open_page(context: BrowserContext) -> Page:
    """Open the page in a context; its clock stands at :data:`NOW_MS`."""
    context.route("**/*", _serve)
    page = context.new_page()
    page.clock.install(time=NOW_MS / 1_000)
    page.goto(ORIGIN)
    page.wait_for_selector("body[data-ready]")
    return page


def speak(page: Page, lang: str) -> None:
    """Make the page one of that language, and wait until its words are there."""
    page.evaluate("(lang) => { document.documentElement.lang = lang; }", lang)
    show(page, "tocsin-bell", State(shown([])))
    expect(page.get_by_role("button", name=BELL_NAMES[lang], exact=True)).to_be_visible()


def show(page: Page, element: str, state: State, properties: dict[str, Any] | None = None) -> None:
    """Put the element on the page, alone, and bring it into the state."""
    given = [
        element,
        {**state.properties, **(properties or {})},
        {"view": state.view, **state.more},
    ]
    page.evaluate("([name, properties, more]) => put(name, properties, more)", given)
    for selector in state.press:
        page.locator(selector).first.dispatch_event("click")
    if state.focus:
        page.locator(state.focus).focus()
    for key in state.keys:
        page.keyboard.press(key)
    if state.then:
        page.evaluate("(view) => client.show(view)", state.then)
    for name, value in state.tells.items():
        page.evaluate("([name, value]) => client.emit(name, value)", [name, value])
    if state.waits:
        page.clock.fast_forward(LINE_DOWN_MS)
    page.evaluate("() => element.updateComplete")


def reach(page: Page, element: str, state: State, lang: str) -> None:
    """As :func:`show`, and fail unless a person sees the state, in their language."""
    show(page, element, state)
    sight = page.locator(state.shows).first
    expect(sight).to_be_visible()
    expect(sight).to_contain_text(state.says.get(lang, ""))


def calls(page: Page) -> list[list[Any]]:
    """Return what the element asked of its client."""
    asked: list[list[Any]] = page.evaluate("() => client.calls")
    return [call for call in asked if call[0] not in ("tell", "markAllSeen")]


def _serve(route: Route) -> None:
    path = route.request.url.removeprefix(ORIGIN)
    files = {
        "/": "element_page.html",
        "/page.js": "element_page.js",
        "/page.css": "element_page.css",
    }
    file = HERE / files[path] if path in files else WEB.parent / path.removeprefix("/")
    if file.is_file():
        kind = f"{KINDS[file.suffix]}; charset=utf-8"
        route.fulfill(body=file.read_bytes(), content_type=kind, headers=HEADERS)
    else:
        route.fulfill(status=404, body="")
