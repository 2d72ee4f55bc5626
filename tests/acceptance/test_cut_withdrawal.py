"""A withdrawal from 50,000 inboxes that SIGKILL cuts is finished by the next process, by itself."""

import asyncio
import contextlib
import sqlite3

import httpx
import pytest

from tests.acceptance import resting_server
from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until_async
from tests.acceptance.live_clients import live_clients
from tests.acceptance.server_process import ServerProcess

pytestmark = pytest.mark.acceptance

PEOPLE = 50_000
LIMITS = {
    "TOCSIN_LIMITS__AUDIENCE_USERS": str(PEOPLE),
    "TOCSIN_LIMITS__ALERT_BYTES": "4000000",
}
# They are reached in this order: the last one is still far away when the first one has been.
FIRST, LAST = "user-00000", f"user-{PEOPLE - 1}"
DONE_S = 60.0


def held(server: ServerProcess) -> int:
    """Count the inboxes that have the alert, whether or not the server runs."""
    file = f"file:{server.data_dir / 'tocsin.db'}?mode=ro"
    with contextlib.closing(sqlite3.connect(file, uri=True)) as connection:
        query = "SELECT count(*) FROM items WHERE deleted_at IS NULL"
        return int(connection.execute(query).fetchone()[0])


async def withdraw(server: ServerProcess, key: dict[str, str], alert_id: str) -> None:
    """Ask for the withdrawal; the server goes down while it answers."""
    async with httpx.AsyncClient(base_url=server.url, headers=key, timeout=DONE_S) as http:
        with pytest.raises(httpx.TransportError):
            await http.delete(f"/v1/alerts/{alert_id}")


async def test_a_withdrawal_that_is_cut_is_finished_after_the_restart(
    make_server: MakeServer,
) -> None:
    server = make_server(program=(resting_server.__file__,), env=LIMITS).start()
    key = server.key("server")
    people = [f"user-{number:05}" for number in range(PEOPLE)]
    async with live_clients(server, key, (FIRST, LAST)) as clients:
        to = {"users": people}
        published = await asyncio.to_thread(server.publish, key, to=to, title="Come at noon")
        assert published.status_code == 202

        async def all_have_it() -> bool:
            return await asyncio.to_thread(held, server) == PEOPLE

        await until_async(all_have_it, "everybody has it", DONE_S)
        rests = server.folder / resting_server.RESTS
        rests.touch()
        asked = asyncio.ensure_future(withdraw(server, key, published.json()["id"]))

        async def has_begun() -> bool:
            return await asyncio.to_thread(held, server) < PEOPLE

        await until_async(has_begun, "the first inboxes are without it")
        await asyncio.to_thread(server.kill)
        await asked
        rests.unlink()
        assert 0 < held(server) < PEOPLE, "the kill came in the middle"
        await asyncio.to_thread(server.start)

        async def none_has_it() -> bool:
            return await asyncio.to_thread(held, server) == 0

        await until_async(none_has_it, "nobody has it any more", DONE_S)
        for user in (FIRST, LAST):
            await clients.become_equal(user, DONE_S)
            assert clients.clients[user].view()["items"] == []
            assert clients.clients[user].view()["counts"] == {"unseen": 0, "unread": 0}
