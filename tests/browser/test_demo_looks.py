"""The demo and the pages of the elements as everybody meets them: on a desk and a phone, light and dark, to eyes and to axe."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.server_process import ServerProcess
from tests.browser.axe import complaints
from tests.browser.backend import Backend
from tests.browser.conftest import DEADLINE_MS

expect.set_options(timeout=DEADLINE_MS)

# Where pictures are left, to be looked at; nowhere unless it is set.
PICTURES = os.environ.get("TOCSIN_TEST_PICTURES")
FORMS: dict[str, dict[str, Any]] = {
    "desk": {"viewport": {"width": 1440, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
# As small as WCAG asks for; 640 px at 200 % is as wide.
NARROW: dict[str, Any] = {
    "viewport": {"width": 320, "height": 568},
    "has_touch": True,
    "is_mobile": True,
}
ACTIONS = [{"id": "take", "label": "I am on it", "style": "primary"}]
# Not `innerWidth`, which grows on a phone with what is too wide.
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
# Fonts and colours that still change are not what is read.
# The least space between the words above the columns of the journey, in pixels.
HEADS_APART = """() => {
  const words = [...document.querySelectorAll(".lane-heads span:not(:empty)")].map((head) => {
    const range = document.createRange();
    range.selectNodeContents(head);
    return range.getBoundingClientRect();
  });
  return Math.min(...words.slice(1).map((word, index) => word.left - words[index].right));
}"""
STILL = "() => document.getAnimations().every((one) => one.playState !== 'running')"


class Looking(NamedTuple):
    """Somebody looking at a page in one form and scheme."""

    page: Page
    name: str

    def check(self, state: str) -> None:
        """Fail if axe finds a fault in the page or a frame of it, or something is wider than the window."""
        self.page.wait_for_function(STILL)
        self.fits(state)
        faults = [fault for frame in self.page.frames for fault in complaints(frame)]
        assert not faults, "\n".join([f"{state}, {self.name}:", *faults])

    def fits(self, state: str) -> None:
        """Fail if something is wider than the window; leave a picture."""
        if PICTURES:
            self.page.screenshot(path=f"{PICTURES}/{state}-{self.name}.png", full_page=True)
        assert not self.page.evaluate(WIDER), f"{state}, {self.name}"


@pytest.fixture(params=product(FORMS, ("light", "dark")), ids="-".join)
def looking(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Looking]:
    form, scheme = request.param
    with window(chromium, color_scheme=scheme, **FORMS[form]) as page:
        yield Looking(page, f"{form}-{scheme}")


@contextmanager
def window(chromium: Browser, **options: Any) -> Iterator[Page]:
    """Open a window; an error on its page fails the test."""
    faults: list[str] = []
    context = chromium.new_context(reduced_motion="reduce", **options)
    context.set_default_timeout(DEADLINE_MS)
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert faults == []


def test_the_demo_is_clean_from_its_first_sight_to_a_full_inbox(
    looking: Looking, one_server: ServerProcess, backend: Backend
) -> None:
    page = looking.page
    page.goto(f"{one_server.url}/?user=ada")
    ready(page)
    looking.check("demo-start")
    backend.publish("Nightly backup failed", body="No space left on /backup.", severity="error")
    backend.publish("Checkout is down", severity="critical", actions=ACTIONS, url="/runbook")
    expect(page.locator("tocsin-toasts .title", has_text="Checkout is down").first).to_be_visible()
    looking.check("demo-toasts")
    backend.read_all()
    expect(page.locator("tocsin-toasts .toast")).to_have_count(0)
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("button", name="Notifications").first.click()
    expect(page.locator("tocsin-bell tocsin-inbox").first).to_be_visible()
    looking.check("demo-bell")


def ready(page: Page) -> None:
    page.wait_for_function("() => document.querySelector('tocsin-bell')?.view?.synced === true")


def test_the_page_of_every_element_is_clean(
    looking: Looking, one_server: ServerProcess, backend: Backend
) -> None:
    manifest = one_server.request("GET", "/tocsin/custom-elements.json").json()
    backend.publish("Nightly backup failed", body="No space left on /backup.", severity="error")
    page = looking.page
    for element in manifest["modules"][0]["declarations"]:
        name = element["tagName"]
        page.goto(f"{one_server.url}/elements/?element={name}")
        expect(page.locator(".summary")).to_be_visible()
        page.locator(f".stage > {name}:defined").wait_for(state="attached")
        looking.check(f"page-{name}")


def test_nothing_breaks_at_320_pixels(
    chromium: Browser, one_server: ServerProcess, backend: Backend
) -> None:
    backend.publish("Checkout is down", severity="critical", actions=ACTIONS, url="/runbook")
    with window(chromium, color_scheme="dark", **NARROW) as page:
        looking = Looking(page, "narrow-dark")
        page.goto(f"{one_server.url}/?user=ada")
        ready(page)
        looking.fits("demo-start")
        assert page.evaluate(HEADS_APART) > 4
        page.get_by_role("button", name="Notifications").first.click()
        expect(page.locator("tocsin-bell tocsin-inbox .row").first).to_be_visible()
        looking.fits("demo-bell")
        page.goto(f"{one_server.url}/elements/?element=tocsin-inbox")
        expect(page.locator(".stage > tocsin-inbox .row").first).to_be_visible()
        looking.fits("page-tocsin-inbox")
