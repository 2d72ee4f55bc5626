"""Alerts that wait for their time, apart from the queue: they neither fill it nor make it look stuck."""

import sqlite3
from collections.abc import Sequence

from tocsin.adapters.sql import schedule, waiting
from tocsin.adapters.sqlite.numbers import Numbers
from tocsin.adapters.sqlite.rows import as_json
from tocsin.adapters.sqlite.text import sql

_SCHEDULE, _DUE_NOW, _DROP = sql(schedule.schedule), sql(schedule.due_now), sql(schedule.drop)
_ADD = sql(waiting.add_waiting)


def put_on_schedule(
    connection: sqlite3.Connection, numbers: Numbers, rows: Sequence[tuple[str, bytes, int, bool]]
) -> None:
    """Keep alerts, each an id, an encoded envelope, the time it is due, and whether its audience expands."""
    connection.executemany(
        _SCHEDULE,
        [
            {"id": id_, "payload": payload, "due_us": us, "expands": expands}
            for id_, payload, us, expands in rows
        ],
    )
    numbers.scheduled += len(rows)


def enqueue_due(connection: sqlite3.Connection, numbers: Numbers, now_us: int, limit: int) -> None:
    """Move what is due to the end of the queue, whose bound does not hold for it: it was accepted long ago."""
    found = connection.execute(_DUE_NOW, {"now": now_us, "limit": limit}).fetchall()
    if not found:
        return
    connection.executemany(
        _ADD,
        [
            {
                "seq": seq,
                "id": id_,
                "payload": payload,
                "attempts": 0,
                "available_us": 0,
                "expands": expands,
            }
            for seq, (id_, payload, expands) in enumerate(found, numbers.seq + 1)
        ],
    )
    numbers.seq += len(found)
    numbers.waiting += len(found)
    take_off_schedule(connection, numbers, [row[0] for row in found])


def take_off_schedule(connection: sqlite3.Connection, numbers: Numbers, ids: Sequence[str]) -> None:
    """Forget alerts; those that are not there are ignored."""
    numbers.scheduled -= connection.execute(_DROP, {"ids": as_json(ids)}).rowcount
