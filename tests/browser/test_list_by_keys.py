"""What surrounds the rows, by keys alone: filter, pill, older alerts, menus, selection, states; no focus is ever lost."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import DEADLINE_MS
from tests.browser.element_page import calls, open_page, show
from tests.browser.element_states import (
    ASLEEP,
    HOUR_MS,
    INBOX,
    ITEMS,
    MINUTE_MS,
    NOW_MS,
    State,
    item,
    shown,
)
from tests.browser.keyboard import go_back_to, go_to, press

expect.set_options(timeout=DEADLINE_MS)
SHOW = "(view) => client.show(view)"


@pytest.fixture(scope="module")
def window(chromium: Browser) -> Iterator[Page]:
    """A desktop, for all tests."""
    context = chromium.new_context(viewport={"width": 800, "height": 700}, timezone_id="UTC")
    yield open_page(context)
    context.close()


@pytest.fixture
def page(window: Page) -> Page:
    """An inbox whose first row has the focus."""
    show(window, "tocsin-inbox", State(focus="[data-key=backup] .title"))
    return window


@pytest.fixture
def timeless(page: Page) -> Iterator[Page]:
    """The same, and what stays for some seconds stays."""
    page.clock.pause_at((NOW_MS + HOUR_MS) / 1_000)
    yield page
    page.clock.resume()


def alerts(count: int) -> list[dict[str, Any]]:
    """Return so many, a minute apart."""
    return [item(f"i{index}", index * MINUTE_MS, f"Alert {index}") for index in range(count)]


def row(page: Page, key: str) -> Locator:
    return page.locator(f"[data-key={key}]")


def button(page: Page, name: str) -> Locator:
    """The control of that name that is not a row's own."""
    return page.locator("tocsin-inbox").get_by_role("button", name=name, exact=True).last


def test_a_filter_is_opened_set_and_cleared(page: Page) -> None:
    rows = page.locator(".row")
    go_back_to(button(page, "Filter"))
    press(page, "Enter")
    go_to(page.get_by_label("Any severity"))
    press(page, *"Err")
    expect(rows).to_have_count(1)
    expect(page.get_by_label("Any severity")).to_be_focused()
    go_to(page.get_by_label("Any category"))
    press(page, *"com")
    expect(page.get_by_text("No alert matches the filter.")).to_be_visible()
    go_to(button(page, "Clear"))
    press(page, "Enter")
    expect(rows).to_have_count(len(ITEMS))
    expect(page.locator(".title:focus")).to_contain_text("Nightly backup")
    go_back_to(page.get_by_label("Any category"))
    press(page, *"op")
    expect(rows).to_have_count(3)
    go_back_to(button(page, "Filter"))
    press(page, "Enter")
    expect(page.locator("#filters")).to_be_hidden()
    expect(button(page, "Filter")).to_be_focused()


def test_all_are_marked_as_read_and_the_focus_stays(page: Page) -> None:
    read_all = button(page, "Mark all as read")
    go_back_to(read_all)
    press(page, "Enter")
    page.evaluate(SHOW, shown([{**one, "read": True} for one in ITEMS]))
    expect(read_all).to_be_disabled()
    expect(read_all).to_be_focused()
    press(page, "Enter")
    assert calls(page) == [["markAllRead"]]


def test_the_number_of_new_ones_leads_to_them(page: Page) -> None:
    first = State(shown(alerts(300)), focus="[data-key=i0] .title", keys=["End"])
    show(page, "tocsin-inbox", first)
    expect(page.locator(".title:focus")).to_contain_text("Alert 299")
    fresh = [item(f"new{index}", -MINUTE_MS * index, f"New {index}") for index in (3, 2, 1)]
    page.evaluate(SHOW, shown([*fresh, *alerts(300)]))
    go_to(button(page, "3 new"))
    press(page, "Enter")
    expect(page.locator(".title:focus")).to_contain_text("New 3")
    expect(page.locator(".pill")).to_have_count(0)


def test_older_ones_are_loaded_and_the_focus_goes_on_to_the_first_of_them(page: Page) -> None:
    start = State(shown(alerts(3), complete=False, end=3), focus="[data-key=i0] .title")
    show(page, "tocsin-inbox", start)
    go_to(button(page, "Load more"))
    press(page, "Enter")
    loading = button(page, "Loading older alerts")
    expect(loading).to_be_disabled()
    expect(loading).to_be_focused()
    press(page, "Enter")
    assert calls(page) == [["loadOlder"]]
    page.evaluate(SHOW, shown(alerts(6), complete=False, end=6))
    expect(page.locator(".title:focus")).to_contain_text("Alert 3")
    go_to(button(page, "Load more"))
    press(page, "Enter")
    page.evaluate(SHOW, shown(alerts(8)))
    expect(page.locator(".title:focus")).to_contain_text("Alert 6")


def test_who_leaves_the_button_meanwhile_is_not_fetched_back(page: Page) -> None:
    start = State(shown(alerts(3), complete=False, end=3), focus="[data-key=i2] .title")
    show(page, "tocsin-inbox", start)
    go_to(button(page, "Load more"))
    press(page, "Enter")
    go_back_to(row(page, "i2").locator(".title"))
    page.evaluate(SHOW, shown(alerts(6)))
    expect(page.locator(".row")).to_have_count(6)
    expect(row(page, "i2").locator(".title")).to_be_focused()


