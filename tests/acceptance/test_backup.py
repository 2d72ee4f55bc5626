"""A server that is set back to its backup: clients that know more than it does become equal to it again."""

import asyncio

import pytest

from tests.acceptance.deadlines import until_async
from tests.acceptance.live_clients import LiveClients, live_clients
from tests.acceptance.server_process import ServerProcess

pytestmark = pytest.mark.acceptance

USERS = tuple(f"user-{number}" for number in range(6))
HEALED_S = 60.0


async def publish(server: ServerProcess, key: dict[str, str], text: str) -> None:
    """Publish an alert for each user, and one for all."""
    for user in USERS:
        to = {"users": [user]}
        answer = await asyncio.to_thread(server.publish, key, to=to, title=f"{text} {user}")
        assert answer.status_code == 202
    told = await asyncio.to_thread(server.publish, key, to={"all": True}, title=f"{text} all")
    assert told.status_code == 202


async def all_show(clients: LiveClients, count: int) -> bool:
    """Whether every client is in touch and shows so many alerts."""
    views = [client.view() for client in clients.clients.values()]
    return all(view["synced"] and len(view["items"]) == count for view in views)


async def test_clients_become_equal_to_a_server_that_was_restored(server: ServerProcess) -> None:
    key, archive = server.key("server"), server.folder / "backup"
    async with live_clients(server, key, USERS) as clients:
        await publish(server, key, "Kept")
        for user in USERS:
            await clients.become_equal(user, HEALED_S)
        said = await asyncio.to_thread(server.cli, "backup", str(archive))
        assert "as of" in said
        for number in range(3):  # the clients get ahead of the backup
            await publish(server, key, f"Gone {number}")
        await until_async(lambda: all_show(clients, 8), "the clients have more", HEALED_S)

        await asyncio.to_thread(server.stop)
        server.data_dir.rename(server.folder / "lost")
        said = await asyncio.to_thread(server.cli, "restore", str(archive))
        assert "1 hubs have a new epoch" in said
        await asyncio.to_thread(server.start)
        await publish(server, key, "After")

        await until_async(lambda: all_show(clients, 4), "every client has four alerts", HEALED_S)
        for user in USERS:
            await clients.become_equal(user, HEALED_S)
            titles = [item["alert"]["title"] for item in clients.clients[user].view()["items"]]
            assert sorted(titles) == ["After all", f"After {user}", "Kept all", f"Kept {user}"]
        await clients.become_quiet()


async def test_what_waited_at_the_time_of_the_backup_is_delivered_after_a_restore(
    server: ServerProcess,
) -> None:
    key, archive = server.key("server"), server.folder / "backup"
    server.stop()
    assert server.cli("publish", "--to-user", "ada", "--title", "Waits")
    server.cli("backup", str(archive))
    elsewhere = server.folder / "elsewhere"
    said = server.cli("restore", str(archive), "--data-dir", str(elsewhere))
    assert "1 alerts wait" in said
    again = server.try_cli("restore", str(archive), "--data-dir", str(elsewhere))
    assert again.returncode == 1
    assert "is not empty" in again.stderr
    server.data_dir.rename(server.folder / "lost")
    elsewhere.rename(server.data_dir)
    server.start()

    async def delivered() -> bool:
        return await asyncio.to_thread(server.titles, key) == ["Waits"]

    await until_async(delivered, "what waited arrives")
