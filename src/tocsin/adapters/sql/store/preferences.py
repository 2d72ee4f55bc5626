"""What people and hubs prefer, in the store."""

from collections.abc import Sequence
from typing import Final

import msgspec

from tocsin.adapters.sql import preferences as statements
from tocsin.adapters.sql.store.contact import open_heads, open_hub
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.deeds import keep
from tocsin.adapters.sql.store.numbers import Numbers
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.rows import as_json, hub_named, lock_hub
from tocsin.adapters.sql.store.text import sql
from tocsin.adapters.sql.store.writer import Writer
from tocsin.clock import Clock
from tocsin.model.preference import HubPreferences, Preferences
from tocsin.ports.audit import Deed
from tocsin.ports.preferences import Preferred, check_version, encode_preferences

_OF, _KEEP = sql(statements.preferences_of), sql(statements.keep_preferences)
_OF_HUB, _KEEP_HUB = sql(statements.preferences_of_hub), sql(statements.keep_hub_preferences)
_person: Final = msgspec.json.Decoder(Preferences)
_hub: Final = msgspec.json.Decoder(HubPreferences)


class SqlPreferences:
    """The preferences of one store."""

    def __init__(self, writer: Writer, readers: Readers, numbers: Numbers, clock: Clock) -> None:
        self._writer = writer
        self._readers = readers
        self._numbers = numbers
        self._clock = clock

    async def preferences(self, hub: str, users: Sequence[str]) -> Preferred:
        """Read what a hub and these of its users prefer."""

        def look(connection: Connection) -> Preferred:
            home = hub_named(connection, hub)
            if home is None:
                return Preferred(HubPreferences(), {})
            return _read(connection, home.hub_no, users)

        return await self._readers.run(look)

    async def keep_preferences(
        self, hub: str, user: str, preferences: Preferences, *, instead_of: str | None = None
    ) -> None:
        """Replace what a user prefers."""
        row = self._row(preferences)

        def job(connection: Connection) -> None:
            home = open_hub(connection, self._numbers, hub)
            (head,) = open_heads(connection, self._numbers, home, [user]).values()
            stands = _read(connection, home.hub_no, [user]).rules(user).mine
            check_version(stands, instead_of)
            connection.execute(_KEEP, {"user_no": head.user_no, **row})

        await self._writer.run(job)

    async def keep_hub_preferences(
        self,
        hub: str,
        preferences: HubPreferences,
        *,
        instead_of: str | None = None,
        deed: Deed | None = None,
    ) -> None:
        """Replace what a hub prefers."""
        row = self._row(preferences)

        def job(connection: Connection) -> None:
            home = lock_hub(connection, open_hub(connection, self._numbers, hub).hub_no)
            stands = _read(connection, home.hub_no, []).hub
            check_version(stands, instead_of)
            connection.execute(_KEEP_HUB, {"hub_no": home.hub_no, **row})
            if stands != preferences:
                keep(connection, deed)

        await self._writer.run(job)

    def _row(self, preferences: Preferences | HubPreferences) -> dict[str, object]:
        settings = encode_preferences(preferences).decode()
        return {"settings": settings, "changed_us": self._clock.now_us()}


def _read(connection: Connection, hub_no: int, users: Sequence[str]) -> Preferred:
    of_hub = connection.execute(_OF_HUB, {"hub_no": hub_no}).fetchone()
    people = connection.execute(_OF, {"hub_no": hub_no, "users": as_json(users)}).fetchall()
    return Preferred(
        HubPreferences() if of_hub is None else _hub.decode(of_hub[0]),
        {user: _person.decode(settings) for user, settings in people},
    )
