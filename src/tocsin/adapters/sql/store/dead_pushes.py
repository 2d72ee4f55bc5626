"""Pushes of the store that were given up."""

from collections.abc import Sequence

from tocsin.adapters.sql import dead_pushes
from tocsin.adapters.sql.store.deeds import changed
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.text import sql
from tocsin.adapters.sql.store.writer import Writer
from tocsin.ports.audit import Deed
from tocsin.ports.dead_pushes import DeadPush

_PAGE, _NAMED = sql(dead_pushes.page), sql(dead_pushes.named)
_RETRY = sql(dead_pushes.retry)
_FIELDS = DeadPush.__struct_fields__
_TOP_US = 2**53  # after every time


class SqlDeadPushes:
    """Those of one store."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def dead_pushes(
        self, *, limit: int, below: tuple[int, str] | None = None
    ) -> Sequence[DeadPush]:
        """List those of every hub, the last given up first."""
        ended_us, push_id = below or (_TOP_US, "")
        page = {"ended_us": ended_us, "id": push_id, "limit": limit}
        found = await self._readers.run(lambda c: c.execute(_PAGE, page).fetchall())
        return [DeadPush(**dict(zip(_FIELDS, row, strict=True))) for row in found]

    async def dead_push(self, push_id: str) -> DeadPush | None:
        """Return one."""
        row = await self._readers.run(lambda c: c.execute(_NAMED, {"id": push_id}).fetchone())
        return None if row is None else DeadPush(**dict(zip(_FIELDS, row, strict=True)))

    async def retry_push(self, push_id: str, now_us: int, deed: Deed | None = None) -> bool:
        """Make one due at once, if its device is reached."""
        row = {"at_id": push_id, "now_us": now_us, "none": 0}
        return await self._writer.run(lambda c: changed(c, _RETRY, row, deed))
