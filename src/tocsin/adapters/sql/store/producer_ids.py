"""Forgetting what producers called their alerts, all but what still stands and is to be kept for as long."""

from collections.abc import Sequence
from typing import NamedTuple

from tocsin.adapters.sql import alerts, schedule, waiting
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.numbers import Numbers
from tocsin.adapters.sql.store.rows import as_json
from tocsin.adapters.sql.store.text import sql

_OLDEST, _FORGET = sql(waiting.oldest_keys), sql(waiting.forget_keys)
_RENEW, _COUNT_RENEWED = sql(waiting.renew), sql(waiting.count_renewed)
_WITHDRAWN = sql(alerts.withdrawn_of)
_UNPROCESSED = (
    sql(waiting.waiting_payload),
    sql(schedule.payload_of),
    sql(waiting.dead_letter),
)


class _Id(NamedTuple):
    """One remembered id."""

    key_no: int
    at_us: int
    keeps: int
    hub: str
    alert_id: str
    renewed: int


class Forgetting:
    """One round on the writing connection.

    An id that is old but kept begins anew behind the youngest, so that it is looked at again when it is as old again: what
    stands costs one row written per ``key_memory_us``, and what does not is not looked for.
    """

    def __init__(self, connection: Connection, numbers: Numbers, now_us: int, most: int) -> None:
        self._connection = connection
        self._numbers = numbers
        self._now_us = now_us
        self._most = most
        self._kept: dict[str, int] = {}

    def run(self, before_us: int, limit: int) -> int:
        """Look at the oldest ids from before a time; return how many were forgotten or kept."""
        found = self._connection.execute(_OLDEST, {"limit": limit})
        old = [one for one in map(_Id._make, found.fetchall()) if one.at_us < before_us]
        standing = {one: None for one in old if one.keeps and self._stands(one.alert_id)}
        self._forget([one for one in old if one not in standing])  # first: they make room
        self._forget([one for one in standing if not self._renew(one)])
        return len(old)

    def _forget(self, gone: Sequence[_Id]) -> None:
        if gone:
            self._connection.execute(_FORGET, {"key_nos": as_json([one.key_no for one in gone])})

    def _renew(self, one: _Id) -> bool:
        """Let an id begin anew; False if the hub has as many of these as it may."""
        if not (one.renewed or self._has_room(one.hub)):
            return False
        (key_no,) = self._numbers.key_nos(1)
        row = {"at_key": one.key_no, "key_no": key_no, "at_us": self._now_us}
        self._connection.execute(_RENEW, row)
        if not one.renewed:
            self._kept[one.hub] += 1
        return True

    def _stands(self, alert_id: str) -> bool:
        """Whether an alert was not withdrawn, and is in an inbox, or on its way to one, or could be retried."""
        named = {"id": alert_id}
        processed = self._connection.execute(_WITHDRAWN, named).fetchone()
        if processed is not None:
            return processed[0] is None
        return any(self._connection.execute(query, named).fetchone() for query in _UNPROCESSED)

    def _has_room(self, hub: str) -> bool:
        if hub not in self._kept:
            kept = self._connection.execute(_COUNT_RENEWED, {"hub": hub}).fetchone()[0]
            self._kept[hub] = kept
        return self._kept[hub] < self._most
