"""Backups: what is in them, and what a restore refuses."""

import json
import os
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.sqlite_stores import opened
from tests.ports.turned_clock import TurnedClock
from tests.ports.world import envelope
from tocsin.adapters.folder import hold
from tocsin.adapters.sqlite.care import SqliteCare
from tocsin.errors import ConfigError
from tocsin.model.alert import Audience
from tocsin.ports.audit import DeedFilter

KEY = "access.key"


def care(folder: Path) -> SqliteCare:
    return SqliteCare(folder, KEY, TurnedClock())


def silent(_what: str, _share: float | None) -> None:
    """Show nobody."""


async def made_store(folder: Path) -> None:
    """Make a store with a read item, an alert on the queue that a worker holds, and a key file."""
    async with opened(folder) as world:
        await world.patch(await world.alert("ann"), read=True)
        await world.alert()
        await world.store.queue.publish([envelope("ann"), envelope("bob")])
        await world.store.queue.lease(limit=1, lease_s=30)
    (folder / KEY).write_bytes(b"key")


@pytest.fixture
async def archive(tmp_path: Path) -> Path:
    await made_store(tmp_path / "data")
    care(tmp_path / "data").back_up(tmp_path / "backup", silent)
    return tmp_path / "backup"


def test_a_backup_is_one_private_file_that_names_what_it_holds(archive: Path) -> None:
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert sorted(path.name for path in archive.parent.iterdir()) == ["backup", "data"]
    with tarfile.open(archive) as tar:
        assert tar.getnames() == ["manifest.json", "tocsin.db", KEY]
        told = tar.extractfile("manifest.json")
        assert told is not None
        manifest = json.load(told)
    assert list(manifest["epochs"]) == ["h"]
    assert set(manifest["files"]) == {"tocsin.db", KEY}


