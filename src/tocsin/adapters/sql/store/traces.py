"""One person's copy of one alert, put together in one read transaction."""

import msgspec
from msgspec.structs import replace

from tocsin.adapters.sql import collapses, items, receipts, schedule, stream, waiting
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.pushes import has_device, records_of_copy
from tocsin.adapters.sql.store.queries import Snapshot, snapshot
from tocsin.adapters.sql.store.queue import decode_envelope
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.receipts import receipts_of_copy
from tocsin.adapters.sql.store.rows import item_of, states_of
from tocsin.adapters.sql.store.status import standing
from tocsin.adapters.sql.store.text import sql
from tocsin.model.inbox import Broadcast
from tocsin.model.reading import broadcast_entry, item_entry
from tocsin.ports.traces import Copy, Replacement, without_inbox

_WAITING, _DEAD = sql(waiting.progress), sql(waiting.dead_letter)
_SCHEDULED, _CONTENT = sql(schedule.payload_of), sql(receipts.content)
_SAYING, _HEARD = sql(items.saying), sql(stream.heard_of_alert)
_TAKEN_BY, _TOOK = sql(collapses.taken_by), sql(collapses.took)


class _Said(msgspec.Struct):
    source: str


_said = msgspec.json.Decoder(_Said)


class SqlTraces:
    """Looks copies up in one store."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def copy(self, hub: str, alert_id: str, user: str) -> Copy | None:
        """Tell what is known of a user's copy; None if the hub never had that alert."""
        return await self._readers.run(lambda c: _copy(c, hub, alert_id, user))


def _copy(connection: Connection, hub: str, alert_id: str, user: str) -> Copy | None:
    found = standing(connection, hub, alert_id)
    if found is None:
        return None
    status, alert_no = found
    copy = Copy(status=status, source="")
    if status.processed_us is None:
        copy = _on_its_way(connection, copy, user)
    if alert_no is None:
        return copy
    content = connection.execute(_CONTENT, {"alert_no": alert_no}).fetchone()[0]
    copy = replace(copy, source=_said.decode(content).source)
    at = snapshot(connection, hub, user)
    return without_inbox(copy) if at is None else _delivered(at, copy, alert_no, content)


def _on_its_way(connection: Connection, copy: Copy, user: str) -> Copy:
    """Tell how processing stands: waiting, scheduled, or given up."""
    named = {"id": copy.status.id}
    attempts, failure, dead_us = 0, None, None
    if (row := connection.execute(_WAITING, named).fetchone()) is not None:
        payload, attempts, failure = row
    elif (row := connection.execute(_SCHEDULED, named).fetchone()) is not None:
        (payload,) = row
    else:
        payload, attempts, _, dead_us = connection.execute(_DEAD, named).fetchone()
    envelope = decode_envelope(payload)
    return replace(
        copy,
        source=_said.decode(envelope.content).source,
        addressed=envelope.audience.names(user),
        attempts=attempts,
        failure=failure,
        dead_us=dead_us,
    )


def _delivered(at: Snapshot, copy: Copy, alert_no: int, content: bytes) -> Copy:
    copy = replace(
        copy,
        taken_by=next((Replacement(*row) for row in at.rows(_TAKEN_BY, alert_no=alert_no)), None),
        took=tuple(Replacement(*row) for row in at.rows(_TOOK, alert_no=alert_no)),
        receipts=tuple(
            receipts_of_copy(at.connection, at.hub.stream.hub, copy.status.id, at.head.user)
        ),
    )
    copy = replace(
        copy,
        pushes=records_of_copy(at.connection, alert_no, at.row.user_no),
        reachable=has_device(at.connection, at.row.user_no),
    )
    for row in at.rows(_SAYING, alert_no=alert_no):
        item = item_of(row)
        entry = item_entry(item, at.head.watermarks)
        return replace(copy, entry=entry, rev=item.rev, deleted_by=item.deleted_by)
    for brev, sort, withdrawn in at.rows(_HEARD, alert_no=alert_no):
        if brev <= at.head.b_start:
            return replace(copy, heard="before")
        if withdrawn is not None:
            return replace(copy, heard="gone")
        state = states_of(at.connection, at.row.user_no).get(brev)
        said = Broadcast(brev, copy.status.id, sort, msgspec.Raw(content))
        entry = broadcast_entry(said, state, at.head.watermarks)
        return replace(copy, heard="live", entry=entry, rev=None if state is None else state.rev)
    return replace(copy, heard="gone") if copy.is_broadcast else copy
