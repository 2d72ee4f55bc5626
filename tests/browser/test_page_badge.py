"""What a tab says of new alerts: a number in its title, a dot on its icon."""

from playwright.sync_api import Browser, expect

from tests.acceptance.server_process import ServerProcess
from tests.browser.application_page import LOOKS, application_page
from tests.browser.backend import Backend
from tests.browser.conftest import DEADLINE_MS

expect.set_options(timeout=DEADLINE_MS)

BADGE = '<tocsin-page-badge marks="title favicon" token-url="/demo/session?user=ada"></tocsin-page-badge>'
# The colour of the middle of the dot, of the icon as the tab shows it.
DOT = """async () => {
  const icon = new Image();
  icon.src = document.querySelector("link[rel=icon]").href;
  await icon.decode();
  const pen = Object.assign(document.createElement("canvas"), { width: 32, height: 32 }).getContext("2d");
  pen.drawImage(icon, 0, 0, 32, 32);
  return [...pen.getImageData(23, 9, 1, 1).data];
}"""


def test_title_and_icon_tell_what_is_new_until_it_is_seen(
    chromium: Browser, one_server: ServerProcess, backend: Backend
) -> None:
    with application_page(chromium, one_server, LOOKS[0], BADGE) as shown:
        page = shown.page
        icon = page.locator("link[rel=icon]")
        backend.publish("Parcel at the door")
        expect(page).to_have_title("(1) Orders")
        page.evaluate("document.title = 'Order 412'")
        expect(page).to_have_title("(1) Order 412")
        page.wait_for_function(
            "() => document.querySelector('link[rel=icon]').href.startsWith('data:')"
        )
        red, green, blue, opacity = page.evaluate(DOT)
        assert red > 150 > max(green, blue)
        assert opacity == 255
        backend.read_all()
        expect(page).to_have_title("Order 412")
        expect(icon).to_have_attribute("href", "/icon.svg")
