"""VAPID keys in the store."""

from collections.abc import Sequence

from msgspec.structs import asdict

from tocsin.adapters.sql import vapid
from tocsin.adapters.sql.store.deeds import changed
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.text import sql
from tocsin.adapters.sql.store.writer import Writer
from tocsin.ports.audit import Deed
from tocsin.ports.vapid import SealedVapidKey

_ADD, _ALL, _RETIRE = (
    sql(vapid.add_vapid_key),
    sql(vapid.all_vapid_keys),
    sql(vapid.retire_vapid_key),
)


class SqlVapidKeys:
    """The VAPID keys of one store."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def add_vapid_key(self, key: SealedVapidKey, deed: Deed | None = None) -> None:
        """Keep a new one."""
        await self._writer.run(lambda c: changed(c, _ADD, asdict(key), deed, "vapid-keys"))

    async def vapid_keys(self) -> Sequence[SealedVapidKey]:
        """List them, retired ones too, oldest first."""
        rows = await self._readers.run(lambda c: c.execute(_ALL).fetchall())
        return [SealedVapidKey(*row) for row in rows]

    async def retire_vapid_key(self, key_id: str, now_us: int, deed: Deed | None = None) -> None:
        """Retire one."""
        row = {"at_id": key_id, "retired_us": now_us}
        await self._writer.run(lambda c: changed(c, _RETIRE, row, deed, "vapid-keys"))
