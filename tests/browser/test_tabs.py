"""Many tabs, many devices: one tab leads and any may die, each alert is told once, and all end up equal."""

import itertools
import json
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Route, WebSocket

from tests.acceptance.deadlines import until
from tests.acceptance.server_process import ServerProcess
from tests.browser.attention import look_away
from tests.browser.conftest import DEADLINE_MS

PAGE = Path(__file__).with_name("tabs.html").read_text()
TABS = 3
KILLS = 100
CRASH_EVERY = 10  # the others are closed
EVERY_S = 0.02


class Device:
    """A browser of Ada's, with tabs; it knows which of them has a socket."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.tabs: list[Page] = []
        self.faults: list[str] = []
        self._url = f"{url}/tabs.html"
        self._lines: dict[Page, WebSocket] = {}
        context.set_default_timeout(DEADLINE_MS)
        # A page that no server sent may not call this machine unasked.
        context.grant_permissions(["local-network-access"])
        context.route("**/tabs.html*", self._serve)

    def open_tab(self, query: str = "") -> Page:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("websocket", lambda line: self._lines.update({page: line}))
        page.goto(self._url + query)
        if not query:
            self.tabs.append(page)
        return page

    def leader(self) -> Page | None:
        """The tab with an open socket."""
        return next(
            (tab for tab in self.tabs if tab in self._lines and not self._lines[tab].is_closed()),
            None,
        )

    def kill(self, tab: Page, *, crash: bool) -> None:
        """End a tab without asking it."""
        self.tabs.remove(tab)
        if crash:
            with pytest.raises(Error, match="crash"):
                tab.goto("chrome://crash")
        tab.close()

    def _serve(self, route: Route) -> None:
        route.fulfill(content_type="text/html", body=PAGE)


class Stream:
    """Publishes alerts to Ada one after the other, until it is stopped."""

    def __init__(self, server: ServerProcess) -> None:
        self.ids: list[str] = []
        self._publish = publisher(server)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        for number in itertools.count():
            if self._stopped.wait(EVERY_S):
                return
            self.ids.append(self._publish(f"Alert {number}"))


def publisher(server: ServerProcess) -> Callable[[str], str]:
    """Return what publishes an alert to Ada and tells its id."""
    key = server.key("producer")

    def publish(title: str) -> str:
        answer = server.publish(key, title=title)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    return publish


@pytest.fixture
def new_device(chromium: Browser, server: ServerProcess) -> Iterator[Callable[[], Device]]:
    """Make devices; errors in their pages fail the test."""
    devices: list[Device] = []

    def new_device() -> Device:
        devices.append(Device(chromium.new_context(), server.url))
        return devices[-1]

    yield new_device
    for device in devices:
        device.context.close()
    assert [fault for device in devices for fault in device.faults] == []


def settled(page: Page, count: int | None = None) -> dict[str, Any]:
    """Wait until a page is in step, with so many alerts, and tell its state."""
    page.wait_for_function(
        """count => {
          const { synced, pending, counts } = state();
          return synced && pending === 0 && (count === null || counts.unread === count);
        }""",
        arg=count,
    )
    state: dict[str, Any] = page.evaluate("state()")
    return state


def equal_to_a_fresh_fetch(device: Device, pages: list[Page]) -> dict[str, Any]:
    """Wait until the pages show what a client that knows nothing fetches."""
    fresh = settled(device.open_tab("?fresh"))
    for page in pages:
        until(
            lambda page=page: page.evaluate("state()") == fresh,  # type: ignore[misc]  # bound at once
            f"a tab equals a fresh fetch\n{json.dumps(fresh)[:600]}\n{json.dumps(page.evaluate('state()'))[:600]}",
        )
    return fresh


def test_whichever_tab_is_killed_each_alert_is_told_once_and_all_tabs_are_equal(
    new_device: Callable[[], Device], server: ServerProcess
) -> None:
    device, rng = new_device(), random.Random(6)
    for _ in range(TABS):
        settled(device.open_tab())
    with Stream(server) as stream:
        for kill in range(KILLS):
            leader = until(lambda: next_leader(device), "a tab leads")
            leader.wait_for_timeout(rng.uniform(0, 80))
            device.kill(leader, crash=kill % CRASH_EVERY == 0)
            device.open_tab()
    published = sorted(stream.ids)
    assert len(published) >= KILLS // 2
    for tab in device.tabs:
        settled(tab, len(published))
    told = until(
        lambda: (
            found if len(found := device.tabs[0].evaluate("told()")) >= len(published) else None
        ),
        "every alert was told",
    )
    assert sorted(told) == published
    equal_to_a_fresh_fetch(device, device.tabs)
    # One that is told twice is told late: by a tab that took over.
    assert sorted(device.tabs[0].evaluate("told()")) == published


def next_leader(device: Device) -> Page | None:
    """Let the browser's news in, and tell which tab leads."""
    device.tabs[-1].wait_for_timeout(5)
    return device.leader()


