"""A real browser as one device of one person: a profile of its own, a desktop of its own, and our push service."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from playwright.sync_api import (
    BrowserContext,
    Locator,
    Page,
    Playwright,
    Request,
    Route,
    Worker,
    expect,
)

from tests.acceptance.deadlines import until
from tests.browser.conftest import DEADLINE_MS, FLAGS, chromium_path
from tests.browser.desktop import Desktop, Shown, desktop
from tests.browser.push_service import PushService

T = TypeVar("T")

LOOK_EVERY_MS = 20


class PushedBrowser:
    """The browser stays when its pages are closed; ``desktop`` is where its notifications are."""

    def __init__(
        self, context: BrowserContext, screen: Desktop, service: PushService, origin: str
    ) -> None:
        self.desktop = screen
        self.faults: list[str] = []
        self._context = context
        self._origin = origin
        self._service = service
        context.set_default_timeout(DEADLINE_MS)
        context.route("**/v1/devices/*", self._rename_endpoint)

    def allow(self) -> None:
        """Answer the browser's own question with yes: no script can press its button."""
        self._context.grant_permissions(["notifications"], origin=self._origin)

    def set_permission(self, page: Page, setting: str) -> None:
        """Change what the browser's settings say of notifications: ``granted``, ``denied`` or ``prompt``."""
        permission = {"name": "notifications"}
        wanted = {"permission": permission, "setting": setting, "origin": self._origin}
        self._context.new_cdp_session(page).send("Browser.setPermission", wanted)

    def open(self, user: str = "ada", *, hidden: bool = False) -> Page:
        """Open the demo page; a ``hidden`` one says that it is behind another window."""
        page = self._context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        if hidden:
            getter = "{ get: () => 'hidden' }"
            page.add_init_script(f"Object.defineProperty(document, 'visibilityState', {getter})")
        page.goto(f"{self._origin}/?user={user}")
        return page

    def turned_on(self, user: str = "ada") -> Page:
        """Open the demo page and turn push on, as a person does."""
        self.allow()
        page = self.open(user)
        panel(page).get_by_role("button", name="Turn on").click()
        expect(panel(page)).to_contain_text("This device gets alerts", timeout=2 * DEADLINE_MS)
        return page

    def close_pages(self) -> None:
        """Close every page of the app; the browser itself stays."""
        for page in self.pages():
            page.close()

    def press(self, title: str, button: str | None = None) -> None:
        """Press the notification of that title, or one of its buttons, as soon as it is shown."""
        self.desktop.press(self.shown(title), button)

    def shown(self, title: str) -> Shown:
        """Wait until the notification of that title is shown."""
        return self.until(lambda: self.desktop.shown(title), f"the notification {title!r}")

    def opened_by_press(self, title: str) -> Page:
        """Press the notification; return the window that it opens."""
        with self._context.expect_page() as opened:
            self.press(title)
        return opened.value

    def until(self, find: Callable[[], T | None], what: str) -> T:
        """Return the first true result of ``find``; meanwhile the browser's own events are heard.

        Raises:
            AssertionError: There was none in time.
        """

        def look() -> T | None:
            self._context.pages[0].wait_for_timeout(LOOK_EVERY_MS)
            return find()

        return until(look, what)

    def worker(self) -> Worker:
        """Return the app's service worker, which has to be running."""
        [worker] = self._context.service_workers
        return worker

    def pages(self) -> list[Page]:
        """List the open pages of the app."""
        return [page for page in self._context.pages if page.url.startswith(self._origin)]

    def _rename_endpoint(self, route: Route, request: Request) -> None:
        """The browser's endpoint is at its maker's host; ours is the same one on this machine."""
        body = request.post_data_json
        if request.method == "PUT" and body:
            channel = body["channel"]
            channel["endpoint"] = self._service.own_endpoint(channel["endpoint"])
            route.continue_(post_data=body)
        else:
            route.continue_()


def panel(page: Page) -> Locator:
    """Return the push panel, opened."""
    found = page.locator("tocsin-push")
    if not found.is_visible():
        page.get_by_role("button", name="Push on this device").click()
        expect(found).to_be_visible()
    return found


@contextlib.contextmanager
def pushed_browser(
    playwright: Playwright, service: PushService, origin: str
) -> Iterator[PushedBrowser]:
    """Run one; an error on one of its pages fails the test."""
    with tempfile.TemporaryDirectory(prefix="tcb") as folder, desktop(Path(folder)) as screen:
        context = playwright.chromium.launch_persistent_context(
            Path(folder) / "profile",
            executable_path=chromium_path(),
            args=[*FLAGS, *service.switches],
            env={**os.environ, **screen.environment},
        )
        browser = PushedBrowser(context, screen, service, origin)
        try:
            yield browser
        finally:
            context.close()
        assert browser.faults == []
