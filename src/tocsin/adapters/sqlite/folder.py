"""The data folder with the store's file in it."""

from pathlib import Path

from tocsin.adapters.folder import DataFolder

FILE = "tocsin.db"


class SqliteFolder(DataFolder):
    """A data folder held by this process alone, and the file in it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.file = path / FILE
        # SQLite gives its log the mode of the file, and makes that one readable for everybody.
        self.file.touch(mode=0o600)
