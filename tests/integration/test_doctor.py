"""What the doctor finds in a data folder that something is wrong with."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.sqlite_stores import opened
from tests.ports.turned_clock import TurnedClock
from tests.ports.world import envelope
from tocsin.adapters.sqlite.care import SqliteCare
from tocsin.adapters.sqlite.surroundings import file_system_of
from tocsin.ports.care import Finding

PLENTY = 2**62


def silent(_what: str, _share: float | None) -> None:
    """Show nobody."""


def examine(
    folder: Path, clock: TurnedClock | None = None, low_water_bytes: int = 0
) -> dict[str, Finding]:
    care = SqliteCare(folder, "access.key", clock or TurnedClock())
    found = care.examine(silent, low_water_bytes=low_water_bytes)
    assert len({finding.check for finding in found}) == len(found)
    assert all(finding.remedy for finding in found if finding.verdict != "ok")
    return {finding.check: finding for finding in found}


def verdicts(found: dict[str, Finding], *, but: str = "") -> set[str]:
    # The library of the machine that tests is what it is.
    return {one.verdict for one in found.values() if one.check not in ("sqlite", but)}


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """Return a folder with a store in it that has seen some use."""
    made = tmp_path / "data"
    async with opened(made) as world:
        told = [await world.alert("ann", "bob") for _ in range(6)]
        await world.patch(told[0], read=True)
        await world.mark("seen")
        await world.patch(told[1], read=True)
        await world.patch(told[1], read=False)
        await world.patch(told[2], archived=True)
        await world.alert()
        await world.store.queue.publish([envelope("ann")])
    return made


def test_a_sound_store_is_all_right_and_stays_as_it_is(folder: Path) -> None:
    before = (folder / "tocsin.db").read_bytes()
    found = examine(folder)
    assert verdicts(found) == {"ok"}, found
    assert set(found) >= {"schema", "journal", "integrity", "rows", "counts", "queue", "modes"}
    assert found["queue"].detail.startswith("1 alerts wait")
    assert (folder / "tocsin.db").read_bytes() == before
    assert (folder / "tocsin.db-wal").read_bytes() == b""


async def test_it_looks_beside_a_store_that_is_open(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as world:
        await world.alert("ann")
        assert verdicts(examine(tmp_path / "data")) == {"ok"}
        await world.alert("ann")


def test_a_folder_without_a_store_is_told_and_nothing_is_made(tmp_path: Path) -> None:
    found = examine(tmp_path / "nothing")
    assert found["store"].verdict == "warn"
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(
    ("damage", "check", "told"),
    [
        ("UPDATE heads SET unread = unread + 1 WHERE user = 'ann'", "counts", "'ann'"),
        ("UPDATE heads SET unseen = unseen + 1 WHERE user = 'bob'", "counts", "'bob'"),
        ("UPDATE heads SET rev = 1 WHERE user = 'ann'", "rows", "ahead of their head"),
        ("DELETE FROM alerts WHERE alert_no = 2", "rows", "without an alert"),
        ("DELETE FROM heads WHERE user = 'bob'", "rows", "without a head"),
        ("UPDATE heads SET hub_no = 99 WHERE user = 'bob'", "rows", "foreign key"),
        ("UPDATE alembic_version SET version_num = '9999'", "schema", "newer release"),
    ],
)
def test_what_does_not_add_up_fails(folder: Path, damage: str, check: str, told: str) -> None:
    connection = sqlite3.connect(folder / "tocsin.db")
    connection.execute(damage)
    connection.commit()
    connection.close()
    found = examine(folder)
    assert found[check].verdict == "fail"
    assert told in found[check].detail
    assert "fail" not in verdicts(found, but=check)


def spoil(file: Path) -> None:
    with file.open("r+b") as opened_file:
        for page in range(2, file.stat().st_size // 4096):
            opened_file.seek(page * 4096)
            opened_file.write(b"\xff" * 64)


def replace_by_text(file: Path) -> None:
    file.write_text("this is no database at all " * 400)


@pytest.mark.parametrize(("damage", "check"), [(spoil, "integrity"), (replace_by_text, "store")])
def test_a_damaged_file_fails_and_names_the_way_back(
    folder: Path, damage: Callable[[Path], None], check: str
) -> None:
    damage(folder / "tocsin.db")
    found = examine(folder)
    failed = [one for one in found.values() if one.verdict == "fail"]
    assert failed[0].check in (check, "store")
    assert "restore a backup" in str(failed[0].remedy)
    assert "counts" not in found


async def test_dead_letters_and_times_to_come_are_worth_a_look(tmp_path: Path) -> None:
    clock = TurnedClock()
    async with opened(tmp_path / "data", clock) as world:
        await world.store.queue.publish([envelope("ann")])
        [leased] = await world.store.queue.lease(limit=1, lease_s=30)
        await world.store.queue.bury(leased.receipt, reason="poison")
        clock.turn(s=60)
        await world.alert("ann")
    found = examine(tmp_path / "data", TurnedClock())
    assert "tocsin dead list" in str(found["queue"].remedy)
    assert found["stored times"].verdict == "warn"


def test_a_file_that_others_may_read_fails_with_the_command_that_mends_it(folder: Path) -> None:
    (folder / "access.key").touch(mode=0o600)
    (folder / "access.key").chmod(0o640)
    found = examine(folder)["modes"]
    assert (found.verdict, found.remedy) == ("fail", f"chmod 600 {folder / 'access.key'}")


def test_a_disk_below_the_low_water_mark_fails(folder: Path) -> None:
    assert examine(folder, low_water_bytes=PLENTY)["disk"].verdict == "fail"


def test_the_file_system_is_that_of_the_nearest_mount() -> None:
    mounts = (
        "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        "30 21 0:50 / /data rw - nfs4 host:/export rw,vers=4.2\n"
        "31 21 0:51 / /data/own\\040disk rw shared:2 master:1 - xfs /dev/sdb rw\n"
    )
    assert file_system_of(Path("/data/tocsin"), mounts) == "nfs4"
    assert file_system_of(Path("/data/own disk/tocsin"), mounts) == "xfs"
    assert file_system_of(Path("/database"), mounts) == "ext4"
