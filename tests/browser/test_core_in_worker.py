"""The headless client in a worker, which has neither a document nor a `localStorage`."""

from playwright.sync_api import Page

from tests.acceptance.deadlines import until
from tests.acceptance.server_process import ServerProcess
from tests.browser.conftest import OpenPage

# A worker that is a module, as an application would write it; it tells each view.
WORKER = """
import { TocsinClient } from "%(server)s/tocsin/core.js";

const client = new TocsinClient({ tokenProvider: async () => ({ url: "%(url)s" }) });
client.subscribe(({ synced, items }) =>
  postMessage({ synced, titles: items.map(({ alert }) => alert.title) }));
client.connect();
"""
START = """(code) => {
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const worker = new Worker(address, { type: "module" });
  window.said = [];
  worker.onmessage = ({ data }) => window.said.push(data);
}"""


def test_a_worker_gets_in_step_and_hears_what_comes(
    open_page: OpenPage, server: ServerProcess
) -> None:
    producer = server.key("server")
    server.publish(producer, title="Before")
    address = server.client_token(producer)["url"]
    # The worker has no file of its own, and the demo's policy allows none without.
    page = open_page(bypass_csp=True)
    page.evaluate(START, WORKER % {"server": server.url, "url": address})
    says(page, ["Before"])
    server.publish(producer, title="Meanwhile")
    says(page, ["Meanwhile", "Before"])


def says(page: Page, titles: list[str]) -> None:
    """Wait until the worker is in step, with these alerts."""
    expected = {"synced": True, "titles": titles}
    until(lambda: page.evaluate("said.at(-1)") == expected, f"the worker has {titles}", 45)
