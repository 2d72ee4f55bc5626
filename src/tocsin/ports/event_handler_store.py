"""Event handlers as they are kept.

Guarantee: what was added is there, and what was removed is gone, on disk, when the call returns.
"""

from collections.abc import Sequence
from typing import Protocol

from tocsin.model.event_handler import EventHandler
from tocsin.ports.audit import Deed


class EventHandlerStore(Protocol):
    """Keeps event handlers."""

    async def add_event_handler(self, handler: EventHandler, deed: Deed | None = None) -> None:
        """Keep a new one."""
        ...

    async def event_handlers(self) -> Sequence[EventHandler]:
        """List those of all hubs, in the order in which they were added."""
        ...

    async def remove_event_handler(
        self, hub: str, handler_id: str, deed: Deed | None = None
    ) -> bool:
        """Forget one; False if the hub has none of that id."""
        ...
