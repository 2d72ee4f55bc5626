"""The SQLite store under a history: a file of its own for each, real commits, and writers that run at once."""

import asyncio
import itertools
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.model.schedule import Schedule
from tests.model.server import Kit, Work
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.client.core import InboxCore
from tocsin.ports.limits import StoreLimits


class SqliteKit:
    """Opens, copies and puts back SQLite files under ``folder``; everything runs on one event loop."""

    def __init__(self, runner: asyncio.Runner, folder: Path) -> None:
        self._runner = runner
        self._folder = folder
        self._numbers = itertools.count(1)
        self._opened: tuple[Path, Schedule, StoreLimits] | None = None
        self._store: SqliteStore | None = None

    def kit(self, **changed: Any) -> Kit:
        parts: dict[str, Any] = {
            "new_store": self.new_store,
            "new_core": InboxCore,
            "drive": self.drive,
            "drive_all": self.drive_all,
            "backup": self.backup,
            "restore": self.restore,
            "close": self.close,
        }
        return Kit(**{**parts, **changed})

    def drive(self, work: Work) -> Any:
        return self._runner.run(work)

    def drive_all(self, works: Sequence[Work]) -> list[Any]:
        async def at_once() -> list[Any]:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(work) for work in works]
            return [task.result() for task in tasks]

        results: list[Any] = self.drive(at_once())
        return results

    def new_store(self, schedule: Schedule, limits: StoreLimits) -> SqliteStore:
        self._opened = self._folder / f"{next(self._numbers)}", schedule, limits
        return self._open()

    def backup(self, store: SqliteStore) -> bytes:
        connection = sqlite3.connect(store._folder.file)
        try:
            return connection.serialize()
        finally:
            connection.close()

    def restore(self, store: SqliteStore, copy: bytes) -> SqliteStore:
        """Put an older file in place as the restore command does: closed, and under new epochs."""
        file = store._folder.file
        self.drive(store.close())
        for leftover in file.parent.glob(file.name + "-*"):
            leftover.unlink()
        file.write_bytes(copy)
        again = self._open()
        self.drive(again.renew_epoch())
        return again

    def close(self, _store: SqliteStore) -> None:
        assert self._store is not None
        assert self._opened is not None
        self.drive(self._store.close())
        shutil.rmtree(self._opened[0])

    def _open(self) -> SqliteStore:
        assert self._opened is not None
        self._store = self.drive(SqliteStore.open(*self._opened))
        return self._store
