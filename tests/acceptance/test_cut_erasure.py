"""An erasure that SIGKILL cuts is finished by the next process, by itself; who bears the name afterwards keeps everything."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.acceptance import resting_server
from tests.acceptance.conftest import MakeServer
from tests.acceptance.deadlines import until, until_async
from tests.acceptance.server_process import ServerProcess
from tocsin.adapters.sql.holdings import HOLDINGS
from tocsin.adapters.sql.schema import metadata

pytestmark = pytest.mark.acceptance

PERSON = "ada-lovelace-1815"  # in no other word
ITEMS, BATCH = 20_000, 1_000
DONE_S = 60.0


@contextlib.contextmanager
def looked_into(server: ServerProcess) -> Iterator[sqlite3.Connection]:
    """Open the file of a server to read, whether or not it runs."""
    file = f"file:{server.data_dir / 'tocsin.db'}?mode=ro"
    with contextlib.closing(sqlite3.connect(file, uri=True)) as connection:
        yield connection


def items_of(server: ServerProcess, user_no: int) -> int:
    with looked_into(server) as connection:
        query = "SELECT count(*) FROM items WHERE user_no = ?"
        return int(connection.execute(query, (user_no,)).fetchone()[0])


def number_of(server: ServerProcess) -> int:
    with looked_into(server) as connection:
        query = "SELECT user_no FROM heads WHERE user = ?"
        return int(connection.execute(query, (PERSON,)).fetchone()[0])


def held(server: ServerProcess, user_no: int) -> dict[str, int]:
    """Count what is left under a person's number, by table."""
    with looked_into(server) as connection:
        counts = {
            holding.table.name: connection.execute(
                f"SELECT count(*) FROM {holding.table.name} WHERE user_no = ?", (user_no,)
            ).fetchone()[0]
            for holding in HOLDINGS
        }
    return {name: count for name, count in counts.items() if count}


def named(server: ServerProcess) -> set[str]:
    """Return the columns of all tables in which the person's name stands."""
    with looked_into(server) as connection:
        return {
            f"{table.name}.{column.name}"
            for table in metadata.tables.values()
            for column in table.c
            if connection.execute(
                f'SELECT 1 FROM "{table.name}" WHERE instr(CAST("{column.name}" AS TEXT), ?) LIMIT 1',
                (PERSON,),
            ).fetchone()
        }


def make_rich(server: ServerProcess, key: dict[str, str]) -> None:
    """Give the person items, a topic, a read one, receipts, and an alert with a time to come."""
    for begin in range(0, ITEMS, BATCH):
        alerts = [
            {"to": {"users": [PERSON, "ben"] if number % 1_000 == 0 else [PERSON]}, "title": "One"}
            for number in range(begin, begin + BATCH)
        ]
        answer = server.request("POST", "/v1/alerts/batch", json={"alerts": alerts}, headers=key)
        assert answer.status_code == 202
    path = f"/v1/topics/ops/subscribers/{PERSON}"
    assert server.request("PUT", path, headers=key).status_code == 204
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    later = {"to": {"users": [PERSON]}, "title": "Later", "deliver_at": tomorrow}
    assert server.publish(key, **later).status_code == 202
    user_no = until(lambda: number_of(server), "the inbox is there", DONE_S)
    until(lambda: items_of(server, user_no) == ITEMS, "all arrive", DONE_S)
    page = server.request("GET", f"/v1/inbox?user={PERSON}&limit=1", headers=key).json()
    [item] = page["items"]
    shown = {"receipts": [{"alert_id": item["alert_id"], "fact": "shown"}]}
    answer = server.request("POST", f"/v1/inbox/receipts?user={PERSON}", json=shown, headers=key)
    assert answer.is_success, answer.text


async def cut(server: ServerProcess, key: dict[str, str], user_no: int) -> None:
    """Ask for the erasure, and kill the server when the first items are gone."""

    async def has_begun() -> bool:
        return await asyncio.to_thread(items_of, server, user_no) < ITEMS

    rests = server.folder / resting_server.RESTS
    rests.touch()
    async with httpx.AsyncClient(base_url=server.url, headers=key, timeout=DONE_S) as http:
        asked = asyncio.ensure_future(http.delete(f"/v1/users/{PERSON}"))
        await until_async(has_begun, "the first items are gone", DONE_S)
        server.kill()
        with contextlib.suppress(httpx.TransportError):  # it may have said that it goes on
            assert (await asked).status_code == 202
    rests.unlink()


def records(server: ServerProcess, admin: dict[str, str]) -> list[dict[str, Any]]:
    answer = server.request("GET", "/v1/admin/erasures", headers=admin).json()
    found: list[dict[str, Any]] = answer["erasures"]
    return found


async def test_an_erasure_that_is_cut_is_finished_after_the_restart(
    make_server: MakeServer,
) -> None:
    server = make_server(program=(resting_server.__file__,)).start()
    key, admin = server.key("server"), server.key("admin")
    make_rich(server, key)
    user_no = number_of(server)
    await cut(server, key, user_no)
    assert 0 < items_of(server, user_no) < ITEMS, "the kill came in the middle"

    server.start()
    assert server.publish(key, to={"users": [PERSON]}, title="After").status_code == 202
    until(lambda: "finished_at" in records(server, admin)[0], "it is finished by itself", DONE_S)
    [record] = records(server, admin)
    assert PERSON not in str(record)
    counts = record["counts"]
    assert (counts["item"], counts["subscription"], counts["scheduled"]) == (ITEMS, 1, 1)
    assert (counts["inbox"], counts["receipts"] > 0) == (1, True)
    deeds = server.cli("audit", "--user", PERSON)
    assert (deeds.count("user.erase"), deeds.count("user.revoke-tokens")) == (1, 1)

    # The name is taken anew, by an inbox that has what came after the erasure and nothing else.
    until(lambda: server.titles(key, PERSON) == ["After"], "the new inbox has its alert")
    assert number_of(server) != user_no
    assert held(server, user_no) == {}
    assert len(server.titles(key, "ben")) == ITEMS // 1_000, "others keep theirs"
    answer = server.request("DELETE", f"/v1/users/{PERSON}", headers=key)
    assert (answer.status_code, answer.json()["counts"]["item"]) == (200, 1)
    assert named(server) == set(), "the name stands in no column of any table"
