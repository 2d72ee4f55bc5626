"""A real browser and permessage-deflate: both sides compress, and nothing else changes."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.acceptance.server_process import ServerProcess
from tests.acceptance.webpubsub_speech import client_url
from tests.browser.conftest import DEADLINE_MS

# Opens a socket, sends one text of each size to a group it is in, and returns what came back.
ROUND_TRIPS = """async ([url, sizes]) => {
  const socket = new WebSocket(url, "json.webpubsub.azure.v1");
  const texts = sizes.map((size) => "Ünïcødé and more of it. ".repeat(size).slice(0, size));
  const heard = [];
  await new Promise((resolve, reject) => {
    socket.onclose = ({ code, reason }) => reject(new Error(`closed with ${code} ${reason}`));
    socket.onmessage = ({ data }) => {
      const said = JSON.parse(data);
      if (said.type === "message") heard.push(said.data);
      if (heard.length === texts.length) resolve();
    };
    socket.onopen = () => {
      for (const data of texts) {
        socket.send(JSON.stringify({ type: "sendToGroup", group: "ops", dataType: "text", data }));
      }
    };
  });
  return { extensions: socket.extensions, equal: heard.map((text, at) => text === texts[at]) };
}"""


@pytest.fixture
def compressing() -> Iterator[ServerProcess]:
    """A server that compresses, with the demo page."""
    with tempfile.TemporaryDirectory(prefix="tcs") as folder:
        env = {"TOCSIN_DEMO": "true", "TOCSIN_PERMESSAGE_DEFLATE": "true"}
        process = ServerProcess(Path(folder), env=env)
        try:
            yield process.start()
        finally:
            process.end()


@pytest.fixture
def page(chromium: Browser, compressing: ServerProcess) -> Iterator[Page]:
    context = chromium.new_context()
    context.set_default_timeout(DEADLINE_MS)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{compressing.url}/?user=ada")
    yield page
    context.close()
    assert faults == []


def round_trips(page: Page, server: ServerProcess, *sizes: int) -> Any:
    url = client_url(server, "bob", roles=["webpubsub.sendToGroup"], groups=["ops"])
    return page.evaluate(ROUND_TRIPS, [url, sizes])


def test_a_browser_and_the_server_compress_for_each_other(
    page: Page, compressing: ServerProcess
) -> None:
    found = round_trips(page, compressing, 0, 1, 127, 128, 70_000, 500_000)
    assert found["extensions"].split("; ") == [
        "permessage-deflate",
        "server_no_context_takeover",
        "client_no_context_takeover",
    ]
    assert found["equal"] == [True] * 6


def test_alerts_reach_the_page_over_a_compressed_socket(
    page: Page, compressing: ServerProcess
) -> None:
    page.wait_for_function(
        """() => {
          const { inUse, view } = document.querySelector("tocsin-bell") ?? {};
          return view?.synced && inUse.status === "online" && inUse.transport === "socket";
        }"""
    )
    body = "The same words again. " * 60
    compressing.publish(compressing.key("producer"), title="Large", body=body, severity="critical")
    expect(page.locator("tocsin-toasts .title", has_text="Large")).to_have_count(1)
    shown = page.evaluate("document.querySelector('tocsin-bell').view.items[0].alert.body")
    assert shown == body
