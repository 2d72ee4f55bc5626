"""Looking after a store in PostgreSQL from outside: what can be seen of it, and what PostgreSQL does better itself."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg

from tocsin.adapters.folder import modes
from tocsin.adapters.postgres.connection import PostgresConnection
from tocsin.adapters.postgres.migrate import schema_version
from tocsin.adapters.postgres.vitals import durability, server_version
from tocsin.adapters.sql.migrations import HEAD
from tocsin.errors import ConfigError
from tocsin.ports.care import Finding, Manifest, Progress, Restored


class PostgresCare:
    """One database, and the data folder with the key file ``key_name`` without which the sealed keys are lost."""

    def __init__(self, url: str, folder: Path, key_name: str, *, may_lose: bool) -> None:
        self._url = url
        self._folder = folder
        self._key_name = key_name
        self._may_lose = may_lose

    def examine(self, progress: Progress, *, low_water_bytes: int) -> Sequence[Finding]:  # noqa: ARG002 -- its disk is the server's
        """Look at the server, the schema and the folder, and change nothing."""
        progress("asking PostgreSQL", None)
        findings = list(self._asked())
        if self._folder.is_dir():
            findings.append(modes(self._folder))
        return findings

    def _asked(self) -> Iterator[Finding]:
        try:
            connection = PostgresConnection.open(self._url, reads=True)
            try:
                yield server_version(connection)
                yield durability(connection, may_lose=self._may_lose)
                yield _schema(schema_version(connection))
            finally:
                connection.close()
        except psycopg.Error as error:
            remedy = "see that the server runs, and that the setting store names it"
            yield Finding("store", "fail", f"PostgreSQL does not answer: {error}", remedy)

    def back_up(self, archive: Path, progress: Progress, *, with_secrets: bool = True) -> Manifest:  # noqa: ARG002 -- refused
        """Refuse: PostgreSQL has its own backups."""
        raise self._elsewhere()

    def note_backup(self, archive: Path, outcome: str, *, with_secrets: bool) -> None:  # noqa: ARG002 -- refused
        """Refuse: there will be no backup."""
        raise self._elsewhere()

    def restore(
        self,
        archive: Path,  # noqa: ARG002 -- refused
        progress: Progress,  # noqa: ARG002 -- as above
        *,
        key_file: Path | None = None,  # noqa: ARG002 -- as above
    ) -> Restored:
        """Refuse: what PostgreSQL backed up it restores."""
        raise self._elsewhere()

    def _elsewhere(self) -> ConfigError:
        detail = (
            "the store is in PostgreSQL: copy it with pg_dump or continuous archiving, and keep a copy of "
            f"{self._folder / self._key_name} with it; after a restore clients notice by themselves"
        )
        return ConfigError(detail, code="backup-elsewhere")


def _schema(schema: str | None) -> Finding:
    if schema == HEAD:
        return Finding("schema", "ok", f"{schema}, that of this release")
    if schema is None:
        return Finding("schema", "ok", "none yet; `tocsin serve` makes it")
    return Finding(
        "schema",
        "warn",
        f"{schema}, this release has {HEAD}",
        "`tocsin serve` migrates it, if it is older",
    )
