"""Event handlers in the store."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import asdict

from tocsin.adapters.sql import event_handlers
from tocsin.adapters.sql.store.deeds import changed
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.rows import as_json
from tocsin.adapters.sql.store.text import sql
from tocsin.adapters.sql.store.writer import Writer
from tocsin.model.event_handler import EventHandler, SystemEvent
from tocsin.ports.audit import Deed

_ADD, _ALL = sql(event_handlers.add_event_handler), sql(event_handlers.all_event_handlers)
_REMOVE = sql(event_handlers.remove_event_handler)
_events = msgspec.json.Decoder(tuple[SystemEvent, ...])


class SqlEventHandlers:
    """The event handlers of one store."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def add_event_handler(self, handler: EventHandler, deed: Deed | None = None) -> None:
        """Keep a new one."""
        row = {**asdict(handler), "system_events": as_json(handler.system_events)}
        await self._writer.run(lambda c: changed(c, _ADD, row, deed, "event-handlers"))

    async def event_handlers(self) -> Sequence[EventHandler]:
        """List those of all hubs, in the order in which they were added."""
        rows = await self._readers.run(lambda c: c.execute(_ALL).fetchall())
        return [_handler(row) for row in rows]

    async def remove_event_handler(
        self, hub: str, handler_id: str, deed: Deed | None = None
    ) -> bool:
        """Forget one."""
        named = {"hub": hub, "id": handler_id}
        return await self._writer.run(lambda c: changed(c, _REMOVE, named, deed, "event-handlers"))


def _handler(row: Sequence[Any]) -> EventHandler:
    fields = dict(zip(EventHandler.__struct_fields__, row, strict=True))
    return EventHandler(**{**fields, "system_events": _events.decode(fields["system_events"])})
