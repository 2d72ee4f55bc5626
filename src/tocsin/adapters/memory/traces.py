"""One person's copy of one alert, from the memory store's tables."""

from collections.abc import Awaitable, Callable

import msgspec
from msgspec.structs import replace

from tocsin.adapters.memory.queue import MemoryQueue
from tocsin.adapters.memory.tables import Hub, Inbox, Tables
from tocsin.model.alert import Envelope
from tocsin.model.push import PushRecord
from tocsin.model.reading import broadcast_entry, item_entry
from tocsin.ports.store import AlertStatus
from tocsin.ports.traces import Copy, Replacement, without_inbox


class _Said(msgspec.Struct):
    source: str


_said = msgspec.json.Decoder(_Said)


class MemoryTraces:
    """Looks copies up; ``alert`` tells where an alert stands."""

    def __init__(
        self,
        tables: Tables,
        queue: MemoryQueue,
        alert: Callable[[str, str], Awaitable[AlertStatus | None]],
    ) -> None:
        self._tables = tables
        self._queue = queue
        self._alert = alert

    async def copy(self, hub: str, alert_id: str, user: str) -> Copy | None:
        """Tell what is known of a user's copy; None if the hub never had that alert."""
        counted = await self._alert(hub, alert_id)
        if counted is None:
            return None
        copy = Copy(status=replace(counted, seen=0, read=0), source="")
        waiting = self._queue.find(alert_id)
        if copy.status.processed_us is None and waiting is not None:
            copy = self._on_its_way(copy, waiting, user)
        if alert_id not in self._tables.alerts:
            return copy
        content = self._tables.alerts[alert_id].envelope.content
        copy = replace(copy, source=_said.decode(content).source)
        home = self._tables.hub(hub)
        inbox = home.inboxes.get(user)
        return (
            without_inbox(copy)
            if inbox is None
            else _delivered(home, inbox, copy, self._tables.records(inbox, alert_id))
        )

    def _on_its_way(self, copy: Copy, envelope: Envelope, user: str) -> Copy:
        """Tell how processing stands: waiting, scheduled, or given up."""
        letter = self._queue.dead.get(envelope.id)
        rows = (row for row in self._queue.waiting.values() if row.envelope.id == envelope.id)
        waiting = next(rows, None)
        attempts = 0 if waiting is None else waiting.attempts
        return replace(
            copy,
            source=_said.decode(envelope.content).source,
            addressed=envelope.audience.names(user),
            attempts=attempts if letter is None else letter.attempts,
            failure=None if waiting is None else waiting.failure,
            dead_us=None if letter is None else letter.at_us,
        )


def _delivered(home: Hub, inbox: Inbox, copy: Copy, pushes: tuple[PushRecord, ...]) -> Copy:
    alert_id, user = copy.status.id, inbox.head.user
    by = inbox.collapses.get(alert_id)
    copy = replace(
        copy,
        taken_by=None if by is None else Replacement(*by),
        took=tuple(
            Replacement(old, at_us)
            for old, (new, at_us) in inbox.collapses.items()
            if new == alert_id
        ),
        receipts=tuple(r for r in home.receipts if (r.alert_id, r.user) == (alert_id, user)),
        pushes=pushes,
        reachable=any(device.gone_us is None for device in inbox.devices.values()),
    )
    for item in inbox.items.values():
        if item.alert_id == alert_id:
            entry = item_entry(item, inbox.head.watermarks)
            return replace(copy, entry=entry, rev=item.rev, deleted_by=item.deleted_by)
    brev = home.heard.get(alert_id)
    if brev is None:
        return replace(copy, heard="gone") if copy.is_broadcast else copy
    if brev <= inbox.head.b_start:
        return replace(copy, heard="before")
    if brev not in home.live:
        return replace(copy, heard="gone")
    state = inbox.states.get(brev)
    entry = broadcast_entry(home.live[brev], state, inbox.head.watermarks)
    return replace(copy, heard="live", entry=entry, rev=None if state is None else state.rev)
