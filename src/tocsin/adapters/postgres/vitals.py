"""What the server says of itself: its version, and whether a commit is durable."""

from tocsin.adapters.sql.store.database import Connection
from tocsin.ports.care import Finding

OLDEST = 150_000
_SETTINGS = ("fsync", "full_page_writes", "synchronous_commit")
_ASK = "SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit')"


def server_version(connection: Connection) -> Finding:
    """Name the server's version."""
    number, name = connection.execute(
        "SELECT current_setting('server_version_num')::bigint, current_setting('server_version')"
    ).fetchone()
    if number < OLDEST:
        return Finding("postgresql", "fail", f"{name} is too old", "use PostgreSQL 15 or newer")
    return Finding("postgresql", "ok", name)


def durability(connection: Connection, *, may_lose: bool) -> Finding:
    """Ask the session that writes for the settings in force on it (I1); ``may_lose`` says that it need not be."""
    found = dict(zip(_SETTINGS, connection.execute(_ASK).fetchone(), strict=True))
    detail = " ".join(f"{name}={value}" for name, value in found.items())
    if "off" in found.values():
        remedy = (
            "turn these on at the server, or for this role, or an accepted alert may be lost when the server crashes; "
            "where that may be, set store_may_lose"
        )
        return Finding("durability", "warn" if may_lose else "fail", detail, remedy)
    return Finding("durability", "ok", f"{detail}: every commit waits for the disk")