def test_the_menu_of_a_row_is_walked_left_and_obeyed(page: Page) -> None:
    more = row(page, "backup").get_by_role("button", name="Actions")
    entries = page.get_by_role("menuitem")
    go_to(more)
    press(page, "Enter")
    expect(entries.first).to_be_focused()
    press(page, "ArrowUp")
    expect(entries.last).to_be_focused()
    press(page, "ArrowDown", "ArrowDown")
    expect(entries.nth(1)).to_be_focused()
    press(page, "End", "Home")
    expect(entries.first).to_be_focused()
    press(page, "Escape")
    expect(entries).to_have_count(0)
    expect(more).to_be_focused()
    press(page, "Enter")
    go_to(page.get_by_role("menuitem", name="Mark this and all older"), "ArrowDown")
    press(page, "Enter")
    expect(entries).to_have_count(0)
    expect(more).to_be_focused()
    assert calls(page) == [["markReadFrom"]]


def test_menus_that_a_menu_opens_lead_back_to_its_row(page: Page) -> None:
    more = row(page, "backup").get_by_role("button", name="Actions")
    go_to(more)
    press(page, "Enter")
    go_to(page.get_by_role("menuitem", name="Keyboard shortcuts"), "ArrowUp")
    press(page, "Enter")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys).to_be_focused()
    press(page, "Escape")
    expect(keys).to_be_hidden()
    expect(more).to_be_focused()
    press(page, "Enter")
    go_to(page.get_by_role("menuitem", name="Snooze"), "ArrowDown")
    press(page, "Enter")
    expect(page.get_by_role("menuitem", name="In an hour")).to_be_focused()
    press(page, "Escape")
    expect(more).to_be_focused()
    press(page, "Enter")
    go_to(page.get_by_role("menuitem", name="Archive"), "ArrowDown")
    press(page, "Enter")
    expect(row(page, "comment").locator(".title")).to_be_focused()
    assert calls(page) == [["archive", ["backup"]]]


def test_what_is_chosen_is_handled_in_the_bar_and_taken_back(timeless: Page) -> None:
    page = timeless
    press(page, "x", "j", "x")
    bar = page.get_by_role("toolbar", name="Selected alerts")
    go_back_to(bar.get_by_role("button", name="Snooze"))
    press(page, "Enter")
    expect(page.get_by_role("menuitem", name="In an hour")).to_be_focused()
    press(page, "Escape")
    expect(bar.get_by_role("button", name="Snooze")).to_be_focused()
    go_to(bar.get_by_role("button", name="Delete"))
    press(page, "Enter")
    expect(bar).to_have_count(0)
    expect(page.locator(".title:focus")).to_have_count(1)
    go_to(button(page, "Undo"))
    press(page, "Enter")
    expect(page.locator(".title:focus")).to_have_count(1)
    assert calls(page) == [["remove", ["backup", "comment"]], ["restore", ["backup", "comment"]]]


def test_all_are_chosen_and_none_by_the_box_in_the_bar(page: Page) -> None:
    press(page, "x")
    go_back_to(page.get_by_role("checkbox", name="Select all"))
    press(page, "Space")
    expect(page.locator(".chosen-count")).to_have_text(f"{len(ITEMS)} selected")
    press(page, "Space")
    expect(page.locator(".chosen-count")).to_have_count(0)
    expect(row(page, "backup").locator(".title")).to_be_focused()
    press(page, "x")
    go_back_to(button(page, "Clear the selection"))
    press(page, "Enter")
    expect(page.locator(".chosen-count")).to_have_count(0)
    expect(row(page, "backup").locator(".title")).to_be_focused()


def test_states_without_rows_lead_somewhere(page: Page) -> None:
    show(page, "tocsin-inbox", INBOX["empty"])
    page.locator("#all").focus()
    go_to(button(page, "Show archived"))
    press(page, "Enter")
    expect(page.locator("#archived")).to_be_focused()
    go_to(button(page, "Show all"))
    press(page, "Enter")
    expect(page.locator("#all")).to_be_focused()


@pytest.mark.parametrize("status", ["refused", "signed-out"])
def test_who_is_not_let_in_tries_again(page: Page, status: str) -> None:
    show(page, "tocsin-inbox", State({"status": status}))
    page.locator("#all").focus()
    go_to(button(page, "Try now"))
    press(page, "Enter")
    assert calls(page) == [["hurry"]]
    expect(button(page, "Try now")).to_be_focused()
    page.evaluate(SHOW, shown())
    expect(page.locator(".title:focus")).to_contain_text("Nightly backup")


def test_an_archive_that_cannot_be_fetched_is_asked_for_again(page: Page) -> None:
    show(page, "tocsin-inbox", State(more={"lists": {"snoozed": None}}))
    page.locator("#all").focus()
    press(page, "ArrowRight", "ArrowRight")
    go_to(button(page, "Try now"))
    page.evaluate("(lists) => { client.lists = lists; }", {"snoozed": ASLEEP})
    press(page, "Enter")
    expect(page.locator(".row")).to_have_count(len(ASLEEP))
    expect(page.locator("#snoozed")).to_be_focused()
