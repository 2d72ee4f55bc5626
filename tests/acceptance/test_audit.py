"""The audit log of a server that is killed while it works: every change has its deed, and every deed its change."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.acceptance.server_process import ServerProcess

pytestmark = pytest.mark.acceptance

AT_ONCE = 16
BEFORE_THE_KILL = 60


def pages(server: ServerProcess, key: dict[str, str], path: str, name: str) -> list[dict[str, Any]]:
    """Read all pages of a list."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": "200", **({"cursor": cursor} if cursor else {})}
        answer = server.request("GET", path, params=params, headers=key).json()
        found += answer[name]
        cursor = answer["page"]["next"]
    return found


async def act_until_killed(server: ServerProcess, key: dict[str, str]) -> list[str]:
    """Make keys and subscribe people by many requests at once, and kill the server in their midst; return what was answered."""
    answered: list[str] = []

    async def keep_asking(http: httpx.AsyncClient, worker: int) -> None:
        for number in range(10_000):
            made = {"role": "producer", "name": f"w{worker}-{number}"}
            answer = await http.post("/v1/admin/keys", json=made, headers=key)
            assert answer.status_code == 201
            answered.append(answer.json()["id"])
            path = f"/v1/topics/t{worker}-{number}/subscribers"
            answer = await http.post(path, json=["ada", f"ben-{worker}"], headers=key)
            assert answer.status_code == 200
            answered.append(f"t{worker}-{number}")
            if len(answered) >= BEFORE_THE_KILL:
                killing.set()

    killing = asyncio.Event()
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as http:
        asking = [asyncio.ensure_future(keep_asking(http, worker)) for worker in range(AT_ONCE)]
        await killing.wait()
        await asyncio.to_thread(server.kill)
        ends = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(end, httpx.HTTPError) for end in ends), ends
    return answered


async def test_a_kill_leaves_no_change_without_its_deed_and_no_deed_without_its_change(
    server: ServerProcess,
) -> None:
    key = server.key("admin")
    for _ in range(3):
        answered = await act_until_killed(server, key)
        server.start()
        deeds = pages(server, key, "/v1/admin/audit", "deeds")
        told: dict[str, list[str]] = {action: [] for action in ("key.create", "topic.subscribe")}
        for deed in deeds:
            told[deed["action"]].append(deed["target"])
            assert deed["outcome"] == "done"
        keys = server.request("GET", "/v1/admin/keys", headers=key).json()["keys"]
        topics = pages(server, key, "/v1/topics", "topics")
        assert sorted(told["key.create"]) == sorted(one["id"] for one in keys)
        assert sorted(told["topic.subscribe"]) == sorted(one["topic"] for one in topics)
        assert set(answered) <= {*told["key.create"], *told["topic.subscribe"]}


def test_backup_and_restore_stand_in_the_log_with_a_server_and_without(
    server: ServerProcess,
) -> None:
    server.key("admin")
    live, idle = server.folder / "live.tocsin", server.folder / "idle.tocsin"
    server.cli("backup", str(live))
    assert server.try_cli("backup", str(live)).returncode == 1  # never replaces a file
    server.stop()
    server.cli("backup", "--without-key", str(idle))
    log = server.cli("audit", "--action", "backup.make")
    outcomes = [line.split("/")[-1].split()[:2] for line in log.splitlines()[1:]]
    assert outcomes == [
        ["idle.tocsin", "done"],
        ["idle.tocsin", "begun"],
        ["live.tocsin", "backup-failed"],
        ["live.tocsin", "begun"],
        ["live.tocsin", "done"],
        ["live.tocsin", "begun"],
    ]
    elsewhere = server.folder / "elsewhere"
    server.cli("restore", str(live), "--data-dir", str(elsewhere))
    server.data_dir.rename(server.folder / "lost")
    elsewhere.rename(server.data_dir)
    server.start()
    lines = server.cli("audit").splitlines()[1:]
    assert [line.split()[4] for line in lines] == ["backup.restore", "backup.make", "key.create"]
    assert str(live) in lines[0]
    assert "begun" in lines[1]
