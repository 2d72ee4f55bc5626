"""The first minutes: a fresh folder is served, the printed line is pasted into a shell, and the page shows the alert."""

from playwright.sync_api import expect

from tests.acceptance.server_process import ServerProcess
from tests.browser.conftest import DEADLINE_MS, OpenPage
from tests.browser.demo_page import open_inbox, ready, row
from tests.browser.first_minutes import greetings, paste, see_first_alert

expect.set_options(timeout=DEADLINE_MS)


def test_the_printed_line_is_a_toast_and_the_same_line_works_after_a_restart(
    server: ServerProcess, open_page: OpenPage
) -> None:
    [(address, line)] = greetings(server.out_file, starts=1)
    page = open_page(viewport={"width": 1_000, "height": 800})
    assert page.url == address
    see_first_alert(page, line)
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
