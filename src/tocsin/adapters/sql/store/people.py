"""What is decided about persons, in the store."""

from collections.abc import Mapping

from tocsin.adapters.sql import people
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.deeds import keep
from tocsin.adapters.sql.store.editions import count_edition
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.text import sql
from tocsin.adapters.sql.store.writer import Writer
from tocsin.ports.audit import Deed

_VALID_FROM, _REVOKED, _REVOKE = map(sql, (people.valid_from, people.revoked, people.revoke_tokens))


class SqlPeople:
    """The people of one store."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def valid_from_us(self, pseudonym: str) -> int:
        """Return the time up to which issued tokens are void; -1 if none ever were."""
        whose = {"pseudonym": pseudonym}
        row = await self._readers.run(lambda c: c.execute(_VALID_FROM, whose).fetchone())
        return -1 if row is None else int(row[0])

    async def revoked(self, most: int) -> Mapping[str, int] | None:
        """Return that time for everybody who was ever revoked; None if these are more than ``most``."""
        bound = {"limit": most + 1}
        rows = await self._readers.run(lambda c: c.execute(_REVOKED, bound).fetchall())
        return None if len(rows) > most else dict(rows)

    async def revoke_tokens(self, pseudonym: str, now_us: int, deed: Deed | None = None) -> int:
        """Void every token issued until now."""
        row = {"pseudonym": pseudonym, "valid_from_us": now_us, "step": 1}

        def job(connection: Connection) -> int:
            keep(connection, deed)
            count_edition(connection, "revocations")
            return int(connection.execute(_REVOKE, row).fetchone()[0])

        return await self._writer.run(job)
