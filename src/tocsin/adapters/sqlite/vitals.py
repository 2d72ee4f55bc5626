"""What only the writing connection knows: whether a commit is durable."""

import sys

from tocsin.adapters.sql.store.database import Connection
from tocsin.ports.care import Finding

_FULL = 2


def durability(connection: Connection) -> Finding:
    """Ask the connection that writes for the settings in force on it (I1)."""
    mode, sync, full = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "fullfsync")
    )
    detail = f"journal_mode={mode} synchronous={sync} fullfsync={full}"
    if mode != "wal" or sync < _FULL or (sys.platform == "darwin" and not full):
        remedy = (
            "please report this fault of Tocsin's: an accepted alert could be lost in a power cut"
        )
        return Finding("durability", "fail", detail, remedy)
    return Finding("durability", "ok", f"{detail}: every commit waits for the disk")
