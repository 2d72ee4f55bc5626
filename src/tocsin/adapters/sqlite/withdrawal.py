"""Taking an alert back, wherever it is on its way."""

import sqlite3

from tocsin.adapters.sql import alerts, waiting
from tocsin.adapters.sqlite.contact import open_hub
from tocsin.adapters.sqlite.delivery import Delivery
from tocsin.adapters.sqlite.numbers import Numbers
from tocsin.adapters.sqlite.queue import decode_envelope
from tocsin.adapters.sqlite.sweep import Sweep
from tocsin.adapters.sqlite.text import sql
from tocsin.ports.limits import StoreLimits
from tocsin.ports.store import Swept

_ALERT, _WAITING = sql(alerts.alert_by_id), sql(waiting.waiting_by_id)


class Withdrawal:
    """One withdrawal on the writing connection."""

    def __init__(self, numbers: Numbers, limits: StoreLimits, now_us: int) -> None:
        self._numbers = numbers
        self._limits = limits
        self._now_us = now_us

    def run(self, connection: sqlite3.Connection, hub: str, alert_id: str) -> Swept:
        """Take back what was processed; what still waits counts as delivered to nobody, so nobody will get it."""
        home = open_hub(connection, self._numbers, hub)
        found = connection.execute(_ALERT, {"id": alert_id, "hub": hub}).fetchone()
        if found is not None:
            sweep = Sweep(connection, self._limits, self._now_us, self._limits.chunk_rows)
            return sweep.withdraw(found[0], home.hub_no)
        row = connection.execute(_WAITING, {"id": alert_id}).fetchone()
        if row is not None and (envelope := decode_envelope(row[1])).hub == hub:
            delivery = Delivery(connection, self._numbers, self._limits, self._now_us)
            delivery.add_alerts(home, [envelope], to_nobody=True)
        return Swept()
