"""What people see: toast, bell and inbox in a real browser, on several devices."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.acceptance.deadlines import until
from tests.acceptance.server_process import ServerProcess
from tests.browser.conftest import DEADLINE_MS, OpenPage
from tests.browser.demo_page import badge, open_inbox, ready, row, send, toast

expect.set_options(timeout=DEADLINE_MS)


@pytest.fixture
def publish(server: ServerProcess) -> Any:
    """Publish to Ada, unless told otherwise; returns the id."""
    key = server.key("producer")

    def publish(title: str, to: Any = None, **more: Any) -> str:
        answer = server.publish(key, title=title, to=to or {"users": ["ada"]}, **more)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    return publish


def test_a_published_alert_shows_as_toast_and_on_the_bell(
    open_page: OpenPage, publish: Any
) -> None:
    page = open_page()
    ready(page)
    publish("Backup failed", severity="critical", body="Disk 3 is full.")
    expect(toast(page, "Backup failed")).to_be_visible()
    expect(badge(page)).to_have_text("1")
    expect(row(open_inbox(page), "Backup failed")).to_contain_text("Disk 3 is full.")
    expect(badge(page)).to_have_count(0)


def test_an_alert_to_everybody_reaches_every_user(open_page: OpenPage, publish: Any) -> None:
    pages = [open_page("ada"), open_page("ben")]
    for page in pages:
        ready(page)
    publish("Maintenance at noon", to={"all": True}, severity="critical")
    for page in pages:
        expect(toast(page, "Maintenance at noon")).to_be_visible()
        expect(badge(page)).to_have_text("1")


def test_reading_on_one_device_clears_the_other(open_page: OpenPage, publish: Any) -> None:
    phone, desk = open_page(), open_page()
    ready(phone)
    ready(desk)
    publish("Invoice 7 was paid")
    on_desk, on_phone = open_inbox(desk), open_inbox(phone)
    expect(on_desk.locator("li.row.unread", has_text="Invoice 7")).to_be_visible()
    item = row(on_phone, "Invoice 7")
    item.hover()
    item.get_by_role("button", name="Mark as read").click()
    expect(on_desk.locator("li.row.read", has_text="Invoice 7")).to_be_visible()


def test_a_deleted_alert_comes_back_by_undo_on_every_device(
    open_page: OpenPage, publish: Any
) -> None:
    phone, desk = open_page(), open_page()
    ready(phone)
    ready(desk)
    publish("Parcel at the door")
    on_phone, on_desk = open_inbox(phone), open_inbox(desk)
    item = row(on_phone, "Parcel")
    item.hover()
    item.get_by_role("button", name="Delete").click()
    expect(row(on_desk, "Parcel")).to_have_count(0)
    on_phone.get_by_role("button", name="Undo").click()
    expect(row(on_phone, "Parcel")).to_be_visible()
    expect(row(on_desk, "Parcel")).to_be_visible()


def test_a_reload_shows_the_same_inbox(open_page: OpenPage, publish: Any) -> None:
    page = open_page()
    ready(page)
    for number in range(3):
        publish(f"Comment {number}")
    titles = open_inbox(page).locator("li.row .title")
    expect(titles).to_have_count(3)
    before = titles.all_text_contents()
    page.reload()
    ready(page)
    titles = open_inbox(page).locator("li.row .title")
    expect(titles).to_have_count(3)
    assert titles.all_text_contents() == before


def test_offline_and_back_heals_the_gap(
    open_page: OpenPage, publish: Any, server: ServerProcess
) -> None:
    page, witness = open_page(), open_page()
    ready(page)
    ready(witness)
    publish("Before the gap")
    expect(badge(page)).to_have_text("1")
    page.context.set_offline(True)
    publish("Inside the gap")
    expect(badge(witness)).to_have_text("2")
    expect(badge(page)).to_have_text("1")
    page.context.set_offline(False)
    expect(badge(page)).to_have_text("2")
    server.kill()
    server.start()
    publish("After the crash")
    expect(badge(page)).to_have_text("3")
    inbox = open_inbox(page)
    expect(inbox.locator("li.row")).to_have_count(3)


def test_alert_text_is_text_and_hostile_links_are_none(open_page: OpenPage, publish: Any) -> None:
    page = open_page()
    ready(page)
    publish("<img src=x onerror=alert(1)>", url="javascript:alert(2)", body="<b>bold</b>")
    item = row(open_inbox(page), "<img src=x")
    expect(item).to_contain_text("<b>bold</b>")
    expect(item.locator("img, b, a[href^=javascript]")).to_have_count(0)


def test_the_composer_publishes_and_a_phone_shows_it(open_page: OpenPage) -> None:
    page = open_page("ada", viewport={"width": 390, "height": 844})
    ready(page)
    send(page, "From the composer", severity="Critical")
    expect(toast(page, "From the composer").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def receipts_of(server: ServerProcess, alert_id: str) -> dict[str, Any]:
    answer = server.request("GET", f"/demo/alerts/{alert_id}")
    summary: dict[str, Any] = answer.json().get("receipts", {})
    return summary


def test_a_toast_is_shown_once_per_person_over_tabs_and_devices(
    open_page: OpenPage, publish: Any, server: ServerProcess
) -> None:
    # Too narrow for the frames in which the page shows more devices.
    phone, desk = (open_page(viewport={"width": 1_000, "height": 800}) for _ in range(2))
    tab = desk.context.new_page()
    tab.goto(desk.url)
    for page in (phone, desk, tab):
        ready(page)
    alert_id = publish("Look here", severity="critical")
    for page in (phone, tab):  # of the desk's tabs the one that was looked at last
        expect(toast(page, "Look here")).to_be_visible()
    expect(toast(desk, "Look here")).to_have_count(0)
    until(lambda: receipts_of(server, alert_id).get("seen") == 1, "the toast was seen")
    assert receipts_of(server, alert_id)["shown"] == 1
    until(lambda: server.cli("why", alert_id, "ada").count(" seen ") == 2, "two devices saw it")
    assert server.cli("why", alert_id, "ada").count(" shown ") == 2


def test_pressing_an_action_is_counted_and_closes_the_toast(
    open_page: OpenPage, publish: Any, server: ServerProcess
) -> None:
    page = open_page()
    ready(page)
    actions = [
        {"id": "ack", "label": "Acknowledge", "style": "primary"},
        {"id": "drop", "label": "Drop it", "style": "danger"},
        {"id": "bad", "label": "Bad link", "url": "javascript:alert(1)"},
    ]
    alert_id = publish("Disk 3 is full", severity="critical", actions=actions)
    buttons = page.locator("tocsin-toasts .choice")
    expect(buttons).to_have_text(["Acknowledge", "Drop it"])
    buttons.first.click()
    expect(toast(page, "Disk 3 is full")).to_have_count(0)
    until(lambda: receipts_of(server, alert_id).get("actions") == {"ack": 1}, "the press is told")
    inbox = open_inbox(page)
    row(inbox, "Disk 3").get_by_role("button", name="Drop it").click()
    expect(inbox.locator(".notice")).to_contain_text("Drop it: sent")
    until(
        lambda: receipts_of(server, alert_id)["actions"] == {"ack": 1, "drop": 1},
        "the second press is told",
    )
    assert "pressed" in server.cli("why", alert_id, "ada").splitlines()[-1]
