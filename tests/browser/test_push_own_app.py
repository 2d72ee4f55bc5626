"""Push in an application of its own: another origin than Tocsin's, and a service worker that is a module."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright, expect

from tests.acceptance.server_process import ServerProcess
from tests.browser.conftest import DEADLINE_MS
from tests.browser.own_app import OwnApp, own_app
from tests.browser.push_service import PushService
from tests.browser.pushed_browser import PushedBrowser, pushed_browser

expect.set_options(timeout=DEADLINE_MS)

# Chromium sends this event when the push service gives a subscription up, which no stand-in can make it do.
LOSE_SUBSCRIPTION = """async () => {
  const oldSubscription = await registration.pushManager.getSubscription();
  await oldSubscription.unsubscribe();
  dispatchEvent(new PushSubscriptionChangeEvent("pushsubscriptionchange", { oldSubscription }));
}"""


@dataclass
class Stage:
    """The application, its browser, and the server behind it."""

    app: OwnApp
    browser: PushedBrowser
    server: ServerProcess
    key: dict[str, str]

    def turn_on(self) -> None:
        """Turn push on as a person does, and close the page."""
        self.browser.allow()
        page = self.browser.open()
        page.get_by_role("button", name="Turn on").click()
        expect(page.get_by_role("status")).to_have_text("on")
        self.browser.close_pages()

    def publish(self, title: str) -> None:
        assert self.server.publish(self.key, title=title).status_code == 202

    def device(self) -> dict[str, Any]:
        listed = self.server.request("GET", "/v1/devices?user=ada", headers=self.key).json()
        [device] = listed["devices"]
        return dict(device)

    def item(self) -> dict[str, Any]:
        inbox = self.server.request("GET", "/v1/inbox?user=ada", headers=self.key).json()
        return dict(inbox["items"][0])


@pytest.fixture
def stage(playwright: Playwright, service: PushService) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="tcs") as folder, own_app() as app:
        hubs = {"default": {"allowed_origins": [app.origin]}}
        env = service.server_env | {"TOCSIN_HUBS": json.dumps(hubs)}
        server = ServerProcess(Path(folder), env=env)
        try:
            server.start()
            key = server.key("server")
            app.begin(server.url, lambda: server.client_token(key)["url"])
            with pushed_browser(playwright, service, app.origin) as browser:
                yield Stage(app, browser, server, key)
        finally:
            server.end()


def test_a_worker_that_is_a_module_shows_what_is_pushed_and_follows_a_press(stage: Stage) -> None:
    stage.turn_on()
    stage.publish("To a module")
    page = stage.browser.opened_by_press("To a module")
    page.wait_for_url(f"{stage.app.origin}/")
    stage.browser.until(lambda: stage.item()["read"], "the press has read the item")


def test_a_browser_that_lost_its_subscription_is_registered_anew_with_no_page_open(
    stage: Stage, service: PushService
) -> None:
    stage.turn_on()
    [old], before, asked = service.endpoints(), stage.device(), stage.app.tokens
    stage.browser.worker().evaluate(LOSE_SUBSCRIPTION)
    stage.browser.until(
        lambda: stage.device()["registered_at"] > before["registered_at"], "it is registered"
    )
    assert stage.app.tokens == asked + 1
    assert stage.device()["installation_id"] == before["installation_id"]
    # The browser gives the old one back in its own time.
    stage.browser.until(lambda: len(service.endpoints()) == 1, "the old one is given back")
    assert old not in service.endpoints()
    # The worker named the endpoint at the browser maker's host, and the page names ours.
    page = stage.browser.open()
    expect(page.get_by_role("status")).to_have_text("on")
    stage.browser.close_pages()
    stage.publish("Under the new subscription")
    stage.browser.shown("Under the new subscription")
