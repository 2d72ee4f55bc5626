"""The demo page as a shop window: an alert's way over live devices, and what a broken line does."""

import pytest
from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.acceptance.server_process import ServerProcess
from tests.browser.conftest import DEADLINE_MS, OpenPage
from tests.browser.demo_page import send

expect.set_options(timeout=DEADLINE_MS)


@pytest.fixture
def desk(open_page: OpenPage) -> Page:
    """The page of Ada, wide enough for all its devices, when they are live."""
    page = open_page(viewport={"width": 1440, "height": 900})
    for device in ("ada-browser", "ada-phone", "ben-laptop"):
        expect(standing(page, device)).to_have_attribute("data-line", "live")
    return page


def standing(page: Page, device: str) -> Locator:
    return page.locator(f"demo-agreement tr[data-device={device}]")


def verdict(page: Page) -> Locator:
    return page.locator(".verdict")


def phone(page: Page) -> FrameLocator:
    return page.frame_locator("iframe[title$=phone]")


def test_the_way_of_an_alert_fills_with_times(desk: Page) -> None:
    send(desk, "Parcel at the door")
    expect(desk.locator(".trunk li.reached")).to_have_count(3)
    lanes = desk.locator(".lane:not(.lane-heads)")
    expect(lanes).to_have_count(2)
    for lane in lanes.all():
        expect(lane.locator("li.reached")).to_contain_text(["Written", "Received", "Shown"])
    expect(lanes.locator("li.reached", has_text="Seen").first).to_be_visible()
    row = phone(desk).locator("tocsin-inbox li.row", has_text="Parcel")
    row.hover()
    row.get_by_role("button", name="Mark as read").click()
    expect(lanes.locator("li.reached", has_text="Read")).to_have_count(2)


def test_an_alert_to_everyone_has_a_lane_for_each_device(desk: Page) -> None:
    send(desk, "Maintenance at noon", to="Everyone")
    for device in ("browser", "phone", "laptop"):
        lane = desk.locator(".lane", has_text=device)
        expect(lane.locator("li.reached", has_text="Received")).to_be_visible()


def test_a_device_whose_line_is_cut_catches_up(desk: Page) -> None:
    switch = phone(desk).get_by_role("switch", name="Online")
    switch.click()
    expect(standing(desk, "ada-phone")).to_have_attribute("data-line", "cut")
    send(desk, "Backup failed")
    rows = "tocsin-inbox li.row"
    expect(desk.locator(f".window {rows}")).to_have_count(1)
    expect(phone(desk).locator(rows)).to_have_count(0)
    switch.click()
    expect(phone(desk).locator(rows)).to_have_count(1)
    expect(verdict(desk)).to_contain_text("Healed")


def test_a_killed_server_loses_nothing_and_all_devices_agree_again(
    desk: Page, server: ServerProcess
) -> None:
    send(desk, "Before the kill")
    expect(phone(desk).locator("li.row")).to_have_count(1)
    server.kill()
    expect(verdict(desk)).to_contain_text("No server")
    send(desk, "While it is gone")
    expect(desk.get_by_role("button", name="Waiting")).to_be_disabled()
    server.start()
    for device in ("ada-browser", "ada-phone", "ben-laptop"):
        expect(standing(desk, device)).to_have_attribute("data-line", "live")
    expect(desk.locator(".window li.row")).to_have_count(2)
    expect(phone(desk).locator("li.row")).to_have_count(2)
    expect(verdict(desk)).to_contain_text("Healed")
