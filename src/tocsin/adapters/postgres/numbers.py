"""Numbers that several processes give out, by counters of the database, and how long the queue is that they share."""

import time
from collections.abc import Iterable
from typing import Final

from sqlalchemy import Sequence

from tocsin.adapters.sql.schema import alert_counter, hub_counter, user_counter
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.numbers import Numbers

# A count of what waits is used for so long, with what this process adds and takes: the bound of the queue is that rough.
_COUNT_HOLDS_S: Final = 1.0


class SharedNumbers(Numbers):
    """The next number of each kind of rows that others are made of, whichever process asks; touched in the writer's thread only."""

    def reread(self, connection: Connection) -> None:
        """Forget what was counted, since the database counts."""
        self.recount(connection)

    def recount(self, connection: Connection) -> None:  # noqa: ARG002 -- counted when it is asked for
        """Count what waits anew when somebody asks."""
        self._waiting = self._scheduled = 0
        self._counted_until_s = 0.0

    def lengths(self, connection: Connection) -> tuple[int, int]:
        """Tell how much is on the queue, and how much waits for its time; at most a second old as to other processes."""
        now_s = time.monotonic()
        if now_s >= self._counted_until_s:
            super().recount(connection)
            self._counted_until_s = now_s + _COUNT_HOLDS_S
        return super().lengths(connection)

    def next_users(self, connection: Connection, count: int) -> Iterable[int]:
        """Give out numbers of users."""
        return _next(connection, user_counter, count)

    def next_alerts(self, connection: Connection, count: int) -> Iterable[int]:
        """Give out numbers of alerts."""
        return _next(connection, alert_counter, count)

    def next_hub(self, connection: Connection) -> int:
        """Give out a hub's number."""
        (number,) = _next(connection, hub_counter, 1)
        return number


def _next(connection: Connection, counter: Sequence, count: int) -> Iterable[int]:
    if not count:
        return ()
    query = "SELECT nextval(%(counter)s::regclass) FROM generate_series(1, %(count)s)"
    found = connection.execute(query, {"counter": counter.name, "count": count})
    return [row[0] for row in found]
