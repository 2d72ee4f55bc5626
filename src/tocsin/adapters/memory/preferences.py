"""What people and hubs prefer, in the memory store's rows."""

from collections.abc import Sequence

from tocsin.adapters.memory.deeds import MemoryDeeds
from tocsin.adapters.memory.tables import Kept, Tables
from tocsin.clock import Clock
from tocsin.model.preference import HubPreferences, Preferences
from tocsin.ports.audit import Deed
from tocsin.ports.preferences import Preferred, check_version


class MemoryPreferences:
    """Keeps preferences beside inboxes and hubs."""

    def __init__(self, tables: Tables, clock: Clock, deeds: MemoryDeeds) -> None:
        self._deeds = deeds
        self._tables = tables
        self._clock = clock

    async def preferences(self, hub: str, users: Sequence[str]) -> Preferred:
        """Read what a hub and these of its users prefer."""
        home = self._tables.hub(hub)
        found = {user: home.inboxes[user].preferences for user in users if user in home.inboxes}
        said = {user: kept.preferences for user, kept in found.items() if kept is not None}
        return Preferred(home.preferences, said)

    async def keep_preferences(
        self, hub: str, user: str, preferences: Preferences, *, instead_of: str | None = None
    ) -> None:
        """Replace what a user prefers."""
        check_version((await self.preferences(hub, [user])).rules(user).mine, instead_of)
        kept = Kept(preferences, self._clock.now_us())
        self._tables.inbox(hub, user).preferences = kept

    async def keep_hub_preferences(
        self,
        hub: str,
        preferences: HubPreferences,
        *,
        instead_of: str | None = None,
        deed: Deed | None = None,
    ) -> None:
        """Replace what a hub prefers."""
        home = self._tables.hub(hub)
        check_version(home.preferences, instead_of)
        if home.preferences != preferences:
            home.preferences = preferences
            self._deeds.keep(deed)
