"""SIGTERM: the server says goodbye, finishes what it began, exits with 0, and the next one goes on from there."""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until, until_async
from tests.acceptance.server_process import ServerProcess, log_entries

pytestmark = pytest.mark.acceptance

RELIABLE = Subprotocol("json.reliable.webpubsub.azure.v1")
SOCKETS = 10
IN_FLIGHT = 16
ENOUGH = 200


async def publish_on(server: ServerProcess, key: Mapping[str, str], accepted: list[str]) -> None:
    """Publish one alert after the other until the server is gone."""
    async with aiohttp.ClientSession(headers=key) as http:
        with contextlib.suppress(aiohttp.ClientError):
            while True:
                alert = {"to": {"users": ["ada"]}, "title": "Hello"}
                async with http.post(f"{server.url}/v1/alerts", json=alert) as answer:
                    if answer.status == 202:
                        accepted.append((await answer.json())["id"])


async def end_of(socket: ClientConnection) -> tuple[int | None, str | None]:
    """Read until the server closes; return its code and reason."""
    async for _ in socket:
        pass
    return socket.close_code, socket.close_reason


async def test_sigterm_drains_live_connections_and_publishes_and_exits_with_0(
    make_server: MakeServer,
) -> None:
    server = make_server(env={"TOCSIN_DRAIN_S": "1"}).start()
    key = server.key("server")
    url = server.client_token(key)["url"]
    accepted: list[str] = []
    async with contextlib.AsyncExitStack() as sockets, asyncio.TaskGroup() as tasks:
        ends = [
            tasks.create_task(
                end_of(await sockets.enter_async_context(connect(url, subprotocols=[RELIABLE])))
            )
            for _ in range(SOCKETS)
        ]
        for _ in range(IN_FLIGHT):
            tasks.create_task(publish_on(server, key, accepted))

        async def has_enough() -> bool:
            return len(accepted) >= ENOUGH

        await until_async(has_enough, "publishing is under way")
        server.ask_to_stop()
        await asyncio.to_thread(server.wait_stopped)
    for code, reason in [end.result() for end in ends]:
        assert code == 1001
        assert reason is not None
        assert reason.startswith("retry-after-ms=")
    assert events(server)[-1] == "serve.stopped"
    assert not (server.data_dir / "tocsin.sock").exists()

    server.start()
    stored: Counter[str] = Counter()

    async def all_stored() -> bool:
        stored.clear()
        stored.update(await asyncio.to_thread(alert_ids, server, key))
        return set(accepted) <= set(stored)

    await until_async(all_stored, "everything accepted is in the inbox")
    assert set(stored.values()) == {1}


def alert_ids(server: ServerProcess, key: Mapping[str, str]) -> list[str]:
    """Return the ids of all alerts in Ada's inbox."""
    ids: list[str] = []
    query = {"user": "ada", "limit": "200"}
    while True:
        page = server.request("GET", "/v1/inbox/items", params=query, headers=key).json()
        ids += [item["alert_id"] for item in page["items"]]
        if page["page"]["next"] is None:
            return ids
        query["cursor"] = page["page"]["next"]


def test_an_idle_server_stops_at_once(make_server: MakeServer) -> None:
    server = make_server(env={"TOCSIN_DRAIN_S": "600"}).start()
    server.request("GET", "/healthz")
    server.stop()  # has less patience than that


def test_a_second_sigterm_cuts_the_drain_short_and_exits_with_0(make_server: MakeServer) -> None:
    server = make_server(env={"TOCSIN_LIMITS__BODY_S": "60"}).start()
    key = server.key("producer")
    with socket.create_connection(("127.0.0.1", server.port)) as unfinished:
        head = f"POST /v1/alerts HTTP/1.1\r\nHost: x\r\nAuthorization: {key['authorization']}\r\n"
        unfinished.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        server.request("GET", "/healthz")
        server.ask_to_stop()
        until(lambda: "serve.drains" in events(server), "the drain began")
        server.ask_to_stop()
        server.wait_stopped()
    assert events(server)[-3:] == ["serve.drains", "serve.hurries", "serve.stopped"]
    assert server.start().publish(key).status_code == 202


def test_a_server_that_gives_notice_is_not_ready_and_serves_on_until_it_is_over(
    make_server: MakeServer,
) -> None:
    server = make_server(env={"TOCSIN_DRAIN_NOTICE_S": "3600"}).start()
    key = server.key("producer")
    assert server.request("GET", "/readyz").status_code == 200
    server.ask_to_stop()

    def code() -> str | None:
        answer = server.request("GET", "/readyz")
        return str(answer.json()["code"]) if answer.status_code == 503 else None

    assert until(code, "it says so") == "draining"
    assert server.publish(key).status_code == 202
    server.ask_to_stop()
    server.wait_stopped()


def events(server: ServerProcess) -> list[str]:
    return [entry["event"] for entry in log_entries(server.log())]


def test_a_server_that_is_asked_to_stop_while_it_starts_exits_with_0(
    make_server: MakeServer,
) -> None:
    server = make_server()
    server.launch()
    until((server.data_dir / "lock").exists, "the server has begun to start")
    server.ask_to_stop()
    server.wait_stopped()
    assert not (server.data_dir / "tocsin.sock").exists()


def test_a_second_start_keeps_keys_alerts_and_what_was_read(make_server: MakeServer) -> None:
    server = make_server().start()
    key = server.key("server")
    issued = server.client_token(key)
    server.publish(key, title="First")
    bearer = {"authorization": f"Bearer {issued['token']}"}

    def inbox() -> Any:
        return server.request("GET", "/v1/inbox", headers=bearer).json()

    [item] = until(lambda: inbox()["items"], "the alert is in the inbox")
    change = {"alert_id": item["alert_id"], "read": True}
    answer = server.request("PATCH", f"/v1/inbox/items/{item['id']}", json=change, headers=bearer)
    assert answer.status_code == 200, answer.text
    before = inbox()
    connection_string = server.cli("connection-string")
    server.stop()
    server.start()
    assert inbox() == before, "the same position, item, counts, and the token still holds"
    assert before["counts"] == {"unseen": 0, "unread": 0}
    assert server.cli("connection-string") == connection_string
    assert server.publish(key).status_code == 202
