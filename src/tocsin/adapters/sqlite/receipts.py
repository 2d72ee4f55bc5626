"""Receipts in the file: noted in groups on the writing thread, read on snapshots."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tocsin.adapters.sql import collapses, receipts
from tocsin.adapters.sqlite.readers import Readers
from tocsin.adapters.sqlite.rows import Row, as_json, hub_named
from tocsin.adapters.sqlite.text import sql
from tocsin.adapters.sqlite.writer import Writer
from tocsin.clock import Clock
from tocsin.model.receipt import (
    Receipt,
    Tally,
    Told,
    by_copy,
    by_hub,
    news,
    offered_actions,
    tally_of,
)
from tocsin.model.sketch import EMPTY, people_in, with_people
from tocsin.ports.limits import StoreLimits

_ALERTS, _USERS = sql(receipts.alerts_named), sql(receipts.users_named)
_CONTENT, _OWN, _HEARD = sql(receipts.content), sql(receipts.own), sql(receipts.heard)
_COLLAPSED, _KNOWN = sql(collapses.collapsed), sql(receipts.known)
_TAKE_NUMBERS, _ADD_RECEIPT = sql(receipts.take_numbers), sql(receipts.add_receipt)
_SKETCH, _WRITE_SKETCH = sql(receipts.sketch), sql(receipts.write_sketch)
_AFTER, _OF_COPY = sql(receipts.after), sql(receipts.of_copy)
_PER_FACT, _PER_ACTION = sql(receipts.people_per_fact), sql(receipts.people_per_action)
_SKETCHES = sql(receipts.sketches)


class SqliteReceipts:
    """The receipts of one file."""

    def __init__(self, writer: Writer, readers: Readers, clock: Clock, limits: StoreLimits) -> None:
        self._writer = writer
        self._readers = readers
        self._clock = clock
        self._room = limits.receipts_per_copy

    async def note(self, told: Sequence[Told]) -> None:
        """Keep what is new, in one transaction."""
        now_us = self._clock.now_us()

        def job(connection: sqlite3.Connection) -> None:
            for hub, some in by_hub(told).items():
                home = hub_named(connection, hub)
                if home is not None:
                    _Note(connection, home.hub_no, self._room, now_us).run(some)

        if told:
            await self._writer.run(job)

    async def receipts_after(self, hub: str, number: int, limit: int) -> Sequence[Receipt]:
        """List receipts of a hub above a number, lowest first."""

        def look(connection: sqlite3.Connection) -> Sequence[Receipt]:
            home = hub_named(connection, hub)
            if home is None:
                return ()
            above = {"hub_no": home.hub_no, "number": number, "limit": limit}
            return [_receipt(row) for row in connection.execute(_AFTER, above)]

        return await self._readers.run(look)

    async def receipts_of(self, hub: str, alert_id: str, user: str) -> Sequence[Receipt]:
        """List the receipts of one copy."""
        return await self._readers.run(lambda c: receipts_of_copy(c, hub, alert_id, user))

    async def tally(self, hub: str, alert_id: str) -> Tally:
        """Count different people per fact and per action."""
        return await self._readers.run(lambda c: _tally(c, hub, alert_id))


def receipts_of_copy(
    connection: sqlite3.Connection, hub: str, alert_id: str, user: str
) -> list[Receipt]:
    """Read the receipts of one copy, in the order of their numbers."""
    named = {"hub": hub, "alert_id": alert_id, "user": user}
    found = connection.execute(_OF_COPY, named)
    return sorted(map(_receipt, found), key=lambda receipt: receipt.number)


def _tally(connection: sqlite3.Connection, hub: str, alert_id: str) -> Tally:
    of_alert = {"hub": hub, "alert_id": alert_id}
    counted = connection.execute(_PER_FACT, of_alert).fetchall()
    counted += connection.execute(_PER_ACTION, of_alert)
    sketched = connection.execute(_SKETCHES, of_alert)
    counted += [(fact, action, people_in(sketch)) for fact, action, sketch in sketched]
    return tally_of(counted)


def _receipt(row: Row) -> Receipt:
    number, hub, alert_id, user, device, fact, action, at_us = row
    return Receipt(number, hub, alert_id, user, device or None, fact, action or None, at_us)


class _Alert(NamedTuple):
    alert_no: int
    accepted_us: int


class _User(NamedTuple):
    user_no: int
    b_start: int


class _Note:
    """One note of facts of one hub on the writing connection."""

    def __init__(self, connection: sqlite3.Connection, hub_no: int, room: int, now_us: int) -> None:
        self._connection = connection
        self._hub_no = hub_no
        self._room = room
        self._now_us = now_us
        self._rows: list[dict[str, int | str]] = []
        self._sketched: dict[tuple[int, str, str], set[str]] = {}

    def run(self, told: Sequence[Told]) -> None:
        """Find out whom the facts speak of, and write what is new."""
        alerts, users = self._named_alerts(told), self._named_users(told)
        for (alert_id, user), facts in by_copy(told).items():
            alert, person = alerts.get(alert_id), users.get(user)
            if alert is not None and person is not None:
                self._note_copy(alert, person, self._offered(alert, facts))
        self._write()

    def _named_alerts(self, told: Iterable[Told]) -> Mapping[str, _Alert]:
        ids = as_json({one.alert_id for one in told})
        found = self._connection.execute(_ALERTS, {"hub_no": self._hub_no, "ids": ids})
        return {row[0]: _Alert(row[1], row[2]) for row in found}

    def _named_users(self, told: Iterable[Told]) -> Mapping[str, _User]:
        users = as_json({one.user for one in told})
        found = self._connection.execute(_USERS, {"hub_no": self._hub_no, "users": users})
        return {row[0]: _User(row[1], row[2]) for row in found}

    def _offered(self, alert: _Alert, facts: list[Told]) -> list[Told]:
        """Leave out presses of actions that the alert does not offer."""
        if all(one.action is None for one in facts):
            return facts
        row = self._connection.execute(_CONTENT, {"alert_no": alert.alert_no}).fetchone()
        offered = offered_actions(row[0])
        return [one for one in facts if one.action is None or one.action in offered]

    def _note_copy(self, alert: _Alert, person: _User, facts: list[Told]) -> None:
        copy = {"alert_no": alert.alert_no, "user_no": person.user_no}
        known = self._connection.execute(_KNOWN, copy).fetchall()
        if known or self._has(copy):
            fresh = news(facts, known, self._room, alert.accepted_us, self._now_us)
            self._rows += [_columns(copy, one) for one in fresh]
        elif self._heard(alert, person):
            for one in facts:
                self._sketch(alert, one, "")
                if one.action is not None:
                    self._sketch(alert, one, one.action)

    def _has(self, copy: dict[str, int]) -> bool:
        """Tell whether the user has the alert, or had it until another took its place."""
        return any(
            self._connection.execute(query, copy).fetchone() is not None
            for query in (_OWN, _COLLAPSED)
        )

    def _heard(self, alert: _Alert, person: _User) -> bool:
        row = self._connection.execute(_HEARD, {"alert_no": alert.alert_no}).fetchone()
        return row is not None and row[0] > person.b_start

    def _sketch(self, alert: _Alert, one: Told, action: str) -> None:
        self._sketched.setdefault((alert.alert_no, one.fact, action), set()).add(one.user)

    def _write(self) -> None:
        if self._rows:
            asked = {"hub_no": self._hub_no, "number": len(self._rows)}
            last = self._connection.execute(_TAKE_NUMBERS, asked).fetchone()[0]
            first = last - len(self._rows) + 1
            self._connection.executemany(
                _ADD_RECEIPT,
                [
                    {"hub_no": self._hub_no, "number": number, **row}
                    for number, row in enumerate(self._rows, first)
                ],
            )
        for (alert_no, fact, action), people in self._sketched.items():
            place = {"alert_no": alert_no, "fact": fact, "action": action}
            row = self._connection.execute(_SKETCH, place).fetchone()
            sketch = with_people(EMPTY if row is None else row[0], people)
            self._connection.execute(_WRITE_SKETCH, {**place, "sketch": sketch})


def _columns(copy: Mapping[str, int], one: Told) -> dict[str, int | str]:
    fact, action, device = one.key
    return {**copy, "fact": fact, "action": action, "device": device, "at_us": one.at_us}
