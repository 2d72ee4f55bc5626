"""Every state of bell, inbox and toasts, on desktop and phone, light and dark, in both directions and languages.

No picture is compared: what is asserted are facts, that the state is seen, that axe finds nothing, that nothing is wider
than the window, and that targets are large enough.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.application_page import PICTURES, indent
from tests.browser.axe import complaints
from tests.browser.conftest import DEADLINE_MS
from tests.browser.element_page import open_page, reach, show, speak
from tests.browser.element_states import BELL, INBOX, TOASTS

expect.set_options(timeout=DEADLINE_MS)

Options = dict[str, Any]

DESKTOP: Options = {"viewport": {"width": 1_000, "height": 800}}
PHONE: Options = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# As small as WCAG asks for; 640 px at 200 % is as wide.
NARROW: Options = {"viewport": {"width": 320, "height": 568}, "has_touch": True, "is_mobile": True}
FORMS = {"desktop": DESKTOP, "phone": PHONE, "narrow": NARROW}
# Every two values of colour scheme, direction and language beside each other.
LOOKS = (
    ("light", "ltr", "en"),
    ("light", "rtl", "de"),
    ("dark", "ltr", "de"),
    ("dark", "rtl", "en"),
)
LOCALES = {"en": "en-US", "de": "de-DE"}
STILL: Options = {"timezone_id": "UTC", "reduced_motion": "reduce"}
LEAST_PX = {"desktop": 24, "phone": 44}
ELEMENTS = {"tocsin-inbox": INBOX, "tocsin-bell": BELL, "tocsin-toasts": TOASTS}
STATES = [(element, name) for element, states in ELEMENTS.items() for name in states]

# Controls that are drawn and can be pressed, as [name, width, height]; a label is the target of its box.
TARGETS = """() => {
  const roots = [element.renderRoot, element.renderRoot.querySelector("tocsin-inbox")?.renderRoot];
  const all = roots.flatMap((root) => [...(root?.querySelectorAll("button, select, a, label") ?? [])]);
  return all.flatMap((one) => {
    const { width, height } = one.getBoundingClientRect();
    const drawn = one.checkVisibility({ visibilityProperty: true }) && one.offsetParent !== null;
    const pressed = getComputedStyle(one).pointerEvents !== "none";
    const isRow = one.matches(".title");
    return drawn && pressed && !isRow
      ? [[one.getAttribute("aria-label") ?? one.textContent.trim(), width, height]] : [];
  });
}"""
# What is wider than its box, and bars that are cut.
LARGER = """() => {
  const roots = [element.renderRoot, element.renderRoot.querySelector("tocsin-inbox")?.renderRoot];
  const boxes = roots.flatMap((root) => [...(root?.querySelectorAll("[role=tablist], .panel, .list, header, .filters, .menu") ?? [])]);
  const wide = [document.documentElement, ...boxes]
    .filter((box) => box.scrollWidth > box.clientWidth + 1)
    .map((box) => `${box.localName}.${box.className}: ${box.scrollWidth} > ${box.clientWidth}`);
  const cut = boxes
    .filter((box) => box.localName === "header" && box.scrollHeight > box.clientHeight + 1)
    .map((box) => `header: ${box.scrollHeight} high in ${box.clientHeight}`);
  return [...wide, ...cut];
}"""


class Stage(NamedTuple):
    """One page for all states of one form, colour scheme, direction and language."""

    page: Page
    form: str
    lang: str
    name: str

    def reach(self, element: str, name: str) -> None:
        """Bring an element into a state, see that it is there, and leave a picture."""
        reach(self.page, element, ELEMENTS[element][name], self.lang)
        if PICTURES:
            file = f"{element}-{name}-{self.name}.png".replace(" ", "-")
            self.page.screenshot(path=f"{PICTURES}/{file}")


@contextmanager
def staged(chromium: Browser, form: str, scheme: str, direction: str, lang: str) -> Iterator[Stage]:
    """Open a stage; an error on its page fails the test."""
    options: Options = {"color_scheme": scheme, "locale": LOCALES[lang], **STILL, **FORMS[form]}
    context = chromium.new_context(**options)
    faults: list[str] = []
    page = open_page(context)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.evaluate("(direction) => { document.documentElement.dir = direction; }", direction)
    speak(page, lang)
    yield Stage(page, form, lang, f"{form}-{scheme}-{direction}-{lang}")
    context.close()
    assert faults == []


@pytest.fixture(
    scope="module",
    params=[(form, *look) for form in ("desktop", "phone") for look in LOOKS],
    ids="-".join,
)
def stage(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Stage]:
    with staged(chromium, *request.param) as stage:
        yield stage


@pytest.fixture(
    scope="module",
    params=[("narrow", "light", "rtl", "en"), ("narrow", "dark", "ltr", "de")],
    ids="-".join,
)
def narrow(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Stage]:
    """A window as narrow as text at 200 % makes a small one."""
    with staged(chromium, *request.param) as stage:
        yield stage


@pytest.mark.parametrize(("element", "state"), STATES)
def test_every_state_is_accessible_and_fits(stage: Stage, element: str, state: str) -> None:
    stage.reach(element, state)
    assert complaints(stage.page) == []
    assert stage.page.evaluate(LARGER) == []
    least = LEAST_PX[stage.form]
    small = [one for one in stage.page.evaluate(TARGETS) if min(one[1:]) < least - 0.5]
    assert small == []


@pytest.mark.parametrize(("element", "state"), STATES)
def test_nothing_breaks_at_320_pixels(narrow: Stage, element: str, state: str) -> None:
    narrow.reach(element, state)
    assert narrow.page.evaluate(LARGER) == []


def test_a_text_of_the_other_direction_begins_where_the_lines_of_the_page_begin(
    stage: Stage,
) -> None:
    page = stage.page
    show(page, "tocsin-inbox", INBOX["full"])
    for text in page.locator(".title, .body").all():
        assert indent(text) < 1


def test_the_tab_that_is_open_shows_in_forced_colours(chromium: Browser) -> None:
    context = chromium.new_context(forced_colors="active", **STILL, **DESKTOP)
    page = open_page(context)
    show(page, "tocsin-inbox", INBOX["full"])
    all_, unread = page.locator("#all"), page.locator("#unread")
    ground = "(tab) => getComputedStyle(tab).backgroundColor"
    assert all_.evaluate(ground) != unread.evaluate(ground)
    context.close()
