"""Alerts made of attacks, through a real server onto a real page: they are text, and nothing else happens."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.acceptance.server_process import ServerProcess
from tests.browser.conftest import DEADLINE_MS, OpenPage
from tests.browser.hostile_texts import TEXTS

# So few that all of them are drawn: at the top of the list, and each as a toast.
BATCH = 3
LEAST_TEXTS = 150
# What the page itself asks for; a text that is taken for an address of this origin leads elsewhere.
OWN_PATHS = (
    "/",
    "/assets/",
    "/tocsin/",
    "/demo/",
    "/v1/",
    "/client/",
    "/icon",
    "/apple-touch-icon.png",
    "/manifest.",
    "/worker.js",
)
FOLLOWED = {"http:", "https:", "mailto:", "tel:"}
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
RUNS = re.compile("on|srcdoc|style|ping|formaction")
# Everything below an element, through the roots that it hides.
SHOWN = """
(element) => {
  const nodes = [];
  const walk = (root) => {
    for (const node of root.querySelectorAll("*")) {
      nodes.push(node);
      if (node.shadowRoot) walk(node.shadowRoot);
    }
  };
  walk(element.shadowRoot);
  const textsOf = (selector) =>
    nodes.filter((node) => node.matches(selector)).map(({ textContent }) => textContent);
  return {
    names: [...new Set(nodes.map(({ localName }) => localName))],
    attributes: [...new Set(nodes.flatMap((node) => node.getAttributeNames()))],
    links: nodes.filter((node) => node.matches("a[href]")).map((link) => link.protocol),
    sources: nodes.flatMap((node) => node.getAttribute("src") ?? []),
    titles: textsOf(".title"),
    bodies: textsOf(".body"),
    options: textsOf("option"),
  };
}
"""


@pytest.fixture
def asked(open_page: OpenPage) -> tuple[Page, list[str]]:
    """The page, and what it asks for that is not its own; nothing of that is answered."""
    # The elements have to hold by themselves: not every page has a policy.
    page = open_page(viewport={"width": 1_000, "height": 800}, bypass_csp=True)
    asked: list[str] = []
    host = urlsplit(page.url).netloc

    def note(request: Request) -> None:
        address = urlsplit(request.url)
        if address.netloc != host or (
            not address.path.startswith(OWN_PATHS[1:]) and address.path != "/"
        ):
            asked.append(request.url)

    page.context.on("request", note)
    page.on("dialog", lambda dialog: asked.append(f"dialog: {dialog.message}"))
    page.on("popup", lambda popup: asked.append(f"popup: {popup.url}"))
    page.context.expose_function("pwned", lambda *_: asked.append("a script ran"))
    page.wait_for_function(
        "() => document.querySelector('tocsin-bell')?.view?.synced === true", timeout=DEADLINE_MS
    )
    return page, asked


def hostile(text: str) -> dict[str, Any]:
    """The text in every field that takes one, or an address."""
    return {
        "to": {"users": ["ada"]},
        "title": text,
        "severity": "critical",
        "body": text,
        # The server refuses control characters in names.
        "category": CONTROLS.sub(" ", text)[:128],
        "icon": text,
        "url": text,
        "actions": [
            {"id": "link", "label": text[:100], "url": text},
            {"id": "press", "label": text[:100]},
        ],
        "data": {"text": text, text[:100]: [text]},
    }


def publish(server: ServerProcess, key: dict[str, str], alerts: Sequence[dict[str, Any]]) -> None:
    batch = {"alerts": list(alerts)}
    answer = server.request("POST", "/v1/alerts/batch", json=batch, headers=key)
    assert answer.status_code in (200, 202), answer.text
    refused = [result for result in answer.json()["results"] if "id" not in result]
    assert refused == [], refused


def wait_for(page: Page, text: str) -> None:
    page.wait_for_function(
        "(text) => document.querySelector('tocsin-bell').view.items[0]?.alert.title === text",
        arg=text,
        timeout=DEADLINE_MS,
    )


def test_no_attack_is_counted_twice() -> None:
    assert len(set(TEXTS)) == len(TEXTS) >= LEAST_TEXTS


def test_hostile_alerts_are_text_and_nothing_else_happens(
    asked: tuple[Page, list[str]], server: ServerProcess
) -> None:
    page, faults = asked
    key = server.key("producer")
    inbox, toasts = page.locator(".window tocsin-inbox"), page.locator(".window tocsin-toasts")
    publish(server, key, [harmless(number) for number in range(BATCH)])
    expect(toasts.locator(".title")).to_have_count(BATCH)
    wait_for(page, f"Plain {BATCH - 1}")
    # Categories are drawn nowhere but in the filter, while it is open.
    inbox.get_by_role("button", name="Filter", exact=True).click()
    expect(inbox.locator("option", has_text="Plain 0")).to_have_count(1)
    names = [set(element.evaluate(SHOWN)["names"]) for element in (inbox, toasts)]
    read_all(page, toasts)
    for start in range(0, len(TEXTS), BATCH):
        texts = TEXTS[start : start + BATCH]
        alerts = [hostile(text) for text in texts]
        publish(server, key, alerts)
        expect(toasts.locator(".title")).to_have_count(len(texts))
        wait_for(page, texts[-1])
        for element, known in zip((inbox, toasts), names, strict=True):
            shown = element.evaluate(SHOWN)
            for part in ("titles", "bodies"):
                assert [text for text in texts if text not in " ".join(shown[part])] == []
            assert set(shown["names"]) <= known
            assert set(shown["links"]) <= FOLLOWED
            assert [name for name in shown["attributes"] if RUNS.match(name)] == []
            assert all(source.startswith("/icon") for source in shown["sources"])
        options = inbox.evaluate(SHOWN)["options"]
        assert {alert["category"] for alert in alerts} <= set(options)
        read_all(page, toasts)
    assert page.title().endswith("Ada · Tocsin demo")
    assert faults == []


def read_all(page: Page, toasts: Locator) -> None:
    """Make room: the toast of an alert that was read goes."""
    page.evaluate("document.querySelector('tocsin-bell').inUse.markAllRead()")
    expect(toasts.locator(".title")).to_have_count(0)


def harmless(number: int) -> dict[str, Any]:
    """An alert of the same shape, whose every part may be drawn."""
    alert = {**hostile(f"Plain {number}"), "url": "https://example.org/a", "icon": "/icon.svg"}
    alert["actions"][0]["url"] = "/somewhere"
    return alert
