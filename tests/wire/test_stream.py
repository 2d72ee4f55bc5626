"""The inbox as Server-Sent Events, from a whole node over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.wire.gateway_fixture import eventually
from tocsin.api.endpoints import find_endpoints
from tocsin.api.http_guard import guarded_protocol
from tocsin.api.listener import Listener, bind
from tocsin.config import Settings
from tocsin.node import Node


class Event(NamedTuple):
    """One event as ``EventSource`` would give it."""

    kind: str
    id: str
    data: Any


class Reader:
    """Reads one stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def lines(self) -> list[str]:
        """Return the lines up to the next empty one; none at the end."""
        block: list[str] = []
        async with asyncio.timeout(30):
            async for line in self._lines:
                if not line:
                    return block
                block.append(line)
        return block

    async def event(self) -> Event:
        while (block := await self.lines()) == [":"]:
            pass
        fields = dict(line.split(": ", 1) for line in block)
        return Event(
            fields.get("event", "message"), fields.get("id", ""), json.loads(fields["data"])
        )


class Served:
    """A node, its client, and keys."""

    def __init__(self, node: Node, http: httpx.AsyncClient, server_key: str) -> None:
        self.node = node
        self.http = http
        self.key = {"authorization": f"Bearer {server_key}"}

    async def token(self, user: str = "ada") -> str:
        answer = await self.http.post("/v1/client-tokens", json={"user_id": user}, headers=self.key)
        token: str = answer.json()["token"]
        return token

    async def publish(self, title: str, **to: Any) -> None:
        alert = {"to": to or {"users": ["ada"]}, "title": title}
        answer = await self.http.post("/v1/alerts", json=alert, headers=self.key)
        assert answer.status_code == 202

    async def reached(self, rev: int, brev: int) -> None:
        """Wait until Ada's inbox is there."""
        while True:
            answer = await self.http.get("/v1/inbox?user=ada", headers=self.key)
            position = answer.json()["position"]
            if (position["rev"], position["brev"]) == (rev, brev):
                return

    @asynccontextmanager
    async def stream(self, query: str = "", **headers: str) -> AsyncIterator[Reader]:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        path = f"/v1/inbox/stream{query}"
        async with self.http.stream("GET", path, headers=given) as response:
            assert response.status_code == 200
            yield Reader(response)


@asynccontextmanager
async def serving(data_dir: Path, **settings: Any) -> AsyncIterator[Served]:
    bound = bind("127.0.0.1", 0)
    port = bound.getsockname()[1]
    endpoints = find_endpoints("127.0.0.1", port, None, tls=False)
    async with Node.opened(Settings(data_dir=data_dir, **settings), endpoints) as node:
        listener = Listener(
            guarded_protocol(16_384, 10, 30), {"http": guarded_protocol(16_384, 10, 30)}
        )
        await listener.listen(bound, node.app)
        node.start()
        key, _ = await node.keyring.create("default", "server", "backend")
        async with httpx.AsyncClient(base_url=endpoints.public, timeout=30) as http:
            yield Served(node, http, key)
        listener.stop_accepting()
        await node.gateway.drain(0)
        await listener.finish(5)
        await node.finish_work(0)
        node.gateway.close()


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(tmp_path) as served:
        yield served


async def test_a_stream_begins_with_a_head_and_goes_on_with_frames(served: Served) -> None:
    async with served.stream(authorization=f"Bearer {await served.token()}") as reader:
        headers = reader.response.headers
        assert headers["content-type"] == "text/event-stream"
        assert headers["cache-control"] == "no-store"
        head = await reader.event()
        epoch = head.data["epoch"]
        assert (head.kind, head.id, head.data["kind"]) == ("message", f"{epoch}:0:0", "head")
        await served.publish("One")
        one = await reader.event()
        assert (one.id, one.data["kind"]) == (f"{epoch}:1:0", "inbox")
        assert one.data["items"][0]["alert"]["title"] == "One"
        await served.publish("All", all=True)
        everyone = await reader.event()
        assert (everyone.id, everyone.data["kind"]) == (f"{epoch}:1:1", "broadcast")


async def test_who_comes_back_with_the_last_event_id_gets_what_was_missed(served: Served) -> None:
    token = await served.token()
    async with served.stream(f"?access_token={token}") as reader:
        position = (await reader.event()).id
    await eventually(lambda: served.node.gateway.stats().sessions == 0)
    await served.publish("Missed")
    await served.publish("Missed too", all=True)
    await served.reached(1, 1)
    async with served.stream(
        f"?access_token={token}&since=x:0:0", last_event_id=position
    ) as reader:
        changes = await reader.event()
        assert (changes.kind, changes.id) == ("changes", position.replace(":0:0", ":1:1"))
        assert changes.data["items"][0]["alert"]["title"] == "Missed"
        assert changes.data["broadcasts"][0]["alert"]["title"] == "Missed too"
        await served.publish("Next")
        assert (await reader.event()).id == position.replace(":0:0", ":2:1")


async def test_a_position_that_cannot_be_served_from_is_answered_with_reload(
    served: Served,
) -> None:
    async with served.stream("?user=ada&since=old:5:0", **served.key) as reader:
        event = await reader.event()
        assert (event.kind, event.data["reload"]) == ("reload", True)
        assert event.id == "{epoch}:{rev}:{brev}".format(**event.data["position"])


async def test_a_lost_announcement_is_found_by_anti_entropy(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, anti_entropy_s=0.5) as served,
        served.stream("?user=ada", **served.key) as reader,
    ):
        first = await reader.event()
        served.node.fanout._listeners.clear()
        await served.publish("Unheard")
        head = await reader.event()
        assert (head.data["kind"], head.data["rev"]) == ("head", 1)
        assert head.id == first.id


async def test_a_silent_stream_has_heartbeats(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, anti_entropy_s=0.5) as served,
        served.stream("?user=ada", **served.key) as reader,
    ):
        await reader.event()
        assert await reader.lines() == [":"]


async def test_a_drain_ends_the_stream_with_a_time_to_come_back(served: Served) -> None:
    async with served.stream("?user=ada", **served.key) as reader:
        await reader.event()
        await served.node.gateway.drain(0)
        block = await reader.lines()
        assert block[:2] == ["event: end", "retry: 2001"]
        assert await reader.lines() == []
    answer = await served.http.get("/v1/inbox/stream?user=ada", headers=served.key)
    assert (answer.status_code, answer.json()["code"]) == (503, "draining")


@pytest.mark.parametrize(
    ("query", "key", "status", "code"),
    [
        ("", None, 401, "unauthenticated"),
        ("?access_token=x", None, 401, "token-malformed"),
        ("?access_token=KEY&user=ada", None, 401, "token-malformed"),
        ("", "server", 400, "user-missing"),
        ("?user=ada", "producer", 403, "wrong-role"),
        ("?user=ada&since=here", "server", 400, "invalid-position"),
    ],
)
async def test_a_stream_is_refused_as_a_problem(
    served: Served, query: str, key: Any, status: int, code: str
) -> None:
    text, _ = await served.node.keyring.create("default", key or "server", "k")
    headers = {"authorization": f"Bearer {text}"} if key else {}
    url = "/v1/inbox/stream" + query.replace("KEY", text)
    answer = await served.http.get(url, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert served.node.gateway.stats().sessions == 0


async def test_head_has_the_headers_and_opens_nothing(served: Served) -> None:
    answer = await served.http.head("/v1/inbox/stream?user=ada", headers=served.key)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
    assert served.node.gateway.stats().sessions == 0
