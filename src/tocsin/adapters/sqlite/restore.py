"""Bringing a backup back as a new life of the store."""

import contextlib
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tocsin.adapters.folder import LOCK, hold, sync_folder
from tocsin.adapters.sql import inboxes, schedule, waiting
from tocsin.adapters.sql.store.deeds import keep
from tocsin.adapters.sql.store.text import sql
from tocsin.adapters.sqlite.archive import Archive, damaged
from tocsin.adapters.sqlite.connection import connect_writer
from tocsin.adapters.sqlite.folder import FILE
from tocsin.adapters.sqlite.migrate import migrate
from tocsin.errors import ConfigError
from tocsin.model.stream import new_epoch
from tocsin.ports.audit import LOCAL, Deed
from tocsin.ports.care import Manifest, Progress, Restored

_ALL_HUBS, _RENEW = sql(inboxes.all_hubs), sql(inboxes.renew_epoch)
_GIVE_ALL_BACK, _COUNT_WAITING = sql(waiting.give_all_back), sql(waiting.count_waiting)
_COUNT_SCHEDULED, _COUNT_DEAD = sql(schedule.count_all), sql(waiting.count_dead)
_UNFINISHED = f"{FILE}.restoring"
_LEFT_BY_A_CUT = tuple(_UNFINISHED + end for end in ("-wal", "-shm", ""))
_NOTHING = {"lost+found", LOCK}  # what may be in a folder that counts as empty


def restore(
    folder: Path,
    archive: Path,
    key_name: str,
    key_file: Path | None,
    now_us: int,
    progress: Progress,
) -> Restored:
    """Unpack an archive beside its place, draw new epochs, note the deed, and put it in place at last.

    Raises:
        ConfigError: The folder is in use, or the archive cannot be restored here.
    """
    lock = hold(folder)
    try:
        _clear(folder, key_name)
        with _opened(archive) as opened:
            key = opened.read(key_name)
            if key is None:
                key = _given_key(archive, key_name, key_file)
            unfinished = folder / _UNFINISHED
            opened.extract(FILE, unfinished, progress)
        progress("drawing new epochs", None)
        migrate(unfinished)
        restored = _renew(unfinished, opened.manifest, _deed(archive, opened.manifest, now_us))
        _write_secret(folder / key_name, key)
        unfinished.rename(folder / FILE)
        sync_folder(folder)
        return restored
    finally:
        os.close(lock)


@contextlib.contextmanager
def _opened(archive: Path) -> Iterator[Archive]:
    try:
        with tarfile.open(archive, mode="r:") as tar:
            yield Archive(tar)
    except (tarfile.TarError, msgspec.DecodeError, ValueError, KeyError) as error:
        raise damaged(archive, error) from error
    except OSError as error:
        detail = f"{archive} could not be restored: {error}; the folder holds no store"
        raise ConfigError(detail, code="restore-failed") from error


def _clear(folder: Path, key_name: str) -> None:
    """Refuse a folder with anything in it but what a restore left that was cut, and take that away.

    The key file is put in place before the store, so beside an unfinished store it was left too.
    """
    names = {entry.name for entry in folder.iterdir()}
    left = [key_name, *_LEFT_BY_A_CUT] if _UNFINISHED in names else [*_LEFT_BY_A_CUT]
    found = sorted(names - _NOTHING - set(left))
    if found:
        detail = f"{folder} is not empty ({', '.join(found[:3])}); restore into a new folder, or move this one away first"
        raise ConfigError(detail, code="folder-not-empty")
    for name in left:  # a log left there would be played into the new file
        (folder / name).unlink(missing_ok=True)


def _given_key(archive: Path, key_name: str, key_file: Path | None) -> bytes:
    if key_file is None:
        detail = (
            f"{archive} was made without {key_name}; name your copy of that file with --key-file"
        )
        raise ConfigError(detail, code="key-file")
    try:
        return key_file.read_bytes()
    except OSError as error:
        detail = f"{key_file} cannot be read: {error.strerror}"
        raise ConfigError(detail, code="key-file") from error


def _deed(archive: Path, manifest: Manifest, now_us: int) -> Deed:
    target, detail = str(archive.absolute()), {"made_at": manifest.made_at}
    return Deed("", LOCAL, LOCAL, "backup.restore", target, "done", now_us, detail=detail)


def _renew(file: Path, manifest: Manifest, deed: Deed) -> Restored:
    """Draw the epochs, void the leases of the server that was running when the copy was made, and say who did it."""
    connection = connect_writer(file)
    try:
        connection.execute("BEGIN IMMEDIATE")
        epochs = {}
        for hub_no, name, *_ in connection.execute(_ALL_HUBS).fetchall():
            epochs[name] = new_epoch()
            connection.execute(_RENEW, {"at_hub": hub_no, "epoch": epochs[name]})
        connection.execute(_GIVE_ALL_BACK)
        keep(connection, deed)
        connection.execute("COMMIT")
        counts = [
            connection.execute(query).fetchone()[0]
            for query in (_COUNT_WAITING, _COUNT_SCHEDULED, _COUNT_DEAD)
        ]
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()
    return Restored(manifest, epochs, *counts)


def _write_secret(file: Path, content: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
