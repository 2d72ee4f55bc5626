"""The event handlers of the memory store."""

from collections.abc import Sequence

from tocsin.adapters.memory.deeds import MemoryDeeds
from tocsin.adapters.memory.editions import MemoryEditions
from tocsin.model.event_handler import EventHandler
from tocsin.ports.audit import Deed


class MemoryEventHandlers:
    """Keeps event handlers by hub and id."""

    def __init__(self, deeds: MemoryDeeds, editions: MemoryEditions) -> None:
        self._deeds = deeds
        self._editions = editions
        self._handlers: dict[tuple[str, str], EventHandler] = {}

    async def add_event_handler(self, handler: EventHandler, deed: Deed | None = None) -> None:
        """Keep a new one."""
        self._handlers[handler.hub, handler.id] = handler
        self._deeds.keep(deed)
        self._editions.count("event-handlers")

    async def event_handlers(self) -> Sequence[EventHandler]:
        """List those of all hubs, in the order in which they were added."""
        return sorted(self._handlers.values(), key=lambda one: (one.created_us, one.id))

    async def remove_event_handler(
        self, hub: str, handler_id: str, deed: Deed | None = None
    ) -> bool:
        """Forget one."""
        if self._handlers.pop((hub, handler_id), None) is None:
            return False
        self._deeds.keep(deed)
        self._editions.count("event-handlers")
        return True
