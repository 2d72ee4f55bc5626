"""A data folder with the schema and nothing else: migrating anew for each test would be slow."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tocsin.adapters.sqlite.migrate import migrate

NAME = "tocsin.db"


def put_empty_store(folder: Path) -> None:
    """Put a store without rows into a folder that has none."""
    if not (file := folder / NAME).exists():
        file.write_bytes(_migrated())


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / NAME
        migrate(file)
        return file.read_bytes()