async def test_a_restored_store_has_everything_under_new_epochs(
    archive: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    restored = care(folder).restore(archive, silent)
    assert (restored.waiting, restored.scheduled, restored.dead) == (2, 0, 0)
    assert set(restored.epochs) == {"h"}
    assert restored.epochs["h"] != restored.manifest.epochs["h"]
    assert (folder / KEY).read_bytes() == b"key"
    for name in ("tocsin.db", KEY):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    async with opened(tmp_path / "data") as old, opened(folder) as new:
        before, after = await old.page(), await new.page()
        assert (after.items, after.counts) == (before.items, before.counts)
        assert after.position.epoch == restored.epochs["h"]
        assert await new.must_reload(before.position)
        leased = await new.store.queue.lease(limit=9, lease_s=30)
        assert [(one.attempt, one.crashes) for one in leased] == [(1, 0), (1, 0)]


async def test_a_backup_taken_while_a_server_writes_is_one_moment(tmp_path: Path) -> None:
    async with opened(tmp_path / "data") as world:
        first = await world.alert("ann")
        copied: list[float | None] = []

        def tell(what: str, share: float | None) -> None:
            if what == "copying":
                copied.append(share)

        care(tmp_path / "data").back_up(tmp_path / "backup", tell)
        await world.alert("ann")
    assert copied[-1] == 1
    (tmp_path / KEY).write_bytes(b"key")
    care(tmp_path / "new").restore(tmp_path / "backup", silent, key_file=tmp_path / KEY)
    async with opened(tmp_path / "new") as new:
        assert await new.listed() == [first]


async def test_a_backup_replaces_no_file_and_needs_a_store(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="exists already"):
        care(tmp_path / "data").back_up(archive, silent)
    with pytest.raises(ConfigError, match="no store") as refused:
        care(tmp_path / "nothing").back_up(tmp_path / "other", silent)
    assert refused.value.code == "no-store"
    assert not (tmp_path / "nothing").exists()


async def test_a_store_that_is_damaged_gives_no_backup(tmp_path: Path) -> None:
    await made_store(tmp_path / "data")
    with (tmp_path / "data" / "tocsin.db").open("r+b") as file:
        for page in range(2, file.seek(0, os.SEEK_END) // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 64)
    with pytest.raises(ConfigError) as refused:
        care(tmp_path / "data").back_up(tmp_path / "backup", silent)
    assert refused.value.code == "backup-failed"
    assert not (tmp_path / "backup").exists()


def changed_byte(archive: Path) -> None:
    with archive.open("r+b") as file:
        file.seek(archive.stat().st_size // 2)
        (byte,) = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))


def cut(archive: Path) -> None:
    os.truncate(archive, archive.stat().st_size // 2)


def text(archive: Path) -> None:
    archive.write_text("this is no backup")


@pytest.mark.parametrize("spoil", [changed_byte, cut, text])
async def test_a_damaged_backup_is_refused_and_leaves_no_store(
    archive: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(archive)
    with pytest.raises(ConfigError) as refused:
        care(tmp_path / "new").restore(archive, silent)
    assert refused.value.code == "backup-damaged"
    assert not (tmp_path / "new" / "tocsin.db").exists()


async def test_a_folder_in_use_is_refused_and_stays_as_it_is(archive: Path, tmp_path: Path) -> None:
    before = (tmp_path / "data" / "tocsin.db").read_bytes()
    with pytest.raises(ConfigError) as refused:
        care(tmp_path / "data").restore(archive, silent)
    assert refused.value.code == "folder-not-empty"
    assert (tmp_path / "data" / "tocsin.db").read_bytes() == before
    held = hold(tmp_path / "held")
    with pytest.raises(ConfigError) as refused:
        care(tmp_path / "held").restore(archive, silent)
    os.close(held)
    assert refused.value.code == "data-folder-locked"


async def test_a_restore_that_was_cut_can_be_repeated(archive: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    for name in ("lock", "tocsin.db.restoring", "tocsin.db.restoring-wal"):
        (folder / name).write_bytes(b"half of something")
    care(folder).restore(archive, silent)
    async with opened(folder) as world:
        assert len(await world.listed()) == 1
    assert sorted(path.name for path in folder.iterdir()) == [KEY, "lock", "tocsin.db"]


async def test_a_backup_without_the_key_asks_for_it(tmp_path: Path) -> None:
    await made_store(tmp_path / "data")
    care(tmp_path / "data").back_up(tmp_path / "backup", silent, with_secrets=False)
    with pytest.raises(ConfigError, match="--key-file") as refused:
        care(tmp_path / "new").restore(tmp_path / "backup", silent)
    assert refused.value.code == "key-file"
    care(tmp_path / "new").restore(tmp_path / "backup", silent, key_file=tmp_path / "data" / KEY)
    assert (tmp_path / "new" / KEY).read_bytes() == b"key"


async def test_an_alert_to_a_topic_goes_on_after_a_restore_where_the_backup_caught_it(
    tmp_path: Path,
) -> None:
    told = envelope(audience=Audience(topics=("t",)))
    async with opened(tmp_path / "data", expand_users=2) as world:
        await world.store.topics.subscribe("h", "t", ["ann", "bob", "cyd"])
        await world.store.queue.publish([told])
        await world.store.queue.lease(limit=1, lease_s=30)
        assert (await world.store.deliver([told]))["h"].unfinished == (told.id,)
        (tmp_path / "data" / KEY).write_bytes(b"key")
        care(tmp_path / "data").back_up(tmp_path / "backup", silent)
    care(tmp_path / "new").restore(tmp_path / "backup", silent)
    async with opened(tmp_path / "new", expand_users=2) as world:
        [leased] = await world.store.queue.lease(limit=9, lease_s=30)
        done = (await world.store.deliver([leased.envelope]))["h"]
        assert [change.user for change in done.changes] == ["cyd"]
        assert done.unfinished == ()
        assert [await world.listed(user) for user in ("ann", "bob", "cyd")] == [[told.id]] * 3


async def deeds(folder: Path) -> list[tuple[str, str, str, str]]:
    """Read the log of a store, oldest first, where all is of all hubs."""
    async with opened(folder) as world:
        found = await world.store.deeds.deeds(DeedFilter())
    return [(d.hub, d.action, d.target, d.outcome) for d in reversed(found)]


async def test_a_restored_store_tells_of_its_restore_and_of_the_backup_it_came_from(
    tmp_path: Path,
) -> None:
    source, archive = tmp_path / "data", tmp_path / "backup"
    await made_store(source)
    care(source).note_backup(archive, "begun", with_secrets=True)
    care(source).back_up(archive, silent)
    care(source).note_backup(archive, "done", with_secrets=True)
    begun = ("", "backup.make", str(archive), "begun")
    assert await deeds(source) == [begun, ("", "backup.make", str(archive), "done")]
    care(tmp_path / "new").restore(archive, silent)
    restored = ("", "backup.restore", str(archive), "done")
    assert await deeds(tmp_path / "new") == [begun, restored]


async def test_a_restore_that_was_cut_leaves_neither_a_store_nor_its_deed(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "new"

    def cut(_self: Path, _target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", cut)
        with pytest.raises(KeyboardInterrupt):
            care(folder).restore(archive, silent)
    assert not (folder / "tocsin.db").exists()
    care(folder).restore(archive, silent)
    assert [deed[1] for deed in await deeds(folder)] == ["backup.restore"]


async def test_a_backup_that_cannot_stand_in_the_log_is_not_begun(tmp_path: Path) -> None:
    await made_store(tmp_path / "data")
    care(tmp_path / "nothing").note_backup(tmp_path / "backup", "begun", with_secrets=True)
    assert not (tmp_path / "nothing").exists()
    held = hold(tmp_path / "data")
    with pytest.raises(ConfigError, match="held by another"):
        care(tmp_path / "data").note_backup(tmp_path / "backup", "begun", with_secrets=True)
    os.close(held)
