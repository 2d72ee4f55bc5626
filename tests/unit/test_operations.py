"""Readiness: one check for all who ask, and never a stale yes."""

import asyncio

import pytest

from tests.unit.api_server import Server
from tocsin.api import operations
from tocsin.errors import UnavailableError


async def test_everyone_who_asks_at_once_gets_the_answer_of_one_check(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = []

    async def failing() -> None:
        checks.append(1)
        await asyncio.sleep(0)
        raise UnavailableError("the disk is full", code="disk-full")

    monkeypatch.setattr(server.store, "check_writable", failing)
    asked = [asyncio.ensure_future(server.http.get("/readyz")) for _ in range(5)]
    await asyncio.wait(asked)
    assert [task.result().status_code for task in asked] == [503] * 5
    assert len(checks) == 1


async def test_a_disk_that_gives_no_answer_is_not_ready(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "READY_DEADLINE_S", 0.01)
    monkeypatch.setattr(server.store, "check_writable", asyncio.Event().wait)
    answer = await server.http.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_who_has_been_asked_to_end_says_so_and_serves_on(server: Server) -> None:
    assert (await server.http.get("/readyz")).status_code == 200
    server.leaving.set()
    answer = await server.http.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "draining")
    assert (await server.http.get("/healthz")).status_code == 200
    assert (await server.publish()).status_code == 202
