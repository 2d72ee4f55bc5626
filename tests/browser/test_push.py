"""Push for real: a real browser subscribes, Tocsin encrypts, and a desktop shows what comes, with the page open or closed.

Real are the browser, its subscription, its decryption, its worker, the notification and the press of it.  Stand-ins are the
push service (its maker's is elsewhere), the desktop, and the answer to the browser's own question for permission.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright, expect

from tests.acceptance.server_process import ServerProcess
from tests.browser.conftest import DEADLINE_MS
from tests.browser.keyboard import go_back_to, go_to, press
from tests.browser.push_service import PushService
from tests.browser.pushed_browser import PushedBrowser, panel, pushed_browser

expect.set_options(timeout=DEADLINE_MS)

OpenBrowser = Callable[[], PushedBrowser]
Publish = Callable[..., str]


@pytest.fixture
def grace_s() -> str:
    """How long a push waits for somebody who is there to be shown it."""
    return "1"


@pytest.fixture
def server(service: PushService, grace_s: str) -> Iterator[ServerProcess]:
    """A server with the demo page that knows our push service, and nobody else's."""
    with tempfile.TemporaryDirectory(prefix="tcs") as folder:
        env = service.server_env | {"TOCSIN_DEMO": "true", "TOCSIN_PUSH__GRACE_S": grace_s}
        process = ServerProcess(Path(folder), env=env)
        try:
            yield process.start()
        finally:
            process.end()


@pytest.fixture
def open_browser(
    playwright: Playwright, service: PushService, server: ServerProcess
) -> Iterator[OpenBrowser]:
    """Start a browser; each is another device."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(pushed_browser(playwright, service, server.url))


@pytest.fixture
def publish(server: ServerProcess) -> Publish:
    """Publish to Ada; returns the alert's id."""
    key = server.key("producer")

    def publish(title: str, **more: Any) -> str:
        answer = server.publish(key, title=title, **more)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    return publish


def items(server: ServerProcess) -> list[dict[str, Any]]:
    """Return Ada's items."""
    answer = server.request("GET", "/v1/inbox?user=ada", headers=server.key("server"))
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def test_nothing_is_asked_before_the_person_wants_it(open_browser: OpenBrowser) -> None:
    browser = open_browser()
    page = browser.open()
    page.add_init_script("Notification.requestPermission = async () => (window.asked = 'denied')")
    page.reload()
    expect(panel(page)).to_contain_text("Get alerts when this page is closed")
    # The worker is there, since the demo starts offline, too.
    subscription = "navigator.serviceWorker.ready.then(one => one.pushManager.getSubscription())"
    assert page.evaluate(subscription) is None
    assert page.evaluate("window.asked") is None


def test_a_browser_that_blocks_is_explained_as_soon_as_it_does(open_browser: OpenBrowser) -> None:
    browser = open_browser()
    page = browser.open()
    expect(panel(page)).to_contain_text("Get alerts when this page is closed")
    browser.set_permission(page, "denied")
    expect(panel(page)).to_contain_text("Notifications are blocked")
    assert panel(page).get_by_role("button").count() == 0
    browser.set_permission(page, "prompt")
    expect(panel(page).get_by_role("button", name="Turn on")).to_be_visible()


def test_an_alert_reaches_a_closed_page_and_a_press_opens_the_right_place(
    open_browser: OpenBrowser, publish: Publish, server: ServerProcess, service: PushService
) -> None:
    browser = open_browser()
    browser.turned_on()
    browser.close_pages()
    publish("Nightly backup failed", body="No space left on /backup.", url="/?user=ada#runbook")
    page = browser.opened_by_press("Nightly backup failed")
    page.wait_for_url("**/?user=ada#runbook")
    assert [sent.headers["content-encoding"] for sent in service.sent] == ["aes128gcm"]
    browser.until(lambda: items(server)[0]["read"], "the press has read the item")
    browser.until(lambda: not browser.desktop.titles(), "the notification is gone")


def test_a_press_goes_to_the_page_that_is_open(open_browser: OpenBrowser, publish: Publish) -> None:
    browser = open_browser()
    browser.turned_on()
    browser.close_pages()
    page = browser.open(hidden=True)
    publish("Ben commented", url="#q4-roadmap")
    browser.press("Ben commented")
    page.wait_for_url("**/?user=ada#q4-roadmap")
    assert len(browser.pages()) == 1


def test_a_button_pressed_with_no_page_open_is_told_to_the_server(
    open_browser: OpenBrowser, publish: Publish, server: ServerProcess
) -> None:
    browser = open_browser()
    browser.turned_on()
    browser.close_pages()
    actions = [{"id": "take", "label": "I am on it"}]
    alert_id = publish("Checkout is down", severity="critical", actions=actions)
    browser.press("Checkout is down", "I am on it")
    summary = f"/demo/alerts/{alert_id}"
    browser.until(
        lambda: (
            server.request("GET", summary).json().get("receipts", {}).get("actions") == {"take": 1}
        ),
        "the press is told",
    )
    assert browser.pages() == []


@pytest.mark.parametrize("grace_s", ["30"])
def test_who_is_shown_the_alert_on_a_page_gets_no_push(
    open_browser: OpenBrowser, publish: Publish, server: ServerProcess, service: PushService
) -> None:
    browser = open_browser()
    page = browser.turned_on()
    alert_id = publish("Parcel at the door")
    expect(page.locator("tocsin-toasts .title", has_text="Parcel at the door")).to_be_visible()
    browser.until(
        lambda: "not sent: shown" in server.cli("why", alert_id, "ada"), "the push is cancelled"
    )
    assert service.sent == []
    assert browser.desktop.history == []


