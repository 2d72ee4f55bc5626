"""What axe has to say against a page."""

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Frame, Page

_AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
# All that WCAG 2.2 AA asks and a program can see, and what is good practice beside it.
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_OPTIONS = {
    "runOnly": {"type": "tag", "values": _TAGS},
    "resultTypes": ["violations"],
    "iframes": False,
}


def complaints(page: Page | Frame) -> list[str]:
    """Return a line for each fault of the page as it stands, without the frames in it."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(_AXE.read_text())
    found = page.evaluate("options => axe.run(document, options)", _OPTIONS)
    return [_told(rule["id"], node) for rule in found["violations"] for node in rule["nodes"]]


def _told(rule: str, node: dict[str, Any]) -> str:
    return f"{rule}: {json.dumps(node['target'])} {node['html']}: {node['failureSummary']}"
