"""Alerts that wait for their time, apart from the queue: they neither fill it nor make it look stuck."""

from collections.abc import Sequence

from tocsin.adapters.sql import schedule, waiting
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.numbers import Numbers
from tocsin.adapters.sql.store.rows import as_json
from tocsin.adapters.sql.store.text import sql
from tocsin.model.alert import Envelope

_SCHEDULE, _DUE_NOW, _DROP = sql(schedule.schedule), sql(schedule.due_now), sql(schedule.drop)
_ADD = sql(waiting.add_waiting)


def owner_columns(told: Envelope) -> dict[str, str | int]:
    """Return what lists of a hub's or a key's own find an alert by."""
    return {"hub": told.hub, "key_id": told.key_id, "accepted_us": told.accepted_us}


def put_on_schedule(
    connection: Connection, numbers: Numbers, rows: Sequence[tuple[Envelope, bytes]]
) -> None:
    """Keep alerts, each beside its encoded envelope."""
    connection.executemany(
        _SCHEDULE,
        [
            {
                "id": told.id,
                "payload": payload,
                "due_us": told.due_us,
                "expands": int(told.audience.expands),
                **owner_columns(told),
            }
            for told, payload in rows
        ],
    )
    numbers.planned(len(rows))


def enqueue_due(connection: Connection, numbers: Numbers, now_us: int, limit: int) -> None:
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
                "batch": None,
            }
            for seq, (id_, payload, expands) in zip(numbers.seqs(len(found)), found, strict=True)
        ],
    )
    numbers.joined(len(found))
    take_off_schedule(connection, numbers, [row[0] for row in found])


def take_off_schedule(connection: Connection, numbers: Numbers, ids: Sequence[str]) -> None:
    """Forget alerts; those that are not there are ignored."""
    numbers.planned(-connection.execute(_DROP, {"ids": as_json(ids)}).rowcount)