@pytest.mark.parametrize("grace_s", ["0"])
def test_a_page_that_shows_the_alert_takes_the_notification_down(
    open_browser: OpenBrowser, publish: Publish
) -> None:
    browser = open_browser()
    page = browser.turned_on()
    publish("Parcel at the door")
    expect(page.locator("tocsin-toasts .title", has_text="Parcel at the door")).to_be_visible()
    browser.until(lambda: "Parcel at the door" in browser.desktop.history, "it was pushed, too")
    browser.until(lambda: not browser.desktop.titles(), "the page has taken it down")


def test_reading_on_one_device_takes_it_down_on_the_others(
    open_browser: OpenBrowser, publish: Publish
) -> None:
    open_one, closed_one = open_browser(), open_browser()
    for browser in (open_one, closed_one):
        browser.turned_on()
        browser.close_pages()
    open_one.open(hidden=True)
    publish("Payment received", url="/?user=ada#invoice")
    open_one.shown("Payment received")
    closed_one.press("Payment received")
    open_one.until(lambda: not open_one.desktop.titles(), "it was read on the other device")


def test_a_page_takes_down_at_its_start_what_was_read_meanwhile(
    open_browser: OpenBrowser, publish: Publish, server: ServerProcess
) -> None:
    browser = open_browser()
    browser.turned_on()
    browser.close_pages()
    for title in ("Read elsewhere", "Still new"):
        publish(title)
        browser.shown(title)
    read = next(one for one in items(server) if one["alert"]["title"] == "Read elsewhere")
    patch = {"patches": [{"id": read["id"], "alert_id": read["alert_id"], "read": True}]}
    key = server.key("server") | {"idempotency-key": "one"}
    server.request("PATCH", "/v1/inbox/items?user=ada", json=patch, headers=key)
    browser.open(hidden=True)
    browser.until(lambda: browser.desktop.titles() == ["Still new"], "the read one is gone")


def test_turning_it_off_ends_it_at_the_browser_and_at_the_server(
    open_browser: OpenBrowser, publish: Publish, server: ServerProcess, service: PushService
) -> None:
    browser = open_browser()
    page = browser.turned_on()
    panel(page).get_by_role("button", name="Turn off").click()
    expect(panel(page)).to_contain_text("Get alerts when this page is closed")
    key = server.key("server")  # the browser's side ends first, the server hears of it afterwards
    browser.until(
        lambda: server.request("GET", "/v1/devices?user=ada", headers=key).json()["devices"] == [],
        "the server has no device",
    )
    browser.close_pages()
    publish("Nobody gets this by push")
    browser.until(lambda: items(server), "the alert is in the inbox")
    assert service.sent == []


def test_the_panel_tests_the_whole_way(open_browser: OpenBrowser) -> None:
    browser = open_browser()
    page = browser.turned_on()
    expect(panel(page)).to_contain_text("nothing yet")
    panel(page).get_by_role("button", name="Send a test").click()
    expect(panel(page).get_by_role("status")).to_contain_text("The test arrived after")
    expect(panel(page)).not_to_contain_text("nothing yet")
    browser.press("Notifications work")
    browser.until(lambda: not browser.desktop.titles(), "it is gone")


def test_push_is_turned_on_tested_and_turned_off_by_keys_and_the_focus_stays(
    open_browser: OpenBrowser,
) -> None:
    browser = open_browser()
    browser.allow()
    page = browser.open()
    found = page.locator("tocsin-push")
    page.locator("tocsin-bell .bell").first.focus()
    go_back_to(page.get_by_role("button", name="Push on this device"))
    press(page, "Enter")
    go_to(found.get_by_role("button", name="Turn on"))
    press(page, "Enter")
    # Not `to_be_focused`, which asks too whether the window of the browser has the focus.
    expect(found.locator("button:focus")).to_have_text("Send a test")
    press(page, "Enter")
    expect(found.get_by_role("status")).to_contain_text("The test arrived after")
    expect(found.locator("button:focus")).to_have_text("Send a test")
    go_to(found.get_by_role("button", name="Turn off"))
    press(page, "Enter")
    expect(found.locator("button:focus")).to_have_text("Turn on")
    expect(found.get_by_role("button", name="Turn on")).to_be_enabled()
    browser.set_permission(page, "denied")
    expect(found).to_contain_text("Notifications are blocked")
    expect(found.locator("section:focus")).to_be_visible()
    press(page, "Escape")
    expect(page.locator("demo-push .push-button:focus")).to_be_visible()


def test_after_a_rotation_of_keys_the_browser_changes_to_the_new_one(
    open_browser: OpenBrowser, publish: Publish, server: ServerProcess, service: PushService
) -> None:
    browser = open_browser()
    browser.turned_on()
    (old,) = service.server_keys()
    browser.close_pages()
    server.cli("vapid", "rotate")
    publish("Under the old key")
    browser.shown("Under the old key")

    page = browser.open()
    expect(panel(page)).to_contain_text("This device gets alerts")
    browser.until(lambda: service.server_keys() - {old}, "it has changed")
    browser.close_pages()
    publish("Under the new key")
    browser.shown("Under the new key")
