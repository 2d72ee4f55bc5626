"""Toasts respect people: what they say, when they go, and how hands, keys and ears reach them."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.acceptance.deadlines import until
from tests.acceptance.server_process import ServerProcess
from tests.browser.application_page import LOOKS, ApplicationPage, Look, application_page, indent
from tests.browser.attention import look_again, look_away
from tests.browser.backend import Backend
from tests.browser.conftest import DEADLINE_MS
from tests.browser.keyboard import go_back_to, go_to, press

expect.set_options(timeout=DEADLINE_MS)

ADA = '<tocsin-toasts token-url="/demo/session?user=ada" user="ada"></tocsin-toasts>'
DESKTOP, PHONE = LOOKS[0], LOOKS[3]
ADD_BELL = """() => {
  const bell = document.createElement("tocsin-bell");
  for (const { name, value } of document.querySelector("tocsin-toasts").attributes) bell.setAttribute(name, value);
  document.querySelector("main").prepend(bell);
}"""
ACTIONS = [
    {"id": "take", "label": "I am on it", "style": "primary"},
    {"id": "page", "label": "Status page", "url": "#status"},
]
# What is to be done in a task of its own waits, and is done.
HOLD_TASKS = """() => {
  const { setTimeout } = window;
  window.tasks = [];
  window.release = () => { window.setTimeout = setTimeout; };
  window.setTimeout = (run, ms, ...more) => ms ? setTimeout(run, ms, ...more) : tasks.push(run);
}"""
RUN_TASKS = """() => {
  release();
  for (const run of tasks) run();
  return tasks.length;
}"""
# More than the two minutes of one with buttons, which no machine is too slow for.
UP_FOR_MS = 130_000


def ready(page: Page) -> None:
    page.wait_for_function("() => document.querySelector('tocsin-toasts')?.view?.synced === true")


def toasts(page: Page) -> Locator:
    return page.locator("tocsin-toasts .toast")


@pytest.fixture
def shown(chromium: Browser, one_server: ServerProcess) -> Iterator[ApplicationPage]:
    """A page with toasts, on a desktop."""
    with application_page(chromium, one_server, DESKTOP, ADA) as shown:
        ready(shown.page)
        yield shown


@pytest.fixture
def with_bell(chromium: Browser, one_server: ServerProcess) -> Iterator[ApplicationPage]:
    """A page with a bell and toasts, on a desktop."""
    bell = ADA.replace("toasts", "bell")
    with application_page(chromium, one_server, DESKTOP, bell + ADA) as shown:
        ready(shown.page)
        yield shown


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_every_state_is_clean_in_every_look(
    chromium: Browser, one_server: ServerProcess, backend: Backend, look: Look
) -> None:
    with application_page(chromium, one_server, look, ADA) as shown:
        page = shown.page
        ready(page)
        look_away(page)
        shown.check("toasts-none")
        body = "orders-db stopped at 62 %: no space left on /backup. The last good copy is old."
        backend.publish("Nightly backup failed", body=body, severity="error", url="/runbook")
        expect(toasts(page)).to_have_count(1)
        shown.check("toasts-one")
        assert indent(page.locator("tocsin-toasts .title")) < 1
        assert indent(page.locator("tocsin-toasts .body")) < 1
        backend.publish(
            "Checkout is down", body="Every payment fails.", severity="critical", actions=ACTIONS
        )
        expect(page.locator("tocsin-toasts .choice")).to_have_count(2)
        page.locator("tocsin-toasts article").last.hover()
        shown.check("toasts-critical")
        page.mouse.move(1, 1)
        page.wait_for_timeout(1_100)  # what comes within a second is a burst
        backend.publish("הגיבוי הלילי נכשל", "Parcel at the door", severity="warning")
        expect(page.locator("tocsin-toasts .more")).to_be_visible()
        shown.check("toasts-more")
        backend.publish(*(f"Payment {number} received" for number in range(40)), severity="success")
        expect(page.locator("tocsin-toasts .summary")).to_be_visible()
        shown.check("toasts-burst")
        backend.read_all()
        expect(toasts(page)).to_have_count(0)


def test_a_burst_is_one_summary_that_is_said_once(shown: ApplicationPage, backend: Backend) -> None:
    page = shown.page
    look_away(page)
    backend.publish(*(f"Burst {number}" for number in range(50)))
    summary = page.locator("tocsin-toasts .summary")
    expect(summary).to_contain_text("50 new alerts")
    expect(toasts(page)).to_have_count(1)
    expect(page.locator("tocsin-toasts [role=status]")).to_have_text(
        "Many new alerts. They are in your inbox."
    )
    backend.read_all()
    expect(summary).to_have_count(0)


def test_live_regions_stand_before_the_text_and_only_critical_interrupts(
    shown: ApplicationPage, backend: Backend
) -> None:
    page = shown.page
    polite = page.locator("tocsin-toasts [role=status]")
    urgent = page.locator("tocsin-toasts [role=alert]")
    expect(polite).to_have_text("")
    regions = [polite.element_handle(), urgent.element_handle()]
    backend.publish("Parcel at the door", body="At reception.")
    expect(polite).to_have_text("Parcel at the door. At reception.")
    expect(urgent).to_have_text("")
    backend.publish("Checkout is down", severity="critical")
    expect(urgent).to_have_text("Checkout is down")
    assert all(region.evaluate("it => it.isConnected") for region in regions)


def test_keys_lead_in_act_and_lead_back(shown: ApplicationPage, backend: Backend) -> None:
    page = shown.page
    page.locator("#own").focus()
    backend.publish("Deploy 412?", actions=ACTIONS)
    expect(toasts(page)).to_have_count(1)
    page.keyboard.press("F8")
    expect(toasts(page)).to_be_focused()
    shown.check("toasts-focus")
    page.keyboard.press("Escape")
    expect(page.locator("#own")).to_be_focused()
    expect(toasts(page)).to_have_count(1)
    page.keyboard.press("F8")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="I am on it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(toasts(page)).to_have_count(0)
    expect(page.locator("#own")).to_be_focused()


def test_toasts_are_closed_by_keys_and_the_focus_goes_on_to_the_next_and_back(
    shown: ApplicationPage, backend: Backend
) -> None:
    page = shown.page
    page.locator("#own").focus()
    backend.publish("Checkout is down", severity="critical")
    expect(toasts(page)).to_have_count(1)
    backend.publish("Database is down", severity="critical")
    expect(toasts(page)).to_have_count(2)
    press(page, "F8")
    expect(toasts(page).last).to_be_focused()
    go_to(toasts(page).last.get_by_role("button", name="Close"))
    press(page, "Enter")
    expect(toasts(page)).to_have_count(1)
    expect(toasts(page)).to_be_focused()
    go_to(toasts(page).get_by_role("button", name="Close"))
    press(page, "Space")
    expect(toasts(page)).to_have_count(0)
    expect(page.locator("#own")).to_be_focused()


def test_a_toast_that_is_read_elsewhere_gives_the_focus_back(
    shown: ApplicationPage, backend: Backend
) -> None:
    page = shown.page
    page.locator("#own").focus()
    backend.publish("Checkout is down", severity="critical")
    expect(toasts(page)).to_have_count(1)
    press(page, "F8", "Tab")
    expect(toasts(page).get_by_role("button", name="Close")).to_be_focused()
    backend.read_all()
    expect(toasts(page)).to_have_count(0)
    expect(page.locator("#own")).to_be_focused()


def test_the_summary_of_a_burst_opens_the_inbox_by_keys_and_the_bell_has_the_focus_in_the_end(
    with_bell: ApplicationPage, backend: Backend
) -> None:
    page = with_bell.page
    page.locator("#own").focus()
    backend.publish("Checkout is down", severity="critical")
    expect(toasts(page)).to_have_count(1)
    press(page, "F8")
    backend.publish(*(f"Burst {number}" for number in range(20)))
    go_to(page.get_by_role("button", name="20 new alerts"))
    press(page, "Enter")
    expect(page.locator("tocsin-inbox .title:focus")).to_have_count(1)
    press(page, "Escape")
    expect(page.locator("tocsin-inbox")).to_have_count(0)
    expect(page.locator("tocsin-bell .bell")).to_be_focused()


def test_what_is_not_up_is_opened_by_keys_and_without_a_bell_the_focus_goes_back(
    shown: ApplicationPage, backend: Backend
) -> None:
    page = shown.page
    page.locator("#own").focus()
    backend.publish(*(f"Down {number}" for number in range(4)), severity="critical")
    expect(toasts(page)).to_have_count(3)
    press(page, "F8")
    go_to(page.get_by_role("button", name="+1 more"))
    press(page, "Enter")
    expect(toasts(page)).to_have_count(0)
    expect(page.locator("#own")).to_be_focused()


def test_a_swipe_throws_a_toast_out_and_a_short_one_does_not(
    chromium: Browser, one_server: ServerProcess, backend: Backend
) -> None:
    with application_page(chromium, one_server, PHONE, ADA) as shown:
        page = shown.page
        ready(page)
        backend.publish("Swipe me", severity="critical")
        toast = toasts(page)
        expect(toast).to_have_count(1)
        toast.evaluate("it => Promise.all(it.getAnimations().map(one => one.finished))")
        box = toast.bounding_box()
        assert box
        touch = page.context.new_cdp_session(page)
        middle = {"x": box["x"] + 200, "y": box["y"] + box["height"] / 2}

        def swipe(by: float) -> None:
            start = {"type": "touchStart", "touchPoints": [middle]}
            touch.send("Input.dispatchTouchEvent", start)
            for step in range(1, 6):
                point = {**middle, "x": middle["x"] - by * step / 5}
                move = {"type": "touchMove", "touchPoints": [point]}
                touch.send("Input.dispatchTouchEvent", move)
            touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

        swipe(40)
        expect(toast).to_have_count(1)
        expect(toast).not_to_have_attribute("style", re.compile("--_moved"))
        swipe(160)
        expect(toast).to_have_count(0)


def test_no_time_passes_while_pointed_at_and_motion_can_be_reduced(
    chromium: Browser, one_server: ServerProcess, backend: Backend
) -> None:
    with application_page(chromium, one_server, DESKTOP, ADA, forced_colors="active") as shown:
        page = shown.page
        page.clock.install()
        ready(page)
        look_away(page)
        backend.publish("Deploy 412?", actions=ACTIONS)
        toast = toasts(page)
        expect(toast).to_have_count(1)
        assert toast.evaluate("it => it.getAnimations().length") == 0
        shown.check("toasts-forced-colours")
        toast.hover()
        look_again(page)
        page.clock.run_for(UP_FOR_MS)
        expect(toast).to_have_count(1)
        page.mouse.move(1, 1)
        page.clock.run_for(UP_FOR_MS)
        expect(toast).to_have_count(0)


def test_no_time_passes_while_the_focus_is_in_one(
    chromium: Browser, one_server: ServerProcess, backend: Backend
) -> None:
    with application_page(chromium, one_server, DESKTOP, ADA) as shown:
        page = shown.page
        page.clock.install()
        ready(page)
        page.locator("#own").focus()
        backend.publish("Deploy 412?", actions=ACTIONS)
        expect(toasts(page)).to_have_count(1)
        press(page, "F8", "Tab")
        page.clock.run_for(UP_FOR_MS)
        expect(page.get_by_role("button", name="I am on it")).to_be_focused()
        go_back_to(page.locator("#own"))
        page.clock.run_for(UP_FOR_MS)
        expect(toasts(page)).to_have_count(0)


def test_no_time_passes_while_nobody_sees_the_page(
    chromium: Browser, one_server: ServerProcess, backend: Backend
) -> None:
    with application_page(chromium, one_server, DESKTOP, ADA) as shown:
        page = shown.page
        page.clock.install()
        ready(page)
        backend.publish("Deploy 412?", actions=ACTIONS)
        expect(toasts(page)).to_have_count(1)
        look_away(page)
        page.clock.run_for(UP_FOR_MS)
        expect(toasts(page)).to_have_count(1)
        look_again(page)
        page.clock.run_for(UP_FOR_MS)
        expect(toasts(page)).to_have_count(0)


def test_what_an_open_inbox_shows_needs_no_toast(
    with_bell: ApplicationPage, backend: Backend
) -> None:
    page = with_bell.page
    backend.publish("First", severity="critical")
    expect(toasts(page)).to_have_count(1)
    page.get_by_role("button", name="Notifications").click()
    expect(page.locator("tocsin-inbox .title", has_text="First")).to_be_visible()
    expect(toasts(page)).to_have_count(0)
    backend.publish("Second", severity="critical")
    expect(page.locator("tocsin-inbox .title", has_text="Second")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("tocsin-inbox")).to_have_count(0)
    backend.publish("Third", severity="critical")
    # With the third one up, the second would be as well.
    expect(toasts(page)).to_have_text([re.compile("Third")])


def test_what_an_inbox_has_shown_needs_no_toast_however_soon_it_is_closed(
    with_bell: ApplicationPage, backend: Backend
) -> None:
    page = with_bell.page
    page.get_by_role("button", name="Notifications").click()
    expect(page.locator("tocsin-inbox")).to_be_visible()
    page.evaluate(HOLD_TASKS)
    backend.publish("Seen and closed", severity="critical")
    expect(page.locator("tocsin-inbox .title", has_text="Seen and closed")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("tocsin-inbox")).to_have_count(0)
    assert page.evaluate(RUN_TASKS) > 0
    backend.publish("After it", severity="critical")
    expect(toasts(page)).to_have_text([re.compile("After it")])


def test_an_inbox_that_is_loaded_late_takes_its_toasts_down_too(
    chromium: Browser, one_server: ServerProcess, backend: Backend
) -> None:
    with application_page(chromium, one_server, DESKTOP, ADA) as shown:
        page = shown.page
        held: list[Route] = []
        page.route("**/tocsin/inbox.js", lambda route: held.append(route))  # noqa: PLW0108 - it marks its handlers, and cannot mark a method of a list
        ready(page)
        # Not before: a second later the bell loads its inbox by itself.
        page.evaluate(ADD_BELL)
        backend.publish("Before the inbox", severity="critical")
        expect(toasts(page)).to_have_count(1)
        page.get_by_role("button", name="Notifications").click()
        # Opening marks it seen: the last change of the view before the inbox is there to be drawn.
        page.wait_for_function(
            "() => { const { view } = document.querySelector('tocsin-toasts');"
            " return view.counts.unseen === 0 && !view.pending; }"
        )

        def asked_for() -> list[Route]:
            page.wait_for_timeout(20)  # meanwhile the browser's own events are heard
            return held

        until(asked_for, "the inbox is asked for")[0].continue_()
        expect(page.locator("tocsin-inbox .title", has_text="Before the inbox")).to_be_visible()
        expect(toasts(page)).to_have_count(0)
