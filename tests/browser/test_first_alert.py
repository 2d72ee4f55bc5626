"""The first minutes: a fresh folder is served, the printed line is pasted into a shell, and the page shows the alert."""

import json
import re
import subprocess
from typing import Any

from playwright.sync_api import expect

from tests.acceptance.deadlines import until
from tests.acceptance.server_process import ServerProcess
from tests.browser.attention import look_away
from tests.browser.conftest import DEADLINE_MS, OpenPage
from tests.browser.demo_page import badge, open_inbox, ready, row, toast

expect.set_options(timeout=DEADLINE_MS)
GREETING = re.compile(r"Open (\S+)\n.*?(curl .*?')\n", re.DOTALL)


def greetings(server: ServerProcess, starts: int) -> list[tuple[str, str]]:
    """Return what each start of a server has printed, as soon as the last did: an address, and a line for a shell."""

    def printed() -> list[tuple[str, str]] | None:
        found = GREETING.findall(server.out_file.read_text())
        return found if len(found) == starts else None

    return until(printed, "the server greets")


def paste(line: str) -> Any:
    """Run a line as a shell does that it is pasted into, and return the answer that it prints."""
    done = subprocess.run(
        ["sh", "-c", line], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True
    )
    return json.loads(done.stdout)


def test_the_printed_line_is_a_toast_and_the_same_line_works_after_a_restart(
    server: ServerProcess, open_page: OpenPage
) -> None:
    [(address, line)] = greetings(server, starts=1)
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
    assert greetings(server, starts=2)[-1] == (address, line)
    page.goto(address)
    ready(page)
    inbox = open_inbox(page)
    expect(row(inbox, "Hello, Ada")).to_have_count(1)
    assert paste(line)["status"] == "accepted"
    expect(row(inbox, "Hello, Ada")).to_have_count(2)
