"""The list of what was published, over the wire and over a kill: by source, category, time, and whose key asks."""

from typing import Any

import pytest

from tests.acceptance.deadlines import until
from tests.acceptance.server_process import ServerProcess

pytestmark = pytest.mark.acceptance

Key = dict[str, str]


def listed(server: ServerProcess, key: Key, **query: str) -> list[str]:
    """Return the titles of the first page."""
    answer = server.request("GET", "/v1/alerts", params=query, headers=key)
    assert answer.status_code == 200, answer.text
    return [row["alert"]["title"] for row in answer.json()["alerts"]]


def test_alerts_are_listed_by_source_category_and_time(server: ServerProcess) -> None:
    ours, theirs, backend = server.key("producer"), server.key("producer"), server.key("server")
    said: list[tuple[Key, dict[str, Any]]] = [
        (ours, {"title": "Disk", "source": "vault", "category": "disk"}),
        (ours, {"title": "Load", "source": "vault", "category": "load"}),
        (theirs, {"title": "Disk too", "source": "vault", "category": "disk"}),
        (ours, {"title": "Newest", "source": "depot", "category": "disk"}),
    ]
    for number, (key, alert) in enumerate(said, 1):
        assert server.publish(key, **alert).status_code == 202
        until(lambda count=number: len(listed(server, backend)) == count, "it is processed")  # type: ignore[misc]
    server.restart()

    assert listed(server, backend) == ["Newest", "Disk too", "Load", "Disk"]
    assert listed(server, backend, source="vault") == ["Disk too", "Load", "Disk"]
    assert listed(server, backend, source="vault", category="disk") == ["Disk too", "Disk"]
    assert listed(server, ours, category="disk") == ["Newest", "Disk"], "a producer sees its own"
    assert listed(server, theirs) == ["Disk too"]
    page = server.request("GET", "/v1/alerts", headers=backend).json()
    since = page["alerts"][1]["accepted_at"]
    assert listed(server, backend, since=since) == ["Newest", "Disk too"]
    assert listed(server, ours, since=since, source="vault") == []
    first = server.request("GET", "/v1/alerts?limit=3&category=disk", headers=backend).json()
    assert (len(first["alerts"]), first["page"]["next"]) == (3, None)
    refused = server.request("GET", "/v1/alerts?since=yesterday", headers=backend)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid-time")
