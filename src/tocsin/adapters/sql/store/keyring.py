"""API keys and access keys, as the store keeps them."""

from collections.abc import Sequence

from tocsin.adapters.sql import secrets
from tocsin.adapters.sql.store.deeds import changed
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.text import sql
from tocsin.adapters.sql.store.writer import Writer
from tocsin.ports.audit import Deed
from tocsin.ports.store import AccessKeys, ApiKey, KeyName

_ADD_KEY, _REVOKE, _KEY_BY_ID = (
    sql(secrets.add_key),
    sql(secrets.revoke_key),
    sql(secrets.key_by_id),
)
_ALL_KEYS, _KEYS_OF_HUB = sql(secrets.all_keys), sql(secrets.keys_of_hub)
_ACCESS_KEYS, _ADD_ACCESS_KEYS = sql(secrets.access_keys_of), sql(secrets.add_access_keys)
_REPLACE = {"primary": sql(secrets.replace_primary), "secondary": sql(secrets.replace_secondary)}


class SqlKeyring:
    """The part of the store that keeps keys."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def add_key(self, key: ApiKey, deed: Deed | None = None) -> None:
        """Keep a new key."""
        row = {name: getattr(key, name) for name in ApiKey.__struct_fields__}
        await self._writer.run(lambda c: changed(c, _ADD_KEY, row, deed, "keys"))

    async def keys(self, hub: str | None = None) -> Sequence[ApiKey]:
        """List keys, revoked ones too, oldest first; of one hub or all."""
        query = _ALL_KEYS if hub is None else _KEYS_OF_HUB
        rows = await self._readers.run(lambda c: c.execute(query, {"hub": hub}).fetchall())
        return [ApiKey(*row) for row in rows]

    async def revoke_key(self, key_id: str, now_us: int, deed: Deed | None = None) -> bool:
        """Revoke a key; False if there is none of that id.  Repeating it changes nothing."""
        row = {"at_id": key_id, "revoked_us": now_us}
        revoked = await self._writer.run(lambda c: changed(c, _REVOKE, row, deed, "keys"))
        if revoked:
            return True
        known = await self._readers.run(lambda c: c.execute(_KEY_BY_ID, {"id": key_id}).fetchone())
        return known is not None

    async def access_keys(self, hub: str) -> AccessKeys | None:
        """Return the hub's sealed access keys; None if there is no such hub."""
        row = await self._readers.run(lambda c: c.execute(_ACCESS_KEYS, {"hub": hub}).fetchone())
        return None if row is None else AccessKeys(*row)

    async def open_hub(self, hub: str, fresh: AccessKeys) -> AccessKeys:
        """Return the hub's sealed access keys, keeping ``fresh`` if it has none yet."""
        row = {"hub": hub, "primary_key": fresh.primary, "secondary_key": fresh.secondary}
        await self._writer.run(lambda c: c.execute(_ADD_ACCESS_KEYS, row).rowcount)
        return await self.access_keys(hub) or fresh

    async def replace_access_key(
        self, hub: str, which: KeyName, fresh: bytes, deed: Deed | None = None
    ) -> bool:
        """Put a sealed key in the place of one of the hub's two; False if there is no such hub."""
        row = {"at_hub": hub, "fresh": fresh}
        return await self._writer.run(
            lambda c: changed(c, _REPLACE[which], row, deed, "access-keys")
        )
