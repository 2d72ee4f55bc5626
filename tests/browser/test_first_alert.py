"""The first minutes: a fresh folder is served, the printed line is pasted into a shell, and the page shows the alert."""

from playwright.sync_api import expect

from tests.acceptance.server_process import ServerProcess
from tests.browser.attention import look_away
from tests.browser.conftest import DEADLINE_MS, OpenPage
from tests.browser.demo_page import badge, open_inbox, ready, row, toast
from tests.browser.first_minutes import greetings, paste

expect.set_options(timeout=DEADLINE_MS)


def test_the_printed_line_is_a_toast_and_the_same_line_works_after_a_restart(
    server: ServerProcess, open_page: OpenPage
) -> None:
    [(address, line)] = greetings(server.out_file, starts=1)
    page = open_page(viewport={"width": 1_000, "height": 800})
    assert page.url == address
    ready(page)
    look_away(page)
    assert paste(line)["status"] == "accepted"
    expect(toast(page, "Hello, Ada")).to_be_visible()
    expect(badge(page)).to_have_text("1")
    expect(row(open_inbox(page), "Hello, Ada")).to_contain_text("Sent with curl.")

    server.stop()
    server.start()
    assert greetings(server.out_file, starts=2)[-1] == (address, line)
    page.goto(address)
    ready(page)
    inbox = open_inbox(page)
    expect(row(inbox, "Hello, Ada")).to_have_count(1)
    assert paste(line)["status"] == "accepted"
    expect(row(inbox, "Hello, Ada")).to_have_count(2)
