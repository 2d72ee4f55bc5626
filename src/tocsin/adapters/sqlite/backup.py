"""Copying the store while it is in use.

The copy is read in one transaction by a connection that cannot write or checkpoint, so it is one moment of the file and
disturbs neither the writer nor the log; the log only cannot shrink meanwhile.
"""

import os
import sqlite3
import tempfile
from pathlib import Path

from tocsin import __version__
from tocsin.adapters.folder import hold, sync_folder
from tocsin.adapters.sql import inboxes
from tocsin.adapters.sql.migrations import HEAD
from tocsin.adapters.sql.store.deeds import keep
from tocsin.adapters.sql.store.text import sql
from tocsin.adapters.sqlite.archive import FORMAT, sum_of, write_archive
from tocsin.adapters.sqlite.connection import connect_observer, connect_writer
from tocsin.adapters.sqlite.folder import FILE
from tocsin.adapters.sqlite.migrate import schema_version
from tocsin.errors import ConfigError
from tocsin.ports.audit import Deed
from tocsin.ports.care import Manifest, Progress

_ALL_HUBS = sql(inboxes.all_hubs)
_PAGES = 2048  # of 4 KiB, per step


def back_up(
    folder: Path, archive: Path, secrets: list[Path], made_at: str, progress: Progress
) -> Manifest:
    """Write an archive of the store and of ``secrets`` that are there.

    Needs room for the store twice beside ``archive``, for as long as it takes.

    Raises:
        ConfigError: There is no store, the archive exists, or the copy could not be made.
    """
    if archive.exists():
        detail = f"{archive} exists already; a backup never replaces a file: name another"
        raise ConfigError(detail, code="backup-failed")
    if not (folder / FILE).exists():
        detail = f"there is no store in {folder}; name its folder with --data-dir"
        raise ConfigError(detail, code="no-store")
    try:
        with tempfile.TemporaryDirectory(prefix=".tocsin-backup-", dir=archive.parent) as made:
            copy, written = Path(made) / FILE, Path(made) / "archive"
            epochs, schema = _copy(folder / FILE, copy, progress)
            progress("checking the copy", None)
            files = {file.name: file for file in (copy, *secrets) if file.exists()}
            manifest = Manifest(
                format=FORMAT,
                version=__version__,
                schema=schema,
                made_at=made_at,
                epochs=epochs,
                files={name: sum_of(file) for name, file in files.items()},
            )
            progress("writing", None)
            write_archive(written, manifest, files)
            written.rename(archive)
            sync_folder(archive.parent)
    except (OSError, sqlite3.Error) as error:
        detail = f"the backup could not be made: {error}; nothing is left of it"
        raise ConfigError(detail, code="backup-failed") from error
    return manifest


def note_at_rest(folder: Path, deed: Deed) -> None:
    """Keep a deed in a store that nobody has open, if there is one of this release.

    Raises:
        ConfigError: The folder is in use, or the store takes no writes.
    """
    if not (folder / FILE).exists():
        return
    lock = hold(folder)
    try:
        connection = connect_writer(folder / FILE)
        try:
            if schema_version(connection) == HEAD:
                keep(connection, deed)
        finally:
            connection.close()
    except sqlite3.Error as error:
        detail = f"the store in {folder} takes no writes ({error}), so the backup cannot stand in its audit log"
        raise ConfigError(detail, code="backup-failed") from error
    finally:
        os.close(lock)


def _copy(source: Path, copy: Path, progress: Progress) -> tuple[dict[str, str], str]:
    """Copy the database as it is at one moment; return the epochs and the schema in it."""

    def tell(_status: int, remaining: int, total: int) -> None:
        progress("copying", 1 - remaining / max(1, total))

    observer, target = connect_observer(source), sqlite3.connect(copy, isolation_level=None)
    try:
        copy.chmod(0o600)
        target.execute("PRAGMA synchronous=OFF")  # it is checked, and synced as part of the archive
        observer.execute("BEGIN")
        epochs = {row[1]: row[2] for row in observer.execute(_ALL_HUBS)}
        observer.backup(target, pages=_PAGES, progress=tell)
        observer.execute("COMMIT")
        target.execute("PRAGMA journal_mode=DELETE")  # folds nothing, and leaves no second file
        verdict = target.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            msg = f"the copy is damaged ({verdict}), so the store is; see `tocsin doctor`"
            raise sqlite3.DatabaseError(msg)
        return epochs, schema_version(target) or ""
    finally:
        observer.close()
        target.close()
