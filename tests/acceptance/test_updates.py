"""Alerts that change after they were published, as a live client sees them."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.acceptance.deadlines import until_async
from tests.acceptance.live_clients import LiveClients, live_clients
from tests.acceptance.server_process import ServerProcess

pytestmark = pytest.mark.acceptance


async def publish(server: ServerProcess, key: dict[str, str], **alert: Any) -> str:
    answer = await asyncio.to_thread(server.publish, key, **alert)
    assert answer.status_code == 202
    return str(answer.json()["id"])


async def withdraw(server: ServerProcess, key: dict[str, str], alert_id: str) -> None:
    async with httpx.AsyncClient(base_url=server.url, headers=key, timeout=30) as http:
        answer = await http.delete(f"/v1/alerts/{alert_id}")
    assert (answer.status_code, answer.json()["state"]) == (200, "withdrawn")


async def shows(clients: LiveClients, user: str, *rows: tuple[str, str]) -> None:
    """Wait until a client shows these alerts, each as its item's id and its title."""

    async def shown() -> bool:
        items = clients.clients[user].view()["items"]
        return [(item["id"], item["alert"]["title"]) for item in items] == list(rows)

    await until_async(shown, f"{user} sees {rows}")


async def test_live_clients_see_an_alert_replaced_in_place_and_withdrawn(
    server: ServerProcess,
) -> None:
    key = server.key("server")
    build: dict[str, Any] = {"to": {"users": ["ada"]}, "collapse_key": "build-7"}
    async with live_clients(server, key, ("ada", "ben")) as clients:
        first = await publish(server, key, title="Build 7: 60 %", **build)
        await shows(clients, "ada", (first, "Build 7: 60 %"))
        second = await publish(server, key, title="Build 7 is done", **build)
        await shows(clients, "ada", (first, "Build 7 is done"))
        told = await publish(server, key, to={"all": True}, title="Down at noon")
        await shows(clients, "ben", (told, "Down at noon"))
        await withdraw(server, key, second)
        await shows(clients, "ada", (told, "Down at noon"))
        await withdraw(server, key, told)
        for user in ("ada", "ben"):
            await shows(clients, user)
            await clients.become_equal(user, 30.0)
