"""What a start with the demo page prints, and what a person does with it."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.acceptance.deadlines import until
from tests.browser.attention import look_away
from tests.browser.demo_page import badge, ready, toast

GREETING = re.compile(r"Open (\S+)\n.*?(curl .*?')\n", re.DOTALL)


def greetings(out_file: Path, starts: int, within_s: float = 60.0) -> list[tuple[str, str]]:
    """Return what each start of a server has printed, as soon as the last did: an address, and a line for a shell."""

    def printed() -> list[tuple[str, str]] | None:
        found = GREETING.findall(out_file.read_text())
        return found if len(found) == starts else None

    return until(printed, "the server greets", within_s)


def paste(line: str) -> Any:
    """Run a line as a shell does that it is pasted into, and return the answer that it prints."""
    done = subprocess.run(
        ["sh", "-c", line], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True
    )
    return json.loads(done.stdout)


def see_first_alert(page: Page, line: str) -> None:
    """Paste the line that was printed, and see its alert on the page that was named with it."""
    ready(page)
    look_away(page)
    assert paste(line)["status"] == "accepted"
    expect(toast(page, "Hello, Ada")).to_be_visible()
    expect(badge(page)).to_have_text("1")
