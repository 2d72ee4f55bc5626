"""How often was changed what processes keep in memory, in the store."""

from collections.abc import Mapping

from tocsin.adapters.sql import editions
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.text import sql
from tocsin.ports.editions import Kept

_COUNT, _ALL = sql(editions.count_up), sql(editions.all_editions)


class SqlEditions:
    """The editions of one store."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def editions(self) -> Mapping[Kept, int]:
        """Return how often each was changed."""
        return dict(await self._readers.run(lambda c: c.execute(_ALL).fetchall()))


def count_edition(connection: Connection, kept: Kept) -> None:
    """Count a change, in its transaction."""
    connection.execute(_COUNT, {"kept": kept})
