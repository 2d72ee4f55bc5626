"""Receipts in the store: noted in groups on the writing thread, read on snapshots."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from tocsin.adapters.sql import receipts
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.rows import Row, hub_named
from tocsin.adapters.sql.store.text import sql
from tocsin.adapters.sql.store.writer import Writer
from tocsin.clock import Clock
from tocsin.model.receipt import Receipt, Tally, Told, by_hub, placed, tally_of
from tocsin.model.sketch import EMPTY, people_in, with_people
from tocsin.ports.limits import StoreLimits

_TAKE_NUMBERS, _NOTE = sql(receipts.take_numbers), sql(receipts.note)
_HEARD, _SKETCH = sql(receipts.heard), sql(receipts.sketch)
_WRITE_SKETCH = sql(receipts.write_sketch)
_AFTER, _OF_COPY = sql(receipts.after), sql(receipts.of_copy)
_PER_FACT, _PER_ACTION = sql(receipts.people_per_fact), sql(receipts.people_per_action)
_SKETCHES = sql(receipts.sketches)


class SqlReceipts:
    """The receipts of one store."""

    def __init__(self, writer: Writer, readers: Readers, clock: Clock, limits: StoreLimits) -> None:
        self._writer = writer
        self._readers = readers
        self._clock = clock
        self._room = limits.receipts_per_copy

    async def note(self, told: Sequence[Told]) -> None:
        """Keep what is new, in one transaction."""
        now_us = self._clock.now_us()

        def job(connection: Connection) -> None:
            for hub, some in by_hub(told).items():
                note_told(connection, hub, some, self._room, now_us)

        if told:
            await self._writer.run(job)

    async def receipts_after(self, hub: str, number: int, limit: int) -> Sequence[Receipt]:
        """List receipts of a hub above a number, lowest first."""

        def look(connection: Connection) -> Sequence[Receipt]:
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


def receipts_of_copy(connection: Connection, hub: str, alert_id: str, user: str) -> list[Receipt]:
    """Read the receipts of one copy, in the order of their numbers."""
    named = {"hub": hub, "alert_id": alert_id, "user": user}
    found = connection.execute(_OF_COPY, named)
    return sorted(map(_receipt, found), key=lambda receipt: receipt.number)


def _tally(connection: Connection, hub: str, alert_id: str) -> Tally:
    of_alert = {"hub": hub, "alert_id": alert_id}
    counted = connection.execute(_PER_FACT, of_alert).fetchall()
    counted += connection.execute(_PER_ACTION, of_alert)
    sketched = connection.execute(_SKETCHES, of_alert)
    counted += [(fact, action, people_in(sketch)) for fact, action, sketch in sketched]
    return tally_of(counted)


def _receipt(row: Row) -> Receipt:
    number, hub, alert_id, user, device, fact, action, at_us = row
    return Receipt(number, hub, alert_id, user, device or None, fact, action or None, at_us)


def note_told(
    connection: Connection, hub: str, told: Sequence[Told], room: int, now_us: int
) -> None:
    """Keep what is new of facts of one hub; ``room`` is how many receipts one copy may have."""
    home = hub_named(connection, hub)
    if home is not None and told:
        _note(connection, home.hub_no, told, room, now_us)


def _note(
    connection: Connection, hub_no: int, told: Sequence[Told], room: int, now_us: int
) -> None:
    """Write what is new of one hub: one statement however many facts, since each step of one waits for its turn to run."""
    rows = [
        (one.alert_id, one.user, *one.key, min(one.at_us, now_us), place)
        for one, place in placed(told)
    ]
    asked = {"hub_no": hub_no, "number": len(rows)}
    last = connection.execute(_TAKE_NUMBERS, asked).fetchone()[0]
    said = {"hub_no": hub_no, "told": msgspec.json.encode(rows).decode()}
    first = last - len(rows) + 1
    noted = connection.execute(_NOTE, {**said, "first": first, "room": room}).rowcount
    if noted < len(rows):
        heard = connection.execute(_HEARD, said).fetchall()
        _write_sketches(connection, [(alert_no, *rows[key][1:4]) for key, alert_no in heard])


def _write_sketches(connection: Connection, heard: Iterable[tuple[int, str, str, str]]) -> None:
    """Count people of broadcasts: of the fact as a whole, and of the action that was pressed."""
    people: defaultdict[tuple[int, str, str], set[str]] = defaultdict(set)
    for alert_no, user, fact, action in heard:
        people[alert_no, fact, ""].add(user)
        people[alert_no, fact, action].add(user)
    for (alert_no, fact, action), users in people.items():
        place = {"alert_no": alert_no, "fact": fact, "action": action}
        row = connection.execute(_SKETCH, place).fetchone()
        sketch = with_people(EMPTY if row is None else row[0], users)
        connection.execute(_WRITE_SKETCH, {**place, "sketch": sketch})
