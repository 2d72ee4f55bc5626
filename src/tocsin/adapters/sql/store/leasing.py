"""Which of the rows that are due may be leased now, and in which company."""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tocsin.adapters.sql import waiting
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.rows import as_json
from tocsin.adapters.sql.store.text import sql

_DUE_AGAIN, _DUE = sql(waiting.due_again), sql(waiting.due)
_BEFORE_IN_BATCHES = sql(waiting.before_in_batches)
# How often to look past batches of which others have the next.
_LOOKS = 4
_END = 2**63


class Due(NamedTuple):
    """A row that may be leased."""

    seq: int
    payload: bytes
    attempts: int
    crashes: int | None
    batch: int | None

    @property
    def is_suspect(self) -> bool:
        """Whether it has to be alone."""
        return self.crashes is not None


def next_due(connection: Connection, now_us: int, limit: int) -> tuple[list[Due], bool]:
    """Return what is to be leased, and whether all that is due waits for others of its batch.

    One that expands is among it at most, as the last; one that has to be alone, alone.
    """
    one = _lane(connection, now_us, 1, expands=True)
    if one and one[0].is_suspect:  # or it would wait for ever behind others
        return one, False
    others, is_behind = _in_order(connection, now_us, limit - len(one))
    if others and others[0].is_suspect:
        return others, False
    return others + one, is_behind and not one


def _in_order(connection: Connection, now_us: int, limit: int) -> tuple[list[Due], bool]:
    """Return what is due and does not come behind others of its batch that are not taken with it."""
    behind: set[int] = set()
    for _ in range(_LOOKS):
        found = _lane(connection, now_us, limit, expands=False, behind=behind)
        batches = {row.batch for row in found if row.batch is not None}
        if not batches:
            return found, bool(behind and not found)
        found = _sorted(found)
        first = _first_left(connection, found, batches)
        ahead = [row for row in found if row.batch is None or row.seq < first.get(row.batch, _END)]
        if ahead:
            return ahead, False
        behind |= batches
    return [], True


def _sorted(found: Sequence[Due]) -> list[Due]:
    """Return the rows with those of each batch in its order, which are otherwise in that of the times they were put off to."""
    of_batch: defaultdict[int | None, deque[Due]] = defaultdict(deque)
    for row in sorted(found, key=lambda row: row.seq):
        of_batch[row.batch].append(row)
    return [row if row.batch is None else of_batch[row.batch].popleft() for row in found]


def _first_left(
    connection: Connection, found: Sequence[Due], batches: Iterable[int]
) -> dict[int, int]:
    """Return of each batch the first number that is before some of ``found`` and not among it.

    Another process may have it, or it was put off.
    """
    taken = {row.seq for row in found}
    bounds = {"batches": as_json(batches), "below": max(taken)}
    left: dict[int, int] = {}
    for batch, seq in connection.execute(_BEFORE_IN_BATCHES, bounds):
        if seq not in taken:
            left.setdefault(batch, seq)
    return left


def _lane(
    connection: Connection,
    now_us: int,
    limit: int,
    *,
    expands: bool,
    behind: Iterable[int] = (),
) -> list[Due]:
    """Return what is due up to the first one that has to be alone, or that one alone if it comes first."""
    taken: list[Due] = []
    for query in (_DUE_AGAIN, _DUE):
        bounds = {
            "now": now_us,
            "limit": limit - len(taken),
            "expands": int(expands),
            "behind": as_json(behind),
        }
        rows = connection.execute(query, bounds)
        for row in map(Due._make, rows):
            if not row.is_suspect or not taken:
                taken.append(row)
            if row.is_suspect:
                rows.close()
                return taken
    return taken
