"""The audit log in the store."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import asdict

from tocsin.adapters.sql import deeds
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.editions import count_edition
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.text import sql
from tocsin.adapters.sql.store.writer import Writer
from tocsin.ports.audit import Deed, DeedFilter
from tocsin.ports.editions import Kept

_NOTE = sql(deeds.note)
_OF_HUB, _OF_ALL = sql(deeds.deeds_of_hub), sql(deeds.deeds_of_all)
_TOP = 2**53
_detail = msgspec.json.Decoder(dict[str, str | int])


class SqlDeeds:
    """The deeds of one store."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def note(self, deed: Deed) -> None:
        """Keep a deed of something that changes nothing in the store."""
        await self._writer.run(lambda connection: keep(connection, deed))

    async def deeds(self, wanted: DeedFilter) -> Sequence[Deed]:
        """List deeds, newest first."""
        page = {**asdict(wanted), "below": _TOP if wanted.below is None else wanted.below}
        query = _OF_ALL if wanted.hub is None else _OF_HUB
        found = await self._readers.run(lambda c: c.execute(query, page).fetchall())
        return [_deed(row) for row in found]


def keep(connection: Connection, deed: Deed | None, **more: int) -> None:
    """Keep a deed, with ``more`` that is known only now, in the transaction of what it tells; nothing if nobody's."""
    if deed is not None:
        detail = msgspec.json.encode({**deed.detail, **more}).decode()
        connection.execute(_NOTE, {**asdict(deed), "detail": detail})


def changed(
    connection: Connection,
    statement: str,
    row: Mapping[str, Any],
    deed: Deed | None,
    of: Kept | None = None,
) -> bool:
    """Carry out one statement and keep its deed; False, and nothing is kept, if it changed nothing.

    ``of`` names what it changes that processes keep in memory.
    """
    done = connection.execute(statement, row).rowcount > 0
    if done:
        keep(connection, deed)
        if of is not None:
            count_edition(connection, of)
    return done


def _deed(row: Sequence[Any]) -> Deed:
    fields = dict(zip(Deed.__struct_fields__, row, strict=True))
    return Deed(**{**fields, "detail": _detail.decode(fields["detail"])})
