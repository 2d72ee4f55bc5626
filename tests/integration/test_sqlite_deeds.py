"""A deed and what it tells are one transaction: whatever fails, there are both or neither, also after reopening."""

import sqlite3
from pathlib import Path

import pytest

from tests.integration.sqlite_stores import opened
from tests.ports.deed_cases import CASES, Case
from tests.ports.test_deeds import deed, kept
from tests.ports.world import World
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.errors import UnavailableError

# The log takes nothing; or it does, and then the disk does not take the commit (here: a broken reference, checked at the end).
REFUSES_THE_DEED = (
    "CREATE TRIGGER fault BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END"
)
FAILS_THE_COMMIT = """
    CREATE TABLE whole (id INTEGER PRIMARY KEY);
    CREATE TABLE part (id INTEGER REFERENCES whole (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER fault AFTER INSERT ON audit BEGIN INSERT INTO part VALUES (1); END
"""


async def script(world: World, text: str) -> None:
    assert isinstance(world.store, SqliteStore)

    def job(connection: Connection) -> None:
        for statement in text.split(";\n"):
            connection.execute(statement)

    await world.store._writer.run(job)


@pytest.mark.parametrize("fault", [REFUSES_THE_DEED, FAILS_THE_COMMIT], ids=["deed", "commit"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_there_is_no_action_without_its_deed_and_no_deed_without_its_action(
    tmp_path: Path, case: Case, fault: str
) -> None:
    async with opened(tmp_path) as world:
        await case.prepare(world)
        before = await case.look(world)
        await script(world, fault)
        with pytest.raises((UnavailableError, sqlite3.IntegrityError)):
            await case.act(world, deed())
        assert (await case.look(world), await kept(world)) == (before, [])
    async with opened(tmp_path) as world:
        assert (await case.look(world), await kept(world)) == (before, [])
        await script(world, "DROP TRIGGER fault")
        await case.act(world, deed())
        assert await case.look(world) != before
        assert len(await kept(world)) == 1
