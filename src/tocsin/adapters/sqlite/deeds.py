"""The audit log in the file."""

from collections.abc import Sequence

from msgspec.structs import asdict

from tocsin.adapters.sql import deeds
from tocsin.adapters.sqlite.readers import Readers
from tocsin.adapters.sqlite.text import sql
from tocsin.adapters.sqlite.writer import Writer
from tocsin.ports.audit import Deed, DeedFilter

_NOTE = sql(deeds.note)
_OF_HUB, _OF_ALL = sql(deeds.deeds_of_hub), sql(deeds.deeds_of_all)
_TOP = 2**53


class SqliteDeeds:
    """The deeds of one file."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def note(self, deed: Deed) -> None:
        """Keep a deed."""
        row = asdict(deed)
        await self._writer.run(lambda connection: connection.execute(_NOTE, row).rowcount)

    async def deeds(self, wanted: DeedFilter) -> Sequence[Deed]:
        """List deeds, newest first."""
        page = {**asdict(wanted), "below": _TOP if wanted.below is None else wanted.below}
        query = _OF_ALL if wanted.hub is None else _OF_HUB
        found = await self._readers.run(lambda c: c.execute(query, page).fetchall())
        return [Deed(*row) for row in found]
