"""The pages of the elements: each is live, and made from what the package says of the element."""

from playwright.sync_api import expect

from tests.acceptance.server_process import ServerProcess
from tests.browser.conftest import DEADLINE_MS, OpenPage

expect.set_options(timeout=DEADLINE_MS)


def test_every_element_has_a_page_on_which_it_lives(
    open_page: OpenPage, server: ServerProcess
) -> None:
    manifest = server.request("GET", "/tocsin/custom-elements.json").json()
    elements = manifest["modules"][0]["declarations"]
    page = open_page(viewport={"width": 1_000, "height": 800})
    for element in elements:
        page.goto(f"{server.url}/elements/?element={element['tagName']}")
        expect(page.locator(".summary")).to_be_visible()
        page.locator(f".stage > {element['tagName']}:defined").wait_for(state="attached")
        named = page.locator(".part th").all_text_contents()
        expected = (each["name"] for kind in ("attributes", "events") for each in element[kind])
        assert set(expected) <= set(named)


def test_an_element_is_sent_an_alert_turned_and_painted_on_its_page(
    open_page: OpenPage, server: ServerProcess
) -> None:
    page = open_page(viewport={"width": 1_000, "height": 800})
    page.goto(f"{server.url}/elements/?element=tocsin-inbox")
    page.get_by_role("button", name="Send an alert").click()
    row = page.locator(".stage li.row")
    expect(row).to_have_count(1)
    page.get_by_label("theme").select_option("dark")
    expect(page.locator("pre")).to_contain_text('theme="dark"')
    surface = page.get_by_label("--tocsin-surface")
    expect(surface).not_to_have_value("#000000")
    page.get_by_label("theme").select_option("light")
    expect(surface).to_have_value("#ffffff")
    page.get_by_label("--tocsin-text").fill("#ff0000")
    expect(row).to_have_css("color", "rgb(255, 0, 0)")
    row.locator(".title").click()
    expect(page.get_by_role("log")).to_contain_text("tocsin-open")
