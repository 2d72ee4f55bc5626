"""Taking an alert back, wherever it is on its way."""

from tocsin.adapters.sql import alerts, schedule, topics, waiting, withdrawals
from tocsin.adapters.sql.store.contact import open_hub
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.deeds import changed, keep
from tocsin.adapters.sql.store.delivery import Delivery
from tocsin.adapters.sql.store.numbers import Numbers
from tocsin.adapters.sql.store.queue import decode_envelope
from tocsin.adapters.sql.store.rows import as_json
from tocsin.adapters.sql.store.schedule import take_off_schedule
from tocsin.adapters.sql.store.sweep import Sweep
from tocsin.adapters.sql.store.text import sql
from tocsin.model.alert import Envelope
from tocsin.ports.audit import Deed
from tocsin.ports.limits import StoreLimits
from tocsin.ports.store import Swept

_LOCK = sql(alerts.lock_alerts)
_ALERT, _WITHDRAW = sql(alerts.alert_by_id), sql(alerts.withdraw_alert)
_OPEN = sql(withdrawals.open_of_alert)
_END_EXPANSION = sql(topics.end_expansion)
_UNPROCESSED = (
    sql(waiting.waiting_payload),
    sql(schedule.payload_of),
    sql(waiting.dead_letter),
)


class Withdrawal:
    """One withdrawal on the writing connection."""

    def __init__(self, numbers: Numbers, limits: StoreLimits, now_us: int) -> None:
        self._numbers = numbers
        self._limits = limits
        self._now_us = now_us

    def run(self, connection: Connection, hub: str, alert_id: str, deed: Deed | None) -> Swept:
        """Take back what was processed, or is expanded: without its place nobody else will get it.

        What still waits, or is dead, counts as delivered to nobody, so nobody will get it.
        """
        home = open_hub(connection, self._numbers, hub)
        connection.execute(_LOCK, {"ids": as_json([alert_id])}).fetchall()
        found = connection.execute(_ALERT, {"id": alert_id, "hub": hub}).fetchone()
        if found is not None:
            connection.execute(_END_EXPANSION, {"alert_no": found[0]})
            return self._take_back(connection, found[0], home.hub_no, deed)
        envelope = _unprocessed(connection, alert_id)
        if envelope is not None and envelope.hub == hub:
            delivery = Delivery(connection, self._numbers, self._limits, self._now_us)
            delivery.add_alerts(home, [(envelope, 0)], "withdrawn")
            take_off_schedule(connection, self._numbers, [alert_id])
            keep(connection, deed)
        return Swept()

    def _take_back(
        self, connection: Connection, alert_no: int, hub_no: int, deed: Deed | None
    ) -> Swept:
        """Begin a withdrawal, or go on where it stopped; one that is finished stays as it is."""
        marked = {"at_alert": alert_no, "withdrawn_us": self._now_us}
        is_new = changed(connection, _WITHDRAW, marked, deed)
        stopped = connection.execute(_OPEN, {"alert_no": alert_no}).fetchone()
        if not is_new and stopped is None:
            return Swept()
        after_user = 0 if stopped is None else stopped[0]
        sweep = Sweep(connection, self._limits, self._now_us, self._limits.chunk_rows)
        return sweep.withdraw(alert_no, hub_no, after_user)


def _unprocessed(connection: Connection, alert_id: str) -> Envelope | None:
    for query in _UNPROCESSED:
        row = connection.execute(query, {"id": alert_id}).fetchone()
        if row is not None:
            return decode_envelope(row[0])
    return None
