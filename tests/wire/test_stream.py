"""The inbox as Server-Sent Events, from a whole node over real sockets."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.wire.gateway_fixture import eventually
from tests.wire.served_node import Served, serving
from tocsin.adapters.memory.fanout import MemoryFanout


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


async def test_a_change_of_preferences_is_told_and_moves_no_position(served: Served) -> None:
    token = await served.token()
    headers = {"authorization": f"Bearer {token}"}
    async with served.stream(**headers) as reader:
        head = await reader.event()
        said = {"channels": {"push": {"enabled": False}}}
        answer = await served.http.put("/v1/preferences", json=said, headers=headers)
        assert answer.status_code == 200
        told = await reader.event()
        assert (told.id, told.data) == (head.id, {"tocsin": 1, "kind": "preferences"})
        await served.publish("One")
        assert (await reader.event()).data["rev"] == 1


async def test_who_comes_back_with_the_last_event_id_gets_what_was_missed(served: Served) -> None:
    token = await served.token()
    async with served.stream(f"?access_token={token}") as reader:
        position = (await reader.event()).id
    await eventually(lambda: served.node.gateway.stats().sessions == 0)
    await served.publish("Missed")
    await served.publish("Missed too", all=True)
    assert set(await served.titles(2)) == {"Missed", "Missed too"}
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
        fanout = served.node.ground.fanout
        assert isinstance(fanout, MemoryFanout)
        fanout._listeners.clear()
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


async def test_a_stream_ends_when_its_key_is_revoked_and_others_go_on(served: Served) -> None:
    text, key = await served.node.keyring.create("default", "server", "to-be-revoked")
    async with (
        served.stream("?user=ada", authorization=f"Bearer {text}") as reader,
        served.stream("?user=ada", **served.key) as other,
        served.stream(authorization=f"Bearer {await served.token()}") as person,
    ):
        for one in (reader, other, person):
            await one.event()
        await served.node.keyring.revoke(key.id)
        end = await reader.event()
        assert (end.kind, end.data) == ("end", {"code": 1008, "reason": "key-revoked"})
        assert await reader.lines() == []
        await served.publish("Still there")
        for one in (other, person):
            assert (await one.event()).data["items"][0]["alert"]["title"] == "Still there"


async def test_metrics_tell_what_the_gateway_counts(served: Served) -> None:
    async with served.stream("?user=ada", **served.key) as reader:
        await reader.event()
        await served.publish("One")
        await reader.event()
        for _ in range(2):  # what was told before is not counted again
            text = (await served.http.get("/metrics")).text
            for line in (
                "tocsin_connections 1.0",
                "tocsin_live_hubs 1.0",
                "tocsin_connections_opened_total 1.0",
                "tocsin_messages_sent_total 2.0",
                "tocsin_heads_sent_total 1.0",
                "tocsin_slow_consumers_total 0.0",
            ):
                assert f"\n{line}\n" in text, line
