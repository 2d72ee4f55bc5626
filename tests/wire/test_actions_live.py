"""Every action of a person reaches the other live clients of that person as a frame, and nobody else's."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import websockets
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.wire.served_node import Served, serving

RELIABLE = [Subprotocol("json.reliable.webpubsub.azure.v1")]
ITEM = "/v1/inbox/items/{id}"
CATEGORY = "payments"


class Action(NamedTuple):
    """One request; ``{id}`` and ``{alert_id}`` are those of the alert that is acted on."""

    method: str
    route: str
    body: Mapping[str, Any] | None = None
    query: str = ""


def patch(**wanted: Any) -> Action:
    return Action("PATCH", ITEM, {"alert_id": "{alert_id}", **wanted})


def mark(**wanted: Any) -> Action:
    return Action("POST", "/v1/inbox/mark", {"up_to": "{up_to}", **wanted})


# In this order each of them changes something: two alerts are there, and the second is left to the marks.
ACTIONS = (
    patch(seen=True),
    patch(read=True),
    patch(read=False),
    patch(archived=True),
    patch(archived=False),
    patch(snoozed_until="2099-01-01T08:00:00Z"),
    patch(snoozed_until=None),
    Action(
        "PATCH",
        "/v1/inbox/items",
        {"patches": [{"id": "{id}", "alert_id": "{alert_id}", "read": True}]},
    ),
    patch(read=False),
    Action("DELETE", ITEM, query="?alert_id={alert_id}"),
    Action("POST", f"{ITEM}/restore", query="?alert_id={alert_id}"),
    mark(action="seen"),
    mark(action="read", category=CATEGORY),
    mark(action="read"),
)


class Window:
    """A live client of somebody."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self._socket = socket

    async def change(self, rev: int) -> Any:
        """Return the next change of the inbox, which has to be the one of this revision."""
        async with asyncio.timeout(30):
            while True:
                data = json.loads(await self._socket.recv()).get("data", {})
                if data.get("kind") == "inbox":
                    assert data["rev"] == rev
                    return data


@asynccontextmanager
async def window(served: Served, user: str) -> AsyncIterator[Window]:
    port = served.http.base_url.port
    url = f"ws://127.0.0.1:{port}/client/hubs/default?access_token={await served.token(user)}"
    async with connect(url, subprotocols=RELIABLE) as socket:
        yield Window(socket)


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """Put ``values`` in the places that are named after them."""
    match template:
        case dict():
            return {name: filled(value, values) for name, value in template.items()}
        case list():
            return [filled(value, values) for value in template]
        case str():
            return values.get(template.strip("{}"), template)
        case _:
            return template


def acting(served: Served) -> set[tuple[str, str]]:
    """Return the routes by which people act on an inbox."""
    return {
        (method, path)
        for method, path in served.node.app.routes()
        if path.startswith(("/v1/inbox/items", "/v1/inbox/mark")) and method != "GET"
    }


async def act(served: Served, action: Action, values: Mapping[str, Any]) -> Any:
    """Act as Ada's other device, and return the answer."""
    answer = await served.http.request(
        action.method,
        (action.route + action.query).format(**values),
        json=filled(action.body, values) if action.body is not None else None,
        headers={"authorization": f"Bearer {await served.token()}"},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def places(served: Served) -> dict[str, Any]:
    """Return the ids of the alert to act on, and up to where everything is there."""
    listed = await served.http.get("/v1/inbox/items?user=ada", headers=served.key)
    page = await served.http.get("/v1/inbox?user=ada", headers=served.key)
    first, second = sorted(listed.json()["items"], key=lambda item: item["alert"]["title"])
    position = page.json()["position"]
    sort = max(first["sort"], second["sort"])
    up_to = {"epoch": position["epoch"], "sort": sort, "brev": position["brev"]}
    return {"id": first["id"], "alert_id": first["alert_id"], "up_to": up_to}


@pytest.mark.parametrize("to", [{"users": ["ada"]}, {"all": True}], ids=["own", "broadcast"])
async def test_every_action_reaches_the_other_live_clients_as_a_frame(
    tmp_path: Path, to: dict[str, Any]
) -> None:
    async with (
        serving(tmp_path) as served,
        window(served, "ada") as other,
        window(served, "ben") as stranger,
    ):
        assert {(action.method, action.route) for action in ACTIONS} == acting(served)
        rev = 0
        for title, more in (("1", {"category": CATEGORY}), ("2", {})):
            alert = {"to": to, "title": title, **more}
            await served.http.post("/v1/alerts", json=alert, headers=served.key)
            await served.titles(int(title))
            if "users" in to:
                rev += 1
                await other.change(rev)
        values = await places(served)
        for action in ACTIONS:
            rev += 1
            answer = await act(served, action, values)
            assert answer["rev"] == rev, f"{action} changes something"
            assert await other.change(rev) == answer["change"], action
        await served.publish("Only now", users=["ben"])
        assert (await stranger.change(1))["items"][0]["alert"]["title"] == "Only now"
