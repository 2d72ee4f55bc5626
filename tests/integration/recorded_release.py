"""An earlier release as it was: what it left in a database, and its program."""

import tarfile
from pathlib import Path

import psycopg

from tests.ports.postgres_server import PostgresServer

RECORDED = Path(__file__).parent / "recorded"


def restored(server: PostgresServer) -> str:
    """Make a database as a node of schema 0022 left it; return its URL."""
    url = server.create()
    with psycopg.connect(url) as connection:
        connection.execute((RECORDED / "postgres-0022.sql").read_bytes())
    return url


def unpacked(folder: Path) -> dict[str, str]:
    """Unpack the program of schema 0022, without the web client; return the environment in which Python runs it."""
    with tarfile.open(RECORDED / "program-0022.tar.xz") as program:
        # Python 3.11.2, which Debian has, knows no filters.
        program.extraction_filter = getattr(tarfile, "data_filter", None)
        program.extractall(folder)
    return {"PYTHONPATH": str(folder)}