def test_what_two_devices_did_offline_ends_up_the_same_on_both(
    new_device: Callable[[], Device], server: ServerProcess
) -> None:
    publish = publisher(server)
    phone, desk = new_device(), new_device()
    pages = [phone.open_tab(), desk.open_tab(), desk.open_tab()]
    for number in range(12):
        publish(f"Alert {number}")
    for page in pages:
        settled(page, 12)
    for device in (phone, desk):
        device.context.set_offline(True)
    publish("While both were away")
    reader = server.key("server")
    until(lambda: unread(server, reader) == 13, "it is in the inbox")
    on_phone, on_desk, beside = pages
    on_phone.evaluate("client.markRead(client.view().items.slice(0, 4))")
    on_phone.evaluate("client.remove(client.view().items.slice(2, 6))")
    on_desk.evaluate("client.remove(client.view().items.slice(0, 2))")
    beside.evaluate("client.archive(client.view().items.slice(5, 7))")
    beside.evaluate("client.markAllRead()")
    on_phone.evaluate("client.markUnread(client.view().items.slice(6, 8))")
    beside.wait_for_function("state().counts.unread === 0")
    for device in (phone, desk):
        device.context.set_offline(False)
    for page in pages:
        settled(page)
    fresh = equal_to_a_fresh_fetch(phone, pages)
    assert len(fresh["rows"]) == 13 - 4 - 2 - 2


def test_a_laptop_that_slept_shows_its_inbox_and_no_storm(
    new_device: Callable[[], Device], server: ServerProcess
) -> None:
    key = server.key("producer")
    device = new_device()
    pages = [device.open_tab(), device.open_tab()]
    for page in pages:
        settled(page, 0)
    device.context.set_offline(True)
    # No connection of before can be taken up, and none is open on which the pages hear of something: a browser that
    # plays without a network leaves them open.
    server.restart()
    alert = {"to": {"users": ["ada"]}, "title": "Missed"}
    for _ in range(5):
        batch = {"alerts": [alert] * 100}
        answer = server.request("POST", "/v1/alerts/batch", json=batch, headers=key)
        assert answer.status_code == 202, answer.text
    reader = server.key("server")
    # What is delivered after the laptop is back is no backlog, and told.
    until(lambda: unread(server, reader) == 500, "all is in the inbox", 60)
    device.context.set_offline(False)
    for page in pages:
        settled(page, 500)
        assert page.locator("tocsin-toasts .title").count() <= 1
    assert pages[0].evaluate("told()") == []
    for page in pages:
        look_away(page)
    publisher(server)("After the sleep")
    until(lambda: len(pages[0].evaluate("told()")) == 1, "what comes now is told")
    until(lambda: "After the sleep" in toasts(pages), "one of the tabs shows it")


def unread(server: ServerProcess, key: dict[str, str]) -> int:
    answer = server.request("GET", "/v1/inbox?user=ada", headers=key)
    count: int = answer.json()["counts"]["unread"]
    return count


def toasts(pages: list[Page]) -> list[str]:
    found = [page.locator("tocsin-toasts .title").all_text_contents() for page in pages]
    return list(itertools.chain(*found))
