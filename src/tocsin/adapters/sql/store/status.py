"""Where an alert stands: processed, still waiting, or given up."""

from typing import Literal

from msgspec.structs import replace

from tocsin.adapters.sql import alerts, items, schedule, waiting
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.queue import decode_envelope
from tocsin.adapters.sql.store.text import sql
from tocsin.model.alert import Envelope
from tocsin.ports.store import AlertStatus, begun_state, processed_state

_ALERT, _VERDICTS = sql(alerts.alert_by_id), sql(items.verdicts)
_DEAD = sql(waiting.dead_letter)
_State = Literal["accepted", "scheduled", "dead"]
_UNPROCESSED: tuple[tuple[str, _State], ...] = (
    (sql(waiting.waiting_payload), "accepted"),
    (sql(schedule.payload_of), "scheduled"),
    (_DEAD, "dead"),
)


def alert_status(connection: Connection, hub: str, alert_id: str) -> AlertStatus | None:
    """Tell where an alert stands, and count over its recipients."""
    found = standing(connection, hub, alert_id)
    if found is None:
        return None
    status, alert_no = found
    return status if alert_no is None else _counted(connection, status, alert_no)


def standing(
    connection: Connection, hub: str, alert_id: str
) -> tuple[AlertStatus, int | None] | None:
    """Look among the processed, the waiting, the scheduled and the dead, in one snapshot; nothing is counted.

    The number is that of an alert which is in the tables, if only a part of its audience has it.
    """
    found = connection.execute(_ALERT, {"id": alert_id, "hub": hub}).fetchone()
    if found is not None:
        return _begun(connection, hub, alert_id, found), found[0]
    for query, state in _UNPROCESSED:
        found = connection.execute(query, {"id": alert_id}).fetchone()
        if found is not None:
            reason = found[2] if state == "dead" else None
            status = _unprocessed(hub, decode_envelope(found[0]), state, reason)
            return None if status is None else (status, None)
    return None


def _counted(connection: Connection, status: AlertStatus, alert_no: int) -> AlertStatus:
    seen, read = connection.execute(_VERDICTS, {"alert_no": alert_no}).fetchone()
    return replace(status, seen=seen, read=read)


def _begun(
    connection: Connection,
    hub: str,
    alert_id: str,
    row: tuple[int, str, int, int, int | None, int | None, int | None, int | None, str | None],
) -> AlertStatus:
    """Describe an alert that left the queue, or of which a part of the audience has it: then it has a place."""
    (
        _alert_no,
        key_id,
        accepted_us,
        processed_us,
        recipients,
        withdrawn_us,
        deliver_us,
        expired_us,
        place,
    ) = row
    letter = None
    if place is not None:
        letter = connection.execute(_DEAD, {"id": alert_id}).fetchone()
    return AlertStatus(
        id=alert_id,
        hub=hub,
        key_id=key_id,
        state=processed_state(withdrawn_us, expired_us) if place is None else begun_state(letter),
        accepted_us=accepted_us,
        deliver_us=deliver_us,
        processed_us=processed_us if place is None else None,
        withdrawn_us=withdrawn_us,
        expired_us=expired_us,
        recipients=recipients,
        reason=None if letter is None else letter[2],
    )


def _unprocessed(
    hub: str,
    envelope: Envelope,
    state: _State,
    reason: str | None = None,
) -> AlertStatus | None:
    if envelope.hub != hub:
        return None
    return AlertStatus(
        id=envelope.id,
        hub=hub,
        key_id=envelope.key_id,
        state=state,
        accepted_us=envelope.accepted_us,
        deliver_us=envelope.deliver_us,
        reason=reason,
    )
