"""Full disks, locked folders, broken files: each a clear error, nothing half done, nothing lost."""

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.integration.sqlite_stores import opened
from tests.ports.world import World, envelope
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.clock import SystemClock
from tocsin.errors import ConfigError, UnavailableError


async def limit_pages(world: World, extra: int | None) -> None:
    """Let the file grow by ``extra`` pages only, as a full disk would; None lifts the limit."""
    assert isinstance(world.store, SqliteStore)

    def job(connection: Connection) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        bound = 2**30 if extra is None else pages + extra
        connection.execute(f"PRAGMA max_page_count={bound}")

    await world.store._writer.run(job)


async def test_a_full_disk_refuses_and_keeps_what_was_accepted(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:
        queue = world.store.queue
        await limit_pages(world, 20)
        accepted: list[str] = []
        refused = None
        while refused is None:
            try:
                told = await queue.publish([envelope("ann") for _ in range(50)])
                accepted += [published.id for published in told]
            except UnavailableError as error:
                refused = error
        assert refused.code == "disk-full"
        assert "nothing was stored" in refused.detail
        assert (await queue.depth()).waiting == len(accepted)
        with pytest.raises(UnavailableError):
            await queue.publish([envelope("ann") for _ in range(1000)])
        await limit_pages(world, None)
        await world.store.check_writable()
        more = envelope("ann")
        await queue.publish([more])
        leased = await queue.lease(limit=10_000, lease_s=60)
        assert [row.envelope.id for row in leased] == [*accepted, more.id]


async def test_a_delivery_that_does_not_fit_leaves_no_trace(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:
        await world.alert("ann")
        before = await world.page()
        await limit_pages(world, 2)
        told = [envelope("ann", *(f"user-{n}" for n in range(500))) for _ in range(9)]
        with pytest.raises(UnavailableError):
            await world.store.deliver(told)
        assert await world.page() == before
        assert await world.store.alert("h", told[0].id) is None
        assert await world.store.positions("h", ["user-1"]) == {}
        await limit_pages(world, None)
        await world.store.deliver(told)
        assert await world.counts() == (10, 10)


async def test_below_the_low_water_mark_nothing_is_taken_in_but_work_goes_on(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as world:
        await world.store.queue.publish([envelope("ann")])
    async with opened(tmp_path, low_water_bytes=2**60) as world:
        with pytest.raises(UnavailableError, match="low-water") as refused:
            await world.store.queue.publish([envelope("ann")])
        assert refused.value.code == "disk-full"
        with pytest.raises(UnavailableError, match="low-water"):
            await world.store.check_writable()
        (leased,) = await world.store.queue.lease(limit=9, lease_s=60)
        await world.store.deliver([leased.envelope])
        await world.store.queue.ack([leased.receipt])
        assert await world.counts() == (1, 1)


async def test_after_an_io_error_the_file_is_checked_before_it_is_written_again(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as world:
        store = world.store
        assert isinstance(store, SqliteStore)
        one = await world.alert("ann")
        connection = store._writer._connection

        def broken(_: Connection) -> None:
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error

        publish = asyncio.ensure_future(store.queue.publish([envelope("ann")]))
        with pytest.raises(UnavailableError, match="disk I/O error") as refused:
            await store._writer.run(broken)
        assert refused.value.code == "store-failed"
        await asyncio.wait({publish})
        two = await world.alert("ann")
        assert store._writer._connection is not connection
        assert await world.listed() == [two, one]
        waiting = 0 if isinstance(publish.exception(), UnavailableError) else 1
        assert (await store.queue.depth()).waiting == waiting


async def test_a_file_that_fails_its_check_is_not_written(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:
        store = world.store
        assert isinstance(store, SqliteStore)
        await world.alert(*(f"user-{n}" for n in range(400)))
    file = tmp_path / "tocsin.db"
    body = bytearray(file.read_bytes())
    half = len(body) // 2
    body[half : half + 40_000] = b"\xff" * 40_000
    async with opened(tmp_path) as world:
        store = world.store
        assert isinstance(store, SqliteStore)
        with file.open("r+b") as raw:
            raw.write(body)
        store._writer._disconnect()
        with pytest.raises(UnavailableError) as refused:
            await store.check_writable()
        assert refused.value.code == "store-failed"
        with pytest.raises(UnavailableError):
            await store.queue.publish([envelope("ann")])


async def test_a_held_data_folder_is_refused_with_the_remedy(tmp_path: Path) -> None:
    async with opened(tmp_path):
        with pytest.raises(ConfigError, match="--data-dir") as refused:
            await SqliteStore.open(tmp_path, SystemClock())
        assert refused.value.code == "data-folder-locked"
        assert str(tmp_path) in refused.value.detail
        script = (
            "import asyncio, pathlib, sys\n"
            "from tocsin.adapters.sqlite.store import SqliteStore\n"
            "from tocsin.clock import SystemClock\n"
            "asyncio.run(SqliteStore.open(pathlib.Path(sys.argv[1]), SystemClock()))\n"
        )
        other = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, str(tmp_path), stderr=subprocess.PIPE
        )
        _, said = await other.communicate()
        assert other.returncode != 0
        assert b"held by another Tocsin process" in said
    async with opened(tmp_path) as world:
        await world.alert("ann")


async def test_a_refused_start_lets_the_folder_go(tmp_path: Path) -> None:
    (tmp_path / "tocsin.db").write_bytes(b"no database, but long enough to be read as one " * 99)
    for _ in range(2):
        with pytest.raises(ConfigError) as refused:
            await SqliteStore.open(tmp_path, SystemClock())
        assert refused.value.code == "store-unreadable"


async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError) as refused:
        await SqliteStore.open(tmp_path / "file" / "data", SystemClock())
    assert refused.value.code == "data-folder-unusable"


def open_to_others(folder: Path) -> dict[str, int]:
    """Return what group and others may do to each file."""
    return {path.name: path.stat().st_mode & 0o077 for path in folder.iterdir()}


async def test_what_is_kept_is_readable_for_its_owner_only(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:  # in a folder that somebody else made
        await world.alert("ann")
        modes = open_to_others(tmp_path)
    assert {"tocsin.db", "tocsin.db-wal"} <= modes.keys()
    assert set(modes.values()) == {0}


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path) as world:
        store = world.store
    for call in (store.queue.publish([envelope("ann")]), store.head("h", "ann")):
        with pytest.raises(UnavailableError) as refused:
            await call
        assert refused.value.code == "store-closed"


async def test_an_sqlite_that_can_corrupt_its_log_is_warned_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version, warned in (((3, 51, 2), True), ((3, 51, 3), False)):
        monkeypatch.setattr("sqlite3.sqlite_version_info", version)
        with capture_logs() as logs:
            async with opened(tmp_path):
                pass
        assert any(entry["event"] == "sqlite.old" for entry in logs) is warned


async def test_a_log_that_cannot_be_folded_leaves_writes_as_patient_as_before(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path) as world:
        assert isinstance(world.store, SqliteStore)
        database = world.store._writer._database

        def job(connection: Connection) -> tuple[int, int]:
            asked = "PRAGMA busy_timeout"
            before = connection.execute(asked).fetchone()[0]
            database.at_rest(connection)  # within a transaction it is refused
            return before, connection.execute(asked).fetchone()[0]

        with capture_logs() as logs:
            before, after = await world.store._writer.run(job)
    assert "sqlite.checkpoint_failed" in [entry["event"] for entry in logs]
    assert after == before > 0
