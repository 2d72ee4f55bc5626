"""A PostgreSQL server of the tests' own: in a folder that goes with it, reached by its socket only."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from tocsin.adapters.postgres.migrate import migrate
from tocsin.adapters.sql.schema import metadata

START_S = 60.0
# PostgreSQL does not run for root, who lends it to this user.
OWNER = "postgres" if os.geteuid() == 0 else ""
# Nobody loses power here: what these cost is kept for the tests that are about them.
FAST = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off", "wal_level": "minimal"}
QUIET = {
    "listen_addresses": "",
    "max_connections": "60",
    "max_wal_senders": "0",
    "recovery_init_sync_method": "syncfs",
}


def programs() -> Path:
    """Return where the newest server's programs are."""
    named = os.environ.get("TOCSIN_TEST_POSTGRES")
    found = [Path(named)] if named else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    on_path = shutil.which("postgres")
    if not found and on_path:
        found = [Path(on_path).parent]
    assert found, "PostgreSQL is missing; run tests/install_packages"
    return found[-1]


class PostgresServer:
    """One server; its data are in a folder of its own, or in an empty one of the owner's elsewhere."""

    def __init__(self, data: Path | None = None, /, **settings: str) -> None:
        self._settings = {**QUIET, **settings}
        self._lent: Mapping[str, Any] = {}
        self.folder = Path(tempfile.mkdtemp(prefix="tocsin-pg-"))
        if data is not None:
            (self.folder / "data").symlink_to(data)
        if OWNER:
            owner = pwd.getpwnam(OWNER)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            self._lent = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        # Of a language that sorts otherwise than bytes do.
        locale = ("--locale=C", "--encoding=UTF8", "--locale-provider=icu", "--icu-locale=en")
        self._run("initdb", "-U", "tocsin", "--auth=trust", "--no-sync", *locale, "-D", "data")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [programs() / program, *arguments],
            cwd=self.folder,
            capture_output=True,
            check=False,
            timeout=START_S,
            **self._lent,
        )
        assert done.returncode == 0, done.stderr.decode()

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [programs() / "postgres", "-D", "data", f"-k{self.folder}", *settings],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                **self._lent,
            )
        until = time.monotonic() + START_S
        while not self._takes_writes():
            log_text = self.log()
            assert self._process.poll() is None, log_text
            assert time.monotonic() < until, log_text
            time.sleep(0.02)

    def log(self) -> str:
        """Return all that it wrote down."""
        return (self.folder / "log").read_text()

    def _takes_writes(self) -> bool:
        try:
            return self.ask("SELECT pg_is_in_recovery()") == [(False,)]
        except psycopg.OperationalError:
            return False

    def stop(self, how: int = signal.SIGINT) -> None:
        """End it: SIGINT is orderly and drops every connection, SIGQUIT is a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(START_S)
            self._process = None

    def has_ended(self) -> bool:
        """Whether it has ended by itself; then it may be started again."""
        assert self._process is not None
        if self._process.poll() is None:
            return False
        self._process = None
        return True

    def recover(self) -> None:
        """Bring it back as after the recovery of a backup, on a new timeline."""
        self.stop()
        (self.folder / "data" / "recovery.signal").touch()
        self._settings["restore_command"] = "false"
        self.start()

    def remove(self) -> None:
        """End it and its folder."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder)

    def url(self, database: str) -> str:
        """Return what a store is opened with."""
        return f"postgresql://tocsin@/{database}?host={self.folder}"

    @property
    def pid(self) -> int:
        """The process whose children are the sessions'."""
        assert self._process is not None
        return self._process.pid

    def ask(self, query: LiteralString, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement, and return its rows if it has any."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(query)
            return cursor.fetchall() if cursor.description else []

    def create(self, folder: Path | None = None) -> str:
        """Make an empty database, whose tables are in ``folder`` if it is given; return its URL."""
        self._made += 1
        name = f"made_{self._made}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            if folder is not None:
                connection.execute(f"CREATE TABLESPACE {name} LOCATION '{folder}'".encode())
            where = "" if folder is None else f" TABLESPACE {name}"
            connection.execute(f"CREATE DATABASE {name}{where}".encode())
        return self.url(name)


@contextmanager
def running_postgres(data: Path | None = None, /, **settings: str) -> Iterator[PostgresServer]:
    """Run a server of one's own, and take it away with its folder."""
    server = PostgresServer(data, **settings)
    try:
        server.start()
        yield server
    finally:
        server.remove()


class Lent:
    """Databases with the schema and nothing else, used again and again: making one for each test would be slow."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._free: list[str] = []

    def take(self) -> str:
        """Return the URL of one."""
        if self._free:
            return self._free.pop()
        url = self._server.create()
        migrate(url)
        return url

    def give_back(self, url: str) -> None:
        """Empty one for the next who takes it."""
        tables = (f'DELETE FROM "{table.name}"' for table in reversed(metadata.sorted_tables))
        with psycopg.connect(url) as connection:
            connection.execute("; ".join(tables).encode())
        self._free.append(url)
