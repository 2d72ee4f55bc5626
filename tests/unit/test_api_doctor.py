"""What the server says of itself when an administrator asks."""

from typing import Any

import pytest

from tests.unit.api_server import Server, running
from tocsin.adapters.memory.store import MemoryStore
from tocsin.errors import UnavailableError
from tocsin.ports.care import Finding
from tocsin.testing import ManualClock


class JumpingClock(ManualClock):
    """A clock whose wall time can be set, as NTP or a person may."""

    jumped_us = 0

    def now_us(self) -> int:
        return super().now_us() + self.jumped_us


async def examine(server: Server) -> dict[str, Any]:
    answer = await server.http.get("/v1/admin/doctor", headers=await server.key("admin"))
    assert answer.status_code == 200
    return {finding["check"]: finding for finding in answer.json()["findings"]}


async def test_a_healthy_server_names_each_check() -> None:
    async with running() as server:
        found = await examine(server)
        assert [found[check]["verdict"] for check in ("writing", "clock")] == ["ok", "ok"]
        assert found["durability"]["verdict"] == "warn"  # it is in memory


async def test_only_administrators_ask() -> None:
    async with running() as server:
        answer = await server.http.get("/v1/admin/doctor", headers=await server.key("server"))
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong-role")


@pytest.mark.parametrize("jump_s", [-60, 60])
async def test_a_wall_clock_that_jumped_is_told(
    monkeypatch: pytest.MonkeyPatch, jump_s: int
) -> None:
    monkeypatch.setattr("tests.unit.api_server.ManualClock", JumpingClock)
    async with running() as server:
        assert isinstance(server.clock, JumpingClock)
        server.clock.advance(3600)
        assert (await examine(server))["clock"]["verdict"] == "ok"
        server.clock.jumped_us = jump_s * 1_000_000
        told = (await examine(server))["clock"]
        assert told["verdict"] == "warn"
        assert f"{jump_s:+.1f} s" in told["detail"]


async def test_a_disk_that_takes_no_writes_is_a_finding_and_no_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def refuse(_: MemoryStore) -> None:
        raise UnavailableError("the disk is full", code="disk-full")

    async with running() as server:
        monkeypatch.setattr(MemoryStore, "check_writable", refuse)
        monkeypatch.setattr(MemoryStore, "findings", refuse)
        found = await examine(server)
        assert [found[check]["verdict"] for check in ("writing", "durability")] == ["fail", "fail"]
        assert found["writing"]["detail"] == "the disk is full"


async def test_push_services_that_find_our_settings_at_fault_are_named() -> None:
    async with running() as server:
        assert "push" not in await examine(server)
        server.of_push.append(Finding("push", "fail", "nothing is sent to web.push.apple.com"))
        found = (await examine(server))["push"]
        assert found["verdict"] == "fail"
        assert found["detail"] == "nothing is sent to web.push.apple.com"
