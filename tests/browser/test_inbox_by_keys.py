"""Every task of the inbox by keys alone, against a real server; what was done is done there too."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.acceptance.deadlines import until
from tests.acceptance.server_process import ServerProcess
from tests.browser.conftest import DEADLINE_MS, OpenPage
from tests.browser.keyboard import press

expect.set_options(timeout=DEADLINE_MS)
TITLES = ("Deploy failed", "Invoice paid", "Parcel at the door", "Disk is full", "New comment")

Listed = Callable[[str], list[str]]


@pytest.fixture
def listed(server: ServerProcess) -> Listed:
    """Five alerts for Ada, the last one newest; returns what the server lists of her inbox."""
    producer, key = server.key("producer"), server.key("server")
    for title in reversed(TITLES):
        assert server.publish(producer, title=title).status_code == 202
    until(lambda: len(server.titles(key)) == len(TITLES), "all are in the inbox")

    def listed(status: str) -> list[str]:
        query = {"user": "ada", "status": status}
        answer = server.request("GET", "/v1/inbox/items", params=query, headers=key).json()
        return [one["alert"]["title"] for one in answer["items"]]

    return listed


@pytest.fixture
def page(open_page: OpenPage, listed: Listed) -> Page:
    """The page with the bell's inbox opened by keys: the newest row has the focus."""
    del listed
    page = open_page()
    bell = page.locator("tocsin-bell").first
    page.wait_for_function("() => document.querySelector('tocsin-bell')?.view?.synced")
    bell.get_by_role("button", name="Notifications").focus()
    page.keyboard.press("Enter")
    expect(inbox(page)).to_be_visible()
    expect(focused(page)).to_have_text(TITLES[0])
    return page


def inbox(page: Page) -> Locator:
    return page.locator("tocsin-bell tocsin-inbox").first


def focused(page: Page) -> Locator:
    """The title of the row with the focus, without the word for the unread."""
    return inbox(page).locator(".title:focus > span")


def test_rows_are_walked_read_and_put_away(page: Page, listed: Listed) -> None:
    press(page, "j", "ArrowDown", "k")
    expect(focused(page)).to_have_text(TITLES[1])
    press(page, "End")
    expect(focused(page)).to_have_text(TITLES[-1])
    press(page, "Home", "u")
    until(lambda: TITLES[0] not in listed("unread"), "the first is read")
    press(page, "u")
    until(lambda: TITLES[0] in listed("unread"), "the first is unread again")
    press(page, "e")
    expect(focused(page)).to_have_text(TITLES[1])
    until(lambda: listed("archived") == [TITLES[0]], "the first is archived")
    press(page, "#")
    # No time to undo passes while somebody points at it.
    inbox(page).get_by_role("button", name="Undo").hover()
    expect(focused(page)).to_have_text(TITLES[2])
    until(lambda: listed("all") == list(TITLES[2:]), "the second is deleted")
    press(page, "z")
    until(lambda: listed("all") == list(TITLES[1:]), "the second is back")
    expect(focused(page)).to_have_text(TITLES[2])
    press(page, "End", "k", "Shift+U")
    until(lambda: listed("unread") == list(TITLES[1:3]), "the two oldest are read")


def test_many_are_chosen_and_snoozed_and_archived(page: Page, listed: Listed) -> None:
    press(page, "j", "x", "j", "j", "Shift+X")
    expect(inbox(page).locator(".chosen-count")).to_have_text("3 selected")
    press(page, "Escape")
    expect(inbox(page).locator(".chosen-count")).to_have_count(0)
    expect(inbox(page)).to_be_visible()
    press(page, "x", "h")
    expect(inbox(page).get_by_role("menuitem", name="In an hour")).to_be_focused()
    press(page, "ArrowDown", "ArrowUp", "Enter")
    until(lambda: TITLES[3] not in listed("all"), "it is put off")
    assert listed("archived") == []
    press(page, "*", "e")
    until(lambda: listed("all") == [], "all are archived")
    expect(inbox(page).locator("#all")).to_be_focused()
    press(page, "ArrowRight", "ArrowRight", "ArrowRight")
    expect(inbox(page).locator("#archived")).to_be_focused()
    expect(inbox(page).locator(".row")).to_have_count(4)
    press(page, *["Tab"] * 4)
    expect(focused(page)).to_have_text(TITLES[0])
    press(page, "e")
    until(lambda: listed("all") == [TITLES[0]], "the first is back in the inbox")


def test_what_is_snoozed_is_listed_and_comes_back_by_hand(page: Page, listed: Listed) -> None:
    press(page, "h", "Enter")
    until(lambda: listed("snoozed") == [TITLES[0]], "it is put off")
    inbox(page).locator("#all").focus()
    press(page, "ArrowRight", "ArrowRight")
    expect(inbox(page).locator("#snoozed")).to_be_focused()
    expect(inbox(page).locator(".row")).to_have_count(1)
    expect(inbox(page).locator(".row time")).to_contain_text("Until")
    expect(inbox(page).get_by_role("button", name="Mark all as read")).to_be_disabled()
    press(page, *["Tab"] * 4)
    expect(focused(page)).to_have_text(TITLES[0])
    press(page, "h", "ArrowDown", "Enter")
    expect(inbox(page).locator(".row")).to_have_count(1)
    press(page, "e")
    until(lambda: listed("all") == list(TITLES), "it is where it was")
    expect(inbox(page).get_by_text("What you snooze waits here.")).to_be_visible()


def test_no_time_to_undo_passes_while_the_way_back_has_the_focus_or_the_pointer(page: Page) -> None:
    page.clock.install()
    undo = inbox(page).get_by_role("button", name="Undo")
    press(page, "#")
    undo.focus()
    page.clock.run_for(20_000)
    expect(undo).to_be_focused()
    undo.hover()
    inbox(page).locator(".title").first.focus()
    page.clock.run_for(20_000)
    expect(undo).to_be_visible()
    page.mouse.move(1, 1)
    page.clock.run_for(10_000)
    expect(undo).to_have_count(0)


def test_the_map_of_keys_opens_and_the_focus_comes_back(page: Page) -> None:
    press(page, "j", "?")
    keys = inbox(page).get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys).to_contain_text("Mark this and all older as read")
    press(page, "Escape")
    expect(keys).to_be_hidden()
    expect(focused(page)).to_have_text(TITLES[1])
    press(page, "Escape")
    expect(inbox(page)).to_have_count(0)
    expect(page.locator("tocsin-bell .bell").first).to_be_focused()
